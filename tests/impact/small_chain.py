"""A chain small enough for a test and large enough to be measured: two of four solutions help, one hurts later."""

from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from django.apps import apps
from django.db import connection

from apps.accounts.models import Unit
from apps.feedback.models import Cell, Series
from apps.impact.services import measure_stale
from apps.library.models import Solution, SolutionVersion
from apps.planning.models import Action, ActionSolution
from apps.taxonomy.models import Challenge, Journey, Metric
from tests.factories import (
    ActionFactory,
    ChallengeFactory,
    JourneyFactory,
    MetricFactory,
    SolutionFactory,
    SolutionLinkFactory,
    SolutionVersionFactory,
    TouchpointFactory,
    UnitFactory,
)

UNITS, ACTING, WEEKS, ANSWERS = 26, 12, 44, 20
START = date(2023, 1, 2)
AS_OF = START + timedelta(weeks=WEEKS, days=-1)
EFFECTS = (1.2, 0.6, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class SmallChain:
    root: Unit
    units: list[Unit]
    journey: Journey
    metric: Metric
    later: Metric
    challenge: Challenge
    solutions: list[Solution]
    unused: Solution
    actions: list[Action]


def build_small_chain() -> SmallChain:
    rng = np.random.default_rng(5)
    root = UnitFactory(code="CHAIN", kind="chain", name="The chain")
    regions = [UnitFactory(code=f"R{i}", kind="region", parent=root) for i in range(2)]
    units = [
        UnitFactory(
            code=f"B{i:02}",
            kind=("city", "airport")[i % 2],
            region="South" if i >= UNITS - 4 else "West",
            parent=regions[i % 2],
            name=f"Branch {i}",
        )
        for i in range(UNITS)
    ]
    journey = JourneyFactory(code="rental")
    early, late = (TouchpointFactory(journey=journey, position=position) for position in (1, 2))
    metric = MetricFactory(code="counter", name="Counter", touchpoint=early)
    later = MetricFactory(code="fees", name="Fees", touchpoint=late)
    challenge = ChallengeFactory(code="queue", name="Queue", metric=metric)
    solutions = [SolutionFactory(code=f"s{i}", title=f"Solution {i}", lag_days=0) for i in range(len(EFFECTS))]
    unused = SolutionFactory(code="s9", title="Never tried", lag_days=0)
    versions = [SolutionVersionFactory(solution=solution) for solution in solutions]
    for solution in (*solutions, unused):
        SolutionLinkFactory(challenge=challenge, solution=solution)
    lift = np.zeros((UNITS, WEEKS))
    actions = []
    for index in range(ACTING):
        kind, week = index % len(EFFECTS), 10 + (index * 5) % 16
        lift[index, week:] += EFFECTS[kind]
        actions.append(apply(units[index], challenge, versions[kind], week))
    level = 7.5 + rng.normal(0, 0.4, (UNITS, 1)) + rng.normal(0, 0.1, (1, WEEKS)) + lift
    add_cells(metric, units, level, rng)
    add_cells(later, units, np.full((UNITS, WEEKS), 7.0) - 0.5 * (lift > 1), rng)
    return SmallChain(
        root=root,
        units=units,
        journey=journey,
        metric=metric,
        later=later,
        challenge=challenge,
        solutions=solutions,
        unused=unused,
        actions=actions,
    )


def apply(unit: Unit, challenge: Challenge, version: SolutionVersion, week: int) -> Action:
    action = ActionFactory(unit=unit, challenge=challenge, effective_on=START + timedelta(weeks=week, days=2))
    ActionSolution.objects.create(action=action, version=version, fidelity=90)
    return action


def add_cells(metric: Metric, units: list[Unit], level: np.ndarray, rng: np.random.Generator) -> None:
    cells = []
    for index, unit in enumerate(units):
        for week in range(level.shape[1]):
            values = np.round(level[index, week] + rng.normal(0, 2.2, ANSWERS), 2)
            cells.append(
                Cell(
                    unit=unit,
                    metric=metric,
                    week=START + timedelta(weeks=week),
                    n=ANSWERS,
                    weight=ANSWERS,
                    weight_squares=ANSWERS,
                    total=Decimal(str(round(float(values.sum()), 2))),
                    squares=Decimal(str(round(float((values**2).sum()), 4))),
                )
            )
    Cell.objects.bulk_create(cells)
    Series.objects.bulk_create([Series(unit=unit, metric=metric) for unit in units])


# Measured once; every test that asks for it gets the same rows by COPY, which takes milliseconds.
_kept: dict[str, bytes] = {}
_chain: list[SmallChain] = []


def measured_chain() -> SmallChain:
    tables = [model._meta.db_table for model in apps.get_models() if model.__module__.startswith("apps.")]
    with connection.cursor() as cursor:
        if not _chain:
            _chain.append(build_small_chain())
            measure_stale(as_of=AS_OF)
            for table in tables:
                with cursor.copy(f"COPY {table} TO STDOUT") as copy:
                    _kept[table] = b"".join(copy)
        else:
            for table in tables:
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write(_kept[table])
    return deepcopy(_chain[0])
