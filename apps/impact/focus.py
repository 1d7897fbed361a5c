"""Where does a unit lose most, what became known lately, and what works in the chain?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db.models import Count, F, Prefetch, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import Role, Unit
from apps.accounts.person import Person
from apps.core import formats
from apps.core.periods import WEEK, week_of, weeks_between
from apps.feedback.models import Cell, ResponseChallenge
from apps.feedback.selectors import while_unchanged
from apps.impact import words
from apps.impact.models import Effect, RankedSolution, Run
from apps.impact.stats.data import DEFAULTS
from apps.planning.models import ActionSolution
from apps.taxonomy.models import Challenge, Metric
from apps.taxonomy.selectors import terms_shown_under

WEEKS = 26
# A trend compares the newest weeks with the ones before; less than this share of the chain's spread is none.
TREND_WEEKS, TREND_SHARE = 8, 0.25
MINIMUM_ANSWERS = 30
# Less of what a unit loses is as good as nothing.
WORTH_SHOWING = 0.005
VERDICT_ORDER = [
    RankedSolution.Verdict.WORKS,
    RankedSolution.Verdict.LIKELY_WORKS,
    RankedSolution.Verdict.TRADE_OFF,
    RankedSolution.Verdict.HARMFUL,
    RankedSolution.Verdict.UNLIKELY,
    RankedSolution.Verdict.UNKNOWN,
]
TOLD = tuple(verdict for verdict in VERDICT_ORDER if verdict != RankedSolution.Verdict.UNKNOWN)
HELPING = (
    RankedSolution.Verdict.WORKS,
    RankedSolution.Verdict.LIKELY_WORKS,
    RankedSolution.Verdict.TRADE_OFF,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusRow:
    """A challenge of a unit by what it costs.

    `level` and `benchmark` are on the metric's own scale; `shortfall` is positive when the unit is behind the
    better half of the chain. `share` is the part of everything the unit loses, 0 to 1.
    """

    code: str
    name: str
    metric_code: str
    metric: str
    unit: str
    sign: int
    level: float | None
    benchmark: float | None
    shortfall: float | None
    answers: int
    share: float
    trend: str
    weekly: tuple[float | None, ...]
    best_solution: str
    best_effect: float | None
    best_low: float | None
    best_high: float | None
    best_verdict: str

    @property
    def url(self) -> str:
        return reverse("taxonomy:challenge", args=[self.code])

    @property
    def note(self) -> str:
        """Where the unit stands beside the better half of the chain."""
        if self.level is None:
            return ""
        if self.benchmark is None:
            return _("%(metric)s, %(answers)s") % {
                "metric": self.metric,
                "answers": formats.counted(self.answers, "answer"),
            }
        return _("%(metric)s: the better half of the chain has %(benchmark)s") % {
            "metric": self.metric,
            "benchmark": formats.level(self.benchmark, self.unit),
        }

    @property
    def level_text(self) -> str:
        return "" if self.level is None else formats.level(self.level, "")

    @property
    def trend_label(self) -> str:
        said = {"better": _("getting better"), "worse": _("getting worse"), "steady": _("steady")}
        words_ = said.get(self.trend, "")
        return (
            _("%(metric)s over half a year: %(trend)s") % {"metric": self.metric, "trend": words_}
            if words_
            else ""
        )

    @property
    def gain(self) -> str:
        """The part of what the unit loses that is due to this challenge."""
        return (
            _("%(share)s of what you lose") % {"share": formats.percent(self.share)}
            if self.share >= WORTH_SHOWING
            else ""
        )

    @property
    def gain_note(self) -> str:
        if not self.best_solution:
            return _("Nothing proven against it yet")
        return _("Best proven: %(solution)s") % {"solution": self.best_solution}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A result of an action that became known."""

    external_id: str
    unit_name: str
    challenge: str
    solutions: tuple[str, ...]
    metric: str
    unit: str
    sign: int
    verdict: str
    effect: float | None
    low: float | None
    high: float | None
    ready_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """A solution with a verdict, for one challenge."""

    pk: int
    code: str
    title: str
    challenge_code: str
    challenge: str
    metric: str
    unit: str
    sign: int
    effect: float | None
    low: float | None
    high: float | None
    verdict: str
    evidence: int
    actions: int
    units: int
    cost: int | None
    side_effects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weeks:
    """A metric's weekly sums in a unit and everything below it."""

    n: tuple[float, ...]
    weight: tuple[float, ...]
    total: tuple[float, ...]

    def mean(self, first: int = 0, last: int = WEEKS) -> float | None:
        weight = sum(self.weight[first:last])
        return sum(self.total[first:last]) / weight if weight > 0 else None

    @property
    def weekly(self) -> tuple[float | None, ...]:
        return tuple(
            total / weight if weight > 0 else None for weight, total in zip(self.weight, self.total, strict=True)
        )


