"""Is the demonstration chain loaded, and how close does its measured ranking come to the known truth?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from apps.accounts.models import Unit, User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.ideas.models import Idea
from apps.impact.selectors import ranking_rows
from apps.impact.services import measure_metric
from apps.imports.models import ImportBatch, Kind
from apps.imports.services import receive_import, run_import
from apps.taxonomy.models import Challenge, Metric
from cxplan.demo import ChainTruth, generate_chain
from cxplan.demo.talk import tell_talk

# In the order in which they refer to one another.
FILES: tuple[tuple[str, str], ...] = (
    (Kind.UNITS, "units.csv"),
    (Kind.TOUCHPOINTS, "touchpoints.csv"),
    (Kind.METRICS, "metrics.csv"),
    (Kind.CHALLENGES, "challenges.csv"),
    (Kind.ALIASES, "aliases.csv"),
    (Kind.SOLUTIONS, "solutions.csv"),
    (Kind.PEOPLE, "people.csv"),
    (Kind.EVENTS, "events.csv"),
    (Kind.ACTIONS, "actions.csv"),
    (Kind.FEEDBACK, "feedback-operations.csv"),
    (Kind.FEEDBACK, "feedback-surveys.csv"),
)
CHAIN = "rivage"
# Known to whoever can read this line: the demonstration listens on this machine alone.
PASSWORD = "rivage-demo"

Progress = Callable[[str, float], None]


class DemonstrationRefused(CxplanError):
    """The chain can't be loaded into this database."""

    code = "demonstration_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One row of the measured ranking beside the truth; points of the metric, positive is better."""

    rank: int | None
    solution: str
    uses: int
    effect: float | None
    low: float | None
    high: float | None
    truth: float
    naive: float | None
    verdict: str


def folder() -> Path:
    """Where the chain's files are kept."""
    return Path(settings.HOME) / "demo"


def known_truth() -> ChainTruth | None:
    """The answer sheet of the chain in this home; None when it was not generated here."""
    path = folder() / "truth.json"
    return ChainTruth.load(path) if path.exists() else None


def is_loaded() -> bool:
    """Whether all files of the chain came in."""
    done = ImportBatch.objects.filter(
        state=ImportBatch.State.FINISHED, is_dry_run=False, file_name__in=[name for _kind, name in FILES]
    )
    names = set(done.values_list("file_name", flat=True))
    return Unit.objects.filter(code=CHAIN).exists() and len(names) == len(FILES)


def forget_chain() -> None:
    """Empty the database and the folder, provided that it holds the chain or nothing."""
    refuse_other_data()
    call_command("flush", interactive=False, verbosity=0)
    for path in folder().glob("*"):
        path.unlink()


def refuse_other_data() -> None:
    """Raise DemonstrationRefused when the database belongs to somebody else."""
    has_chain = Unit.objects.filter(code=CHAIN).exists()
    if not has_chain and (Unit.objects.exists() or User.objects.exists()):
        raise DemonstrationRefused(
            "This database holds other data. "
            "Set CXPLAN_HOME to an empty folder, or DATABASE_URL to an empty database."
        )


def generate(*, seed: int, end: date, branches: int, weeks: int, progress: Progress) -> ChainTruth:
    """The chain's files; those of a load that was cut off are used again."""
    truth = known_truth()
    if truth is not None and (truth.seed, truth.branches, truth.weeks) == (seed, branches, weeks):
        return truth
    return generate_chain(folder(), seed=seed, end=end, branches=branches, weeks=weeks, progress=progress)


def load(*, progress: Progress) -> dict[str, int]:
    """Import all files as anybody's are; the number of rows by file. A second run changes nothing."""
    counts = {}
    for kind, name in FILES:
        path = folder() / name

        def tell(batch: ImportBatch, name: str = name) -> None:
            share = 1.0 if batch.is_over else 0.9 * batch.read_bytes / max(batch.file_bytes, 1)
            progress(f"{name}: {batch.row_count:,} rows", share)

        with path.open("rb") as file:
            batch = receive_import(kind=kind, file=file, file_name=name, actor=None)
        batch = run_import(batch=batch, progress=tell)
        if batch.state != ImportBatch.State.FINISHED or batch.rejected_count:
            found = batch.error or (batch.reject_sample or ["another process has it"])[0]
            raise DemonstrationRefused(f"{name} did not come in whole: {found}")
        counts[name] = batch.row_count
    return counts


@transaction.atomic
def open_sign_ins(*, truth: ChainTruth) -> None:
    """Give the three people of the story their password."""
    for email in truth.sign_ins.values():
        user = User.objects.get(email=email)
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
        record(event="accounts.user.password_set", actor=None, subject=user, data={})


def people_talk(*, at: datetime) -> int:
    """What the chain's people propose, plan and learn as of `at`, once; the number of ideas."""
    return 0 if Idea.objects.exists() else tell_talk(now=at)


def measure_flagship(*, truth: ChainTruth, as_of: date) -> None:
    """Measure the metric that the story is about, unless it is up to date."""
    measure_metric(metric=Metric.objects.get(code=truth.flagship_metric), as_of=as_of, wait=True)


def compare(*, truth: ChainTruth) -> list[Compared]:
    """The flagship's measured ranking beside the truth, in the order of the ranking."""
    challenge = Challenge.objects.get(code=truth.flagship)
    return [
        Compared(
            rank=row.rank,
            solution=row.solution,
            uses=row.actions,
            effect=row.effect,
            low=row.low,
            high=row.high,
            truth=truth.effect(row.solution, truth.flagship_metric),
            naive=row.naive_change,
            verdict=row.verdict,
        )
        for row in ranking_rows(challenge=challenge)
    ]


def comparison_lines(rows: list[Compared]) -> list[str]:
    """An aligned table, and in words what it says."""
    cells = [("#", "solution", "uses", "measured", "95 % interval", "truth", "before/after", "verdict")]
    for row in rows:
        interval = "" if row.low is None or row.high is None else f"{row.low:+.2f} to {row.high:+.2f}"
        cells.append(
            (
                str(row.rank or "–"),
                row.solution,
                str(row.uses),
                _points(row.effect),
                interval,
                _points(row.truth),
                _points(row.naive),
                row.verdict.replace("_", " "),
            )
        )
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    numbers = {0, 2, 3, 4, 5, 6}
    lines = [
        "  ".join(
            text.rjust(width) if column in numbers else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    return [*lines, "", *_reading(rows)]


def _reading(rows: list[Compared]) -> list[str]:
    ranked = [row for row in rows if row.rank is not None and row.effect is not None]
    if not ranked:
        return ["Nothing can be ranked yet."]
    inside = sum(
        row.low is not None and row.high is not None and row.low <= row.truth <= row.high for row in ranked
    )
    said = [f"The truth lies inside {inside} of {len(ranked)} intervals."]
    praised = max((row for row in ranked if row.naive is not None), key=lambda row: row.naive or 0.0, default=None)
    if praised is not None:
        said.append(
            f"A plain before/after comparison would have praised {praised.solution} most "
            f"({_points(praised.naive)}); it truly changes {_points(praised.truth)}."
        )
    return said


def _points(value: float | None) -> str:
    return "" if value is None else f"{value + 0.0:+.2f}".replace("-0.00", "+0.00")
