"""Each kind of change makes exactly the results stale that depend on it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.impact import staleness
from apps.impact.models import Run
from apps.impact.services import measure_stale
from apps.impact.staleness import CUT_OFF, REST, cut_off_metrics, due_metrics, metric_fingerprint, stale_metrics
from apps.impact.stats.data import DEFAULTS
from apps.planning.models import ActionSolution, Event
from tests.factories import (
    ActionFactory,
    ChallengeFactory,
    EventFactory,
    MetricFactory,
    RunFactory,
    SolutionFactory,
    SolutionVersionFactory,
    TouchpointFactory,
    UnitFactory,
)
from tests.impact.small_chain import AS_OF, measured_chain

pytestmark = pytest.mark.django_db


def revise(chain, metric):
    connection.cursor().execute(
        "UPDATE feedback_series SET revision = revision + 1 WHERE metric_id = %s AND unit_id = %s",
        [metric.pk, chain.units[3].pk],
    )


def change(instance, **values):
    type(instance).objects.filter(pk=instance.pk).update(**values)


def recipe(chain):
    return ActionSolution.objects.get(action=chain.actions[0])


# What is changed, and whose results that makes stale: `fees` lies further down the journey than `counter`.
CHANGES = {
    "a past response of the first metric": (lambda c: revise(c, c.metric), {"counter"}),
    "a past response of the second metric": (lambda c: revise(c, c.later), {"fees"}),
    "the date of an action": (
        lambda c: change(c.actions[0], effective_on=c.actions[0].effective_on + timedelta(days=7)),
        {"counter", "fees"},
    ),
    "the end of an action": (lambda c: change(c.actions[0], ended_on=AS_OF), {"counter", "fees"}),
    "the unit of an action": (lambda c: change(c.actions[0], unit=c.units[-1]), {"counter", "fees"}),
    "whether the order was drawn": (lambda c: change(c.actions[0], is_randomised=True), {"counter", "fees"}),
    "the state of an action": (lambda c: change(c.actions[0], state="planned"), {"counter", "fees"}),
    "the target of an action": (lambda c: change(c.actions[0], target_metric=c.later), {"counter", "fees"}),
    "the version an action used": (
        lambda c: change(recipe(c), version=SolutionVersionFactory()),
        {"counter", "fees"},
    ),
    "the fidelity of an action": (lambda c: change(recipe(c), fidelity=10), {"counter", "fees"}),
    "a closure": (
        lambda c: EventFactory(unit=c.units[0], kind=Event.Kind.CLOSURE, starts_on=AS_OF - timedelta(days=50)),
        {"counter", "fees"},
    ),
    "works in a region": (lambda c: EventFactory(unit=c.units[0].placements.get().parent), {"counter", "fees"}),
    "which way is better": (lambda c: change(c.metric, better="lower"), {"counter"}),
    # Its actions can have side effects on the other one from now on; what it reads itself stays the same.
    "a metric moved up the journey": (
        lambda c: change(c.later, touchpoint=TouchpointFactory(journey=c.journey, position=1)),
        {"counter"},
    ),
    "the region of a unit": (lambda c: change(c.units[0], region="East"), {"counter", "fees"}),
    "the kind of a unit": (lambda c: change(c.units[0], kind="station"), {"counter", "fees"}),
    "what a challenge is judged by": (lambda c: change(c.challenge, metric=c.later), {"counter", "fees"}),
}
# What measurement does not read leaves all results alone.
NO_CHANGES = {
    "the name of a metric": lambda c: change(c.metric, name="Another name"),
    "the name of a unit": lambda c: change(c.units[0], name="Another name"),
    "the title and cost of a solution": lambda c: change(c.solutions[0], title="Another title", cost=5),
    "the note on an action": lambda c: change(c.actions[0], note="By the door"),
    "a planned action": lambda c: ActionFactory(
        unit=c.units[0], challenge=c.challenge, state="planned", effective_on=None
    ),
    "an action aimed at a metric of another journey": lambda c: ActionFactory(
        unit=c.units[0], challenge=ChallengeFactory(metric=MetricFactory(touchpoint=TouchpointFactory()))
    ),
    "a new solution nobody uses": lambda c: SolutionFactory(),
    "another metric": lambda c: MetricFactory(),
}


@pytest.fixture
def measured():
    chain = measured_chain()
    assert stale_metrics(AS_OF) == []
    return chain


def stale_codes():
    return {item.code for item in stale_metrics(AS_OF) if item.code in {"counter", "fees"}}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_makes_what_depends_on_it_stale(measured, what):
    make, stale = CHANGES[what]
    make(measured)
    assert stale_codes() == stale


@pytest.mark.parametrize("what", NO_CHANGES)
def test_what_is_not_read_makes_nothing_stale(measured, what):
    NO_CHANGES[what](measured)
    assert stale_codes() == set()


def test_a_unit_without_responses_changes_what_regions_hold(measured):
    UnitFactory()
    assert stale_codes() == {"counter", "fees"}


def test_other_settings_or_another_method_make_everything_stale(measured, monkeypatch):
    before = metric_fingerprint(measured.metric, AS_OF)
    assert metric_fingerprint(measured.metric, AS_OF, replace(DEFAULTS, prior_w=0.31)) != before
    assert metric_fingerprint(measured.metric, AS_OF, replace(DEFAULTS, seed=1)) != before
    monkeypatch.setattr(staleness, "METHOD", "another-1")
    assert stale_codes() == {"counter", "fees"}


def test_a_refresh_measures_only_what_is_stale(measured):
    revise(measured, measured.later)
    assert [run.metric.code for run in measure_stale(as_of=AS_OF)] == ["fees"]
    assert stale_codes() == set()


def test_a_run_without_a_leader_is_found(measured):
    RunFactory(metric=measured.metric, state="running")
    assert cut_off_metrics() == [measured.metric.pk]
    connection.cursor().execute(
        "SELECT pg_advisory_xact_lock(%s, %s::int)", [staleness.LOCK_METRIC, measured.metric.pk]
    )
    assert cut_off_metrics() == []


def test_a_metric_whose_process_ended_three_times_on_the_same_data_rests(measured):
    revise(measured, measured.metric)
    now = timezone.now()

    def cut_off(minutes):
        return RunFactory(
            metric=measured.metric,
            state=Run.State.FAILED,
            error=CUT_OFF,
            fingerprint=metric_fingerprint(measured.metric, AS_OF),
            finished_at=now - timedelta(minutes=minutes),
        )

    def due(later=timedelta()):
        return {item.code for item in due_metrics(as_of=AS_OF, now=now + later)}

    cut_off(9), cut_off(6)
    assert due() == {"counter"}
    cut_off(3)
    assert due() == set()
    # Of the three the first is forgotten before the others, and one more try is given.
    assert due(REST - timedelta(minutes=8)) == {"counter"}
    assert due(REST) == {"counter"}


def test_other_data_end_the_rest_at_once(measured):
    revise(measured, measured.metric)
    for _ in range(3):
        RunFactory(
            metric=measured.metric,
            state=Run.State.FAILED,
            error=CUT_OFF,
            fingerprint=metric_fingerprint(measured.metric, AS_OF),
            finished_at=timezone.now(),
        )
    assert due_metrics(as_of=AS_OF, now=timezone.now()) == []
    revise(measured, measured.metric)
    assert [item.code for item in due_metrics(as_of=AS_OF, now=timezone.now())] == ["counter"]