def focus_rows(*, unit: Unit, as_of: date) -> list[FocusRow]:
    """The unit's challenges, the one that costs most first, in a constant number of queries.

    What a challenge costs is how far the unit's outcome is behind the chain's better half, in units of how far
    apart the chain's units are, times the customers it concerns. That makes points, shares and minutes comparable.
    Challenges with the same outcome share its cost as often as customers speak of each of them.
    """
    challenges = list(
        Challenge.objects.current().exclude(metric=None).select_related("metric").order_by("path", "code")
    )
    metrics = sorted({challenge.metric_id for challenge in challenges if challenge.metric_id})
    weeks, mentions = while_unchanged(
        unit,
        ("focus", metrics, week_of(as_of)),
        lambda: (_unit_weeks(unit, metrics, as_of), _mentions(unit, as_of)),
    )
    benchmarks = _benchmarks()
    best = _best_solutions([challenge.pk for challenge in challenges])
    # An operational metric has one record a week; the customers are those who answered about the unit.
    customers = max((sum(found.n) for found in weeks.values()), default=0.0)
    rows = []
    for challenge in challenges:
        metric, found = challenge.metric, weeks.get(challenge.metric_id or 0)
        if metric is None or found is None:
            continue
        rows.append(_row(challenge, metric, found, benchmarks.get(metric.pk), best.get(challenge.pk), customers))
    rows = _split(rows, {challenge.code: mentions.get(challenge.pk, 0) for challenge in challenges})
    total = sum(cost for cost, _row in rows)
    rows.sort(key=lambda item: (-item[0], -(item[1].shortfall or 0.0), item[1].code))
    return [replace(row, share=cost / total if total > 0 else 0.0) for cost, row in rows]


def _row(
    challenge: Challenge,
    metric: Metric,
    found: _Weeks,
    benchmark: Mapping[str, float] | None,
    best: RankedSolution | None,
    customers: float,
) -> tuple[float, FocusRow]:
    level = found.mean()
    spread = benchmark["spread"] if benchmark else 0.0
    shortfall = metric.sign * (benchmark["level"] - level) if benchmark and level is not None else None
    answers = sum(found.n)
    concerned = answers if metric.kind == Metric.Kind.PERCEPTION else customers
    enough = metric.kind != Metric.Kind.PERCEPTION or answers >= MINIMUM_ANSWERS
    cost = max(0.0, shortfall) / spread * concerned if shortfall is not None and spread > 0 and enough else 0.0
    row = FocusRow(
        code=challenge.code,
        name=challenge.display_name,
        metric_code=metric.code,
        metric=metric.display_name,
        unit=metric.display_unit,
        sign=metric.sign,
        level=level,
        benchmark=benchmark["level"] if benchmark else None,
        shortfall=shortfall,
        answers=round(answers),
        share=0.0,
        trend=_trend(found, metric, spread),
        weekly=found.weekly,
        best_solution=best.solution.display_title if best else "",
        best_effect=best.effect if best else None,
        best_low=best.low if best else None,
        best_high=best.high if best else None,
        best_verdict=best.verdict if best else "",
    )
    return cost, row


