"""A journey that changes keeps its old stages for what is older."""

from datetime import date

import pytest
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.taxonomy.journeys import StageEntry, StageImpossible, VersionMisplaced, change_journey, journey_on
from apps.taxonomy.models import JourneyVersion, Touchpoint, TouchpointPlace
from apps.taxonomy.services import undo_change
from tests.factories import ChallengeFactory, JourneyFactory, MetricFactory, TouchpointFactory

pytestmark = pytest.mark.django_db
TODAY = date(2024, 6, 3)


@pytest.fixture
def rental(db):
    """Two stages with a metric each and a challenge on the second."""
    journey = JourneyFactory(code="rental")
    arrival = TouchpointFactory(code="arrival", name="Arrival", journey=journey, position=1)
    counter = TouchpointFactory(code="counter", name="Counter", journey=journey, position=2)
    MetricFactory(code="ease", touchpoint=arrival)
    ChallengeFactory(code="queue", metric=MetricFactory(code="wait", touchpoint=counter))
    return journey


def change(journey, *entries, starts_on=TODAY):
    return change_journey(journey=journey, entries=entries, starts_on=starts_on, as_of=TODAY, actor=None)


ARRIVAL = StageEntry(code="arrival", name="Arrival", position=1)
COUNTER = StageEntry(code="counter", name="Counter", position=2)
DESK = StageEntry(code="desk", name="Desk", position=1)


def test_old_data_keep_their_old_stages(rental, django_assert_num_queries):
    gone = StageEntry(code="counter", name="Counter", position=2, is_retired=True, moves_to="desk")
    assert change(rental, ARRIVAL, gone, DESK)
    with django_assert_num_queries(4):
        before = journey_on(rental, date(2024, 6, 2))
    now = journey_on(rental, TODAY)
    assert [(stage.code, stage.metrics, stage.challenges) for stage in before.stages] == [
        ("arrival", ("ease",), ()),
        ("counter", ("wait",), ("queue",)),
    ]
    assert [(stage.code, stage.metrics, stage.challenges) for stage in now.stages] == [
        ("arrival", ("ease",), ()),
        ("desk", ("wait",), ("queue",)),
    ]
    assert (before.number, now.number) == (1, 2)


def test_an_unchanged_journey_gets_no_version(rental):
    assert not change(rental, ARRIVAL, COUNTER)
    assert JourneyVersion.objects.count() == 0


def test_a_second_change_of_a_day_corrects_the_first(rental):
    change(rental, ARRIVAL, StageEntry(code="counter", name="Desk", position=2))
    change(rental, ARRIVAL, StageEntry(code="counter", name="The desk", position=2))
    assert JourneyVersion.objects.count() == 2
    assert [stage.name for stage in journey_on(rental, date(2024, 1, 1)).stages] == ["Arrival", "Counter"]


def test_a_change_in_the_future_or_before_the_last_one_is_refused(rental):
    change(rental, ARRIVAL, StageEntry(code="counter", name="Desk", position=2))
    with pytest.raises(VersionMisplaced):
        change(rental, ARRIVAL, COUNTER, starts_on=date(2024, 6, 4))
    with pytest.raises(VersionMisplaced):
        change(rental, ARRIVAL, COUNTER, starts_on=date(2024, 6, 2))


def test_a_journey_without_stages_is_refused(rental):
    with pytest.raises(StageImpossible):
        change(
            rental,
            StageEntry(code="arrival", name="Arrival", position=1, is_retired=True),
            StageEntry(code="counter", name="Counter", position=2, is_retired=True),
        )


def test_a_change_is_undone_without_a_trace(rental):
    gone = StageEntry(code="counter", name="Counter", position=2, is_retired=True, moves_to="desk")
    change(rental, ARRIVAL, gone, DESK)
    event = AuditEvent.objects.get(event="taxonomy.journey.changed")
    undo_change(change=event, at=timezone.now(), actor=None)
    assert (JourneyVersion.objects.count(), TouchpointPlace.objects.count()) == (0, 0)
    assert set(Touchpoint.objects.values_list("code", "retired_on")) == {("arrival", None), ("counter", None)}
    assert [stage.challenges for stage in journey_on(rental, TODAY).stages] == [(), ("queue",)]
