"""A small chain of rental branches with known effects, as import files."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from apps.accounts.models import User
from apps.imports.models import ImportBatch
from apps.imports.services import receive_import, run_import

BRANCHES, WEEKS, LATE_WEEKS = 24, 60, 12
ANSWERS = 16
# On the counter's scale of 0 to 10.
EFFECTS = {"greeter": 1.2, "second-desk": 0.8, "leaflet": 0.0}
BEHIND = ("B01", "B02")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallChain:
    """Import files by kind in the order they come in; `late` is the feedback of the last twelve weeks."""

    files: dict[str, bytes]
    late: bytes
    effective_on: date


def small_chain(*, today: date, seed: int = 5) -> SmallChain:
    """Sixty weeks up to that of `today`; in `BEHIND` the greeter works since the start of the last twelve."""
    rng = np.random.default_rng(seed)
    this_monday = today - timedelta(days=today.weekday())
    mondays = [this_monday - timedelta(weeks=WEEKS - 1 - week) for week in range(WEEKS)]
    units = [f"B{number:02}" for number in range(1, BRANCHES + 1)]
    actions = _actions(units, mondays)
    applied = [(unit, "greeter", WEEKS - LATE_WEEKS) for unit in BEHIND] + actions
    early, late = _feedback(rng, units, mondays, applied, today)
    return SmallChain(
        files={
            "units": csv_of(
                ["code", "name", "kind", "parent"],
                [
                    ("RENTAL", "Rental Company", "company", ""),
                    *((unit, f"Branch {unit}", "branch", "RENTAL") for unit in units),
                ],
            ),
            "touchpoints": csv_of(
                ["code", "name", "journey", "position"],
                [("counter", "Counter", "rental", 1), ("return", "Return", "rental", 2)],
            ),
            "metrics": csv_of(
                ["code", "name", "kind", "touchpoint", "better", "scale_min", "scale_max", "overall"],
                [
                    ("counter", "Service at the counter", "perception", "counter", "higher", 0, 10, ""),
                    ("return", "Giving the car back", "perception", "return", "higher", 0, 10, ""),
                    ("overall", "The whole rental", "perception", "", "higher", 0, 10, ""),
                ],
            ),
            "challenges": csv_of(
                ["code", "name", "touchpoint", "metric"],
                [
                    ("slow-counter", "Long wait at the counter", "counter", "counter"),
                    ("slow-return", "Long wait at return", "return", "return"),
                ],
            ),
            "solutions": csv_of(
                ["code", "title", "kind", "challenges", "summary", "cost", "effort_hours"],
                [
                    ("greeter", "A greeter in the queue", "sop", "slow-counter", "Meets the queue.", 2, 8),
                    ("second-desk", "A second desk", "asset", "slow-counter", "Open it in the rush.", 4, 30),
                    ("leaflet", "A leaflet on waiting", "communication", "slow-counter", "It explains.", 1, 2),
                    ("drop-box", "A drop box for keys", "asset", "slow-return", "Keys go in, people go.", 3, 10),
                ],
            ),
            "actions": csv_of(
                ["external_id", "unit", "challenge", "solutions", "effective_on", "fidelity"],
                [
                    (f"OLD-{n}", unit, "slow-return" if what == "drop-box" else "slow-counter", what,
                     mondays[week].isoformat(), 100)
                    for n, (unit, what, week) in enumerate(actions, start=1)
                ],
            ),
            "feedback": early,
        },
        late=late,
        effective_on=mondays[WEEKS - LATE_WEEKS],
    )  # fmt: skip


def feedback_on(
    metric: str, *, units: Sequence[str], weeks: int, lifted: Mapping[str, int], lift: float, today: date
) -> bytes:
    """Ten answers a week and unit up to that of `today`; `lifted` units do better since so many weeks."""
    rng = np.random.default_rng(7)
    monday = today - timedelta(days=today.weekday())
    rows: list[Sequence[object]] = []
    for unit in units:
        level = 6.5 + rng.normal(0, 0.3) + rng.normal(0, 0.1, weeks)
        for ago in range(weeks - 1, -1, -1):
            gain = lift if ago < lifted.get(unit, 0) else 0.0
            for number, answer in enumerate(rng.normal(level[ago] + gain, 1.6, 10)):
                day = min(monday - timedelta(weeks=ago) + timedelta(days=number % 7), today)
                score = int(np.clip(np.rint(answer), 0, 10))
                rows.append(("survey", f"{unit}-{ago}-{number}", unit, f"{day}T00:00:00Z", score))
    return csv_of(["source", "external_id", "unit", "occurred_at", metric], rows)


def bring_in(kind: str, content: bytes, *, actor: User | None = None) -> ImportBatch:
    """Through the same door as anybody's file."""
    batch = run_import(
        batch=receive_import(kind=kind, file=io.BytesIO(content), file_name=f"{kind}.csv", actor=actor)
    )
    assert batch.state == ImportBatch.State.FINISHED, batch.error
    assert batch.rejected_count == 0, batch.reject_sample
    return batch


def _actions(units: Sequence[str], mondays: Sequence[date]) -> list[tuple[str, str, int]]:
    """Who did what, in which week: staggered, so that in every week most branches can be compared with."""
    done = [(units[4 + n], list(EFFECTS)[n % 3], 14 + 2 * n) for n in range(12)]
    return [*done, *((units[17 + n], "drop-box", 16 + 5 * n) for n in range(3))]


def _feedback(
    rng: np.random.Generator,
    units: Sequence[str],
    mondays: Sequence[date],
    actions: Iterable[tuple[str, str, int]],
    today: date,
) -> tuple[bytes, bytes]:
    lift = np.zeros((len(units), WEEKS))
    for unit, what, week in actions:
        grown = np.clip((np.arange(WEEKS) - week + 1) / 3, 0, 1)
        lift[units.index(unit)] += EFFECTS.get(what, 0.0) * grown
    header = ["source", "external_id", "unit", "occurred_at", "counter", "return", "overall"]
    rows: tuple[list[Any], list[Any]] = [], []
    season = 0.3 * np.sin(np.arange(WEEKS) / 8)
    for place, unit in enumerate(units):
        drift = rng.normal(0, 0.15, WEEKS)
        counter = 7.0 + rng.normal(0, 0.3) + season + drift + lift[place] - (1.4 if unit in BEHIND else 0.0)
        returning = 7.4 + rng.normal(0, 0.3) + season + drift
        for week, monday in enumerate(mondays):
            for number in range(ANSWERS):
                answers = [
                    int(np.clip(np.rint(rng.normal(level, 1.8)), 0, 10))
                    for level in (counter[week], returning[week], (counter[week] + returning[week]) / 2)
                ]
                day = min(monday + timedelta(days=number % 7), today)
                rows[week >= WEEKS - LATE_WEEKS].append(
                    ("survey", f"{unit}-{week}-{number}", unit, f"{day}T00:00:00Z", *answers)
                )
    return csv_of(header, rows[0]), csv_of(header, rows[1])


def csv_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