def _mentions(unit: Unit, as_of: date) -> Mapping[int, int]:
    """How many answers about the unit spoke of each challenge in the last half year."""
    first = week_of(as_of) - (WEEKS - 1) * WEEK
    spoken = (
        ResponseChallenge.objects.filter(
            response__unit__path__startswith=unit.path, response__week__range=(first, week_of(as_of))
        )
        .values_list("challenge_id")
        .annotate(Count("pk"))
        .order_by("challenge_id")
    )
    shown, mentions = terms_shown_under(), Counter[int]()
    for challenge_id, count in spoken:
        mentions[shown[challenge_id]] += count
    return mentions


def _split(rows: Sequence[tuple[float, FocusRow]], mentions: Mapping[str, int]) -> list[tuple[float, FocusRow]]:
    """Share the cost of a metric among the challenges that it measures, as often as customers speak of each."""
    weights = {row.code: 1 + mentions.get(row.code, 0) for _cost, row in rows}
    sums: dict[str, int] = {}
    for _cost, row in rows:
        sums[row.metric_code] = sums.get(row.metric_code, 0) + weights[row.code]
    return [(cost * weights[row.code] / sums[row.metric_code], row) for cost, row in rows]


def _unit_weeks(unit: Unit, metric_ids: Sequence[int], as_of: date) -> Mapping[int, _Weeks]:
    first = week_of(as_of) - (WEEKS - 1) * WEEK
    sums = (
        Cell.objects.filter(
            unit__path__startswith=unit.path, metric__in=metric_ids, week__range=(first, week_of(as_of))
        )
        .values_list("metric_id", "week")
        .annotate(answers=Sum("n"), weights=Sum("weight"), totals=Sum("total"))
        .order_by("metric_id", "week")
    )
    found: dict[int, tuple[list[float], list[float], list[float]]] = {}
    for metric_id, week, n, weight, total in sums:
        columns = found.setdefault(metric_id, ([0.0] * WEEKS, [0.0] * WEEKS, [0.0] * WEEKS))
        for column, value in zip(columns, (n, weight, total), strict=True):
            column[weeks_between(first, week)] = float(value)
    return {
        metric_id: _Weeks(n=tuple(n), weight=tuple(weight), total=tuple(total))
        for metric_id, (n, weight, total) in found.items()
    }


def _benchmarks() -> Mapping[int, Mapping[str, float]]:
    """The newest benchmark of every metric, as measurement found it."""
    newest = (
        Run.objects.filter(state=Run.State.FINISHED)
        .order_by("metric_id", "-pk")
        .distinct("metric_id")
        .values_list("metric_id", "benchmark")
    )
    return {metric_id: benchmark for metric_id, benchmark in newest if benchmark}


def _best_solutions(challenge_ids: Sequence[int]) -> Mapping[int, RankedSolution]:
    """The first of each challenge's ranking, when it is known to help."""
    first = RankedSolution.objects.filter(
        challenge__in=challenge_ids, context="", rank__isnull=False, verdict__in=HELPING
    )
    chosen = first.select_related("solution").order_by("challenge_id", "rank").distinct("challenge_id")
    return {row.challenge_id: row for row in chosen}


def _trend(found: _Weeks, metric: Metric, spread: float) -> str:
    """Better, worse or steady: the newest eight weeks against the ones before."""
    late, early = found.mean(WEEKS - TREND_WEEKS), found.mean(0, WEEKS - TREND_WEEKS)
    if late is None or early is None or spread <= 0:
        return ""
    change = metric.sign * (late - early)
    if abs(change) < TREND_SHARE * spread:
        return "steady"
    return "better" if change > 0 else "worse"


def results_ready(*, person: Person, unit: Unit | None = None, limit: int = 5) -> list[Result]:
    """The newest results of the person's units (or of `unit` and below) that say something."""
    effects = Effect.objects.on_target().in_scope(person.scope(Role.STAFF)).filter(status=Effect.Status.ESTIMATED)
    if unit is not None:
        effects = effects.filter(action__unit__path__startswith=unit.path)
    # Keys are put in order first: whole rows of a large chain take several times as long to sort.
    first = list(effects.order_by(F("action__effective_on").desc(), "-pk").values_list("pk", flat=True)[:limit])
    newest = Effect.objects.filter(pk__in=first).select_related(
        "metric", "action__unit", "action__challenge__merged_into"
    )
    used = ActionSolution.objects.select_related("version__solution")
    found = newest.defer("series", "quality_parts").prefetch_related(Prefetch("action__solutions", queryset=used))
    return [_result(effect) for effect in sorted(found, key=lambda effect: first.index(effect.pk))]


