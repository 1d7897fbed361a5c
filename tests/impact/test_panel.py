"""A small chain whose arrays can be checked by eye."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from apps.impact.panel import feeds, lag_weeks, read_metric
from apps.planning.models import Action, Event
from apps.taxonomy.models import Metric
from tests.factories import (
    ActionFactory,
    ActionSolutionFactory,
    CellFactory,
    ChallengeFactory,
    EventFactory,
    JourneyFactory,
    MetricFactory,
    SolutionFactory,
    SolutionLinkFactory,
    SolutionVersionFactory,
    TouchpointFactory,
    UnitFactory,
)

pytestmark = pytest.mark.django_db
AS_OF = date(2024, 1, 31)  # in the fifth week since 1 January
WEEKS = [date(2024, 1, 1), date(2024, 1, 8), date(2024, 1, 15), date(2024, 1, 22), date(2024, 1, 29)]


@pytest.fixture
def metric():
    return MetricFactory()


def test_cells_land_at_their_unit_and_week(metric):
    north, south = UnitFactory(region="N", kind="city"), UnitFactory(region="S", kind="airport")
    CellFactory(unit=south, metric=metric, week=WEEKS[0], n=4, value=Decimal(6))
    CellFactory(unit=north, metric=metric, week=WEEKS[2], n=7, value=Decimal("8.5"))
    data = read_metric(metric=metric, as_of=AS_OF)
    assert data.unit_ids == (north.pk, south.pk)
    assert data.first_week == WEEKS[0]
    expected = np.full((2, 5), np.nan)
    expected[1, 0], expected[0, 2] = 6, 8.5
    np.testing.assert_array_equal(data.panel.y, expected)
    np.testing.assert_array_equal(data.panel.n, [[0, 0, 7, 0, 0], [4, 0, 0, 0, 0]])
    assert [data.regions[i] for i in data.panel.region] == ["N", "S"]
    assert [data.kinds[i] for i in data.panel.kind] == ["city", "airport"]
    assert data.panel.usable is None


def test_weights_lower_the_effective_answers(metric):
    # Weights 3 and 1: (3 + 1)² / (9 + 1) = 1.6 answers.
    CellFactory(metric=metric, n=2, weight=4, weight_squares=10, total=32, squares=256)
    assert read_metric(metric=metric, as_of=AS_OF).panel.n[0, 0] == pytest.approx(1.6)


def test_within_variance_is_pooled_over_cells(metric):
    unit = UnitFactory()
    # Answers 6 and 10 (m2 8, one degree of freedom), then 7, 8, 9 (m2 2, two).
    CellFactory(unit=unit, metric=metric, week=WEEKS[0], n=2, total=16, squares=136)
    CellFactory(unit=unit, metric=metric, week=WEEKS[1], n=3, total=24, squares=194)
    assert read_metric(metric=metric, as_of=AS_OF).panel.within_variance == pytest.approx(10 / 3)


def test_a_metric_of_single_records_has_no_within_variance(metric):
    CellFactory(metric=metric, n=1)
    assert read_metric(metric=metric, as_of=AS_OF).panel.within_variance is None


def test_lower_is_better_turns_the_sign():
    metric = MetricFactory(better=Metric.Better.LOWER)
    CellFactory(metric=metric, value=Decimal(12))
    assert read_metric(metric=metric, as_of=AS_OF).panel.y[0, 0] == -12


def test_answers_after_the_week_of_the_day_stay_out(metric):
    unit = UnitFactory()
    CellFactory(unit=unit, metric=metric, week=WEEKS[0])
    CellFactory(unit=unit, metric=metric, week=date(2024, 2, 5))
    assert read_metric(metric=metric, as_of=AS_OF).panel.weeks == 5


def test_nothing_known_gives_an_empty_panel(metric):
    data = read_metric(metric=metric, as_of=AS_OF)
    assert data.panel.units == 0
    assert data.actions.count == 0


def test_closures_drop_weeks_and_works_become_shifts(metric):
    root = UnitFactory()
    inside, outside = UnitFactory(parent=root), UnitFactory()
    for unit in (inside, outside):
        CellFactory(unit=unit, metric=metric, week=WEEKS[0])
    EventFactory(unit=root, kind=Event.Kind.CLOSURE, starts_on=date(2024, 1, 10), ends_on=date(2024, 1, 16))
    EventFactory(unit=outside, kind=Event.Kind.WORKS, starts_on=date(2024, 1, 22), ends_on=None)
    EventFactory(unit=None, kind=Event.Kind.CAMPAIGN, starts_on=date(2024, 1, 1), ends_on=date(2024, 1, 7))
    panel = read_metric(metric=metric, as_of=AS_OF).panel
    np.testing.assert_array_equal(panel.usable, [[True, False, False, True, True], [True] * 5])
    assert (panel.event_unit.tolist(), panel.event_start.tolist(), panel.event_end.tolist()) == ([1], [3], [5])


def test_actions_become_rows_with_their_solutions(metric):
    unit = UnitFactory()
    CellFactory(unit=unit, metric=metric, week=WEEKS[0])
    challenge = ChallengeFactory(metric=metric)
    slow = SolutionVersionFactory(lag_days=42)
    quick = SolutionVersionFactory(lag_days=7)
    linked = SolutionFactory()
    SolutionLinkFactory(challenge=challenge, solution=linked)
    SolutionLinkFactory(challenge=challenge, solution=slow.solution)
    action = ActionFactory(
        unit=unit,
        challenge=challenge,
        effective_on=date(2024, 1, 17),
        ended_on=date(2024, 1, 31),
        is_randomised=True,
    )
    ActionSolutionFactory(action=action, version=slow, fidelity=80)
    ActionSolutionFactory(action=action, version=quick, fidelity=100)
    ActionFactory(unit=unit, challenge=challenge, state=Action.State.PLANNED, effective_on=None)
    data = read_metric(metric=metric, as_of=AS_OF)
    assert [log.pk for log in data.logs] == [action.pk]
    actions = data.actions
    assert data.solution_ids == tuple(sorted([slow.solution_id, quick.solution_id, linked.pk]))
    used = {pk for pk, is_used in zip(data.solution_ids, actions.solutions[0], strict=True) if is_used}
    assert used == {slow.solution_id, quick.solution_id}
    assert (actions.start[0], actions.end[0], actions.lag[0], actions.fidelity[0]) == (2, 5, 3, 90)
    assert actions.aimed[0]
    assert actions.randomised[0]
    home = dict(zip(data.solution_ids, actions.challenge, strict=True))
    assert home == {slow.solution_id: challenge.pk, linked.pk: challenge.pk, quick.solution_id: -1}


def test_an_action_in_a_unit_without_answers_has_its_row(metric):
    CellFactory(metric=metric)
    action = ActionFactory(challenge=ChallengeFactory(metric=metric))
    data = read_metric(metric=metric, as_of=AS_OF)
    assert [log.pk for log in data.logs] == [action.pk]
    assert not data.panel.n[data.actions.unit[0]].any()


def test_an_action_logged_before_its_challenge_had_a_metric_counts(metric):
    challenge = ChallengeFactory(metric=metric)
    action = ActionFactory(challenge=challenge, target_metric=None)
    assert [log.pk for log in read_metric(metric=metric, as_of=AS_OF).logs] == [action.pk]


def test_side_effects_run_down_the_journey():
    journey = JourneyFactory()
    early, late = (TouchpointFactory(journey=journey, position=position) for position in (1, 2))
    first, beside = MetricFactory(touchpoint=early), MetricFactory(touchpoint=early)
    second = MetricFactory(touchpoint=late)
    overall = MetricFactory(touchpoint=None, journey=journey, is_overall=True)
    elsewhere = MetricFactory()
    reach = {
        (source, metric)
        for source in (first, beside, second, overall, elsewhere)
        for metric in (first, beside, second, overall, elsewhere)
        if feeds(source, metric)
    }
    assert reach == {
        (first, beside),
        (beside, first),
        (first, second),
        (beside, second),
        (first, overall),
        (beside, overall),
        (second, overall),
    }


def test_actions_aimed_upstream_enter_as_side_actions():
    journey = JourneyFactory()
    early, late = (TouchpointFactory(journey=journey, position=position) for position in (1, 2))
    source, metric = MetricFactory(touchpoint=early), MetricFactory(touchpoint=late)
    unit = UnitFactory()
    CellFactory(unit=unit, metric=metric)
    action = ActionFactory(unit=unit, challenge=ChallengeFactory(metric=source))
    ActionFactory(challenge=ChallengeFactory(metric=source))  # in a unit without answers for the metric
    data = read_metric(metric=metric, as_of=AS_OF)
    assert [log.pk for log in data.logs] == [action.pk]
    assert not data.actions.aimed[0]


@pytest.mark.parametrize(("days", "weeks"), [(0, 0), (14, 0), (21, 0), (22, 1), (42, 3)])
def test_a_lag_within_the_ramp_moves_nothing(days, weeks):
    assert lag_weeks(days) == weeks


def test_queries_do_not_grow_with_the_chain(metric, django_assert_max_num_queries):
    challenge = ChallengeFactory(metric=metric)
    for _ in range(3):
        unit = UnitFactory()
        CellFactory(unit=unit, metric=metric)
        ActionSolutionFactory(action=ActionFactory(unit=unit, challenge=challenge))
        EventFactory(unit=unit)
    with django_assert_max_num_queries(6):
        read_metric(metric=metric, as_of=AS_OF)