def _result(effect: Effect) -> Result:
    action, metric = effect.action, effect.metric
    used = [row.version for row in action.solutions.all()]
    slowest = max((version.lag_days for version in used), default=0)
    begun = action.effective_on or effect.as_of
    ready_on = begun + timedelta(weeks=DEFAULTS.primary_end, days=slowest)
    return Result(
        external_id=action.external_id,
        unit_name=action.unit.display_name,
        challenge=action.challenge.standing.display_name,
        solutions=tuple(version.solution.display_title for version in used),
        metric=metric.display_name,
        unit=metric.display_unit,
        sign=metric.sign,
        verdict=words.action_verdict(effect.status, effect.p_positive, effect.reason),
        effect=effect.effect,
        low=effect.low,
        high=effect.high,
        ready_on=min(ready_on, effect.as_of),
    )


def what_works(*, limit: int | None = None, verdicts: Sequence[str] = ()) -> list[Working]:
    """Solutions with a verdict, the best proven first."""
    return _told([pk for pk, _verdict in _known(verdicts or TOLD)[:limit]])


def _known(verdicts: Sequence[str]) -> list[tuple[int, str]]:
    """Keys of rankings in order, each with its verdict; rows are read only for those that are told."""
    rows = RankedSolution.objects.filter(context="", verdict__in=verdicts, effect__isnull=False).values_list(
        "pk", "verdict", "evidence", "p_positive", "solution__code", "challenge__code", "solution", "metric"
    )
    ordered = sorted(
        rows,
        key=lambda row: (
            VERDICT_ORDER.index(RankedSolution.Verdict(row[1])),
            -row[2],
            -(row[3] or 0.0),
            row[4],
            row[5],
        ),
    )
    # One solution is one piece of news: it stands under the challenge it is known best for.
    known: dict[tuple[int, int], tuple[int, str]] = {}
    for pk, verdict, *_proof, solution, metric in ordered:
        known.setdefault((solution, metric), (pk, verdict))
    return list(known.values())


def _told(pks: Sequence[int]) -> list[Working]:
    rows = RankedSolution.objects.select_related("solution", "challenge", "metric").in_bulk(pks)
    return [_working(rows[pk]) for pk in pks if pk in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictGroup:
    verdict: str
    total: int
    rows: tuple[Working, ...]


def works_by_verdict(*, limit: int) -> list[VerdictGroup]:
    """Every solution with a verdict, grouped; of each group the best proven ones."""
    found = _known(TOLD)
    groups = {verdict: [pk for pk, said in found if said == verdict] for verdict in VERDICT_ORDER}
    told = {row.pk: row for row in _told([pk for pks in groups.values() for pk in pks[:limit]])}
    return [
        VerdictGroup(verdict=verdict, total=len(pks), rows=tuple(told[pk] for pk in pks[:limit] if pk in told))
        for verdict, pks in groups.items()
        if pks
    ]


def _working(row: RankedSolution) -> Working:
    return Working(
        pk=row.pk,
        code=row.solution.code,
        title=row.solution.display_title,
        challenge_code=row.challenge.code,
        challenge=row.challenge.display_name,
        metric=row.metric.display_name,
        unit=row.metric.display_unit,
        sign=row.metric.sign,
        effect=row.effect,
        low=row.claim_low if row.claim_low is not None else row.low,
        high=row.claim_high if row.claim_high is not None else row.high,
        verdict=row.verdict,
        evidence=row.evidence,
        actions=row.action_count,
        units=row.unit_count,
        cost=row.solution.cost,
        side_effects=tuple(entry["metric"] for entry in row.side_effects if entry.get("is_harm")),
    )
