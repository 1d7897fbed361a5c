"""A unit closes: what was in place there ends, what was to come is handed over, and history stays."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from apps.accounts.models import Unit, User
from apps.accounts.regrouping import close_unit, merge_units
from apps.library.models import Solution
from apps.notifications.models import Notification
from apps.planning.closures import (
    NoSuccessor,
    end_with_unit,
    ended_with_their_unit,
    hand_over,
    left_behind,
    tell_owner,
)
from apps.planning.models import Action, Plan
from apps.planning.plans import AlreadyPlanned, create_plan
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import EffectFactory, ResponseFactory
from tests.planning.conftest import TODAY
from tests.planning.helpers import SignIn, plan_arguments, text_of

CLOSES = TODAY + timedelta(days=3)
LATER = datetime(2024, 6, 10, 8, tzinfo=UTC)


@pytest.fixture
def merged(chain: Chain, planned: Action, lead: User) -> Unit:
    merge_units(units=[chain.lille], into=chain.reims, on=CLOSES, as_of=TODAY, actor=lead)
    return chain.reims


def test_what_was_in_place_ends_on_the_day_the_unit_closed(chain: Chain, applied: Action, lead: User) -> None:
    effect = EffectFactory(action=applied)
    response = ResponseFactory(unit=chain.lille)
    merge_units(units=[chain.lille], into=chain.reims, on=CLOSES, as_of=TODAY, actor=lead)
    assert ended_with_their_unit(as_of=TODAY) == []
    (found,) = ended_with_their_unit(as_of=CLOSES)
    end_with_unit(action=found, at=LATER)
    applied.refresh_from_db()
    assert (applied.state, applied.ended_on, applied.unit) == (Action.State.STOPPED, CLOSES, chain.lille)
    assert ended_with_their_unit(as_of=LATER.date()) == []
    effect.refresh_from_db()
    response.refresh_from_db()
    assert effect.action == applied
    assert response.unit == chain.lille


def test_the_owner_of_what_was_to_come_is_asked_once(merged: Unit, planned: Action, manager: User) -> None:
    (found,) = left_behind(as_of=CLOSES)
    assert tell_owner(action=found, at=LATER)
    assert left_behind(as_of=CLOSES) == []
    assert Notification.objects.filter(user=manager, kind="planning.action.unit_closed").count() == 1


def test_one_tap_hands_over_to_the_successor(
    signed_in: SignIn, merged: Unit, planned: Action, manager: User
) -> None:
    client = signed_in(manager)
    page = client.get(reverse("planning:action", args=[planned.external_id]))
    assert "Hand over to Reims" in text_of(page)
    client.post(reverse("planning:action-hand-over", args=[planned.external_id]), {"unit": "REIMS"})
    planned.refresh_from_db()
    assert planned.unit == merged


def test_nothing_is_handed_to_a_unit_that_did_not_take_over(chain: Chain, merged: Unit, planned: Action) -> None:
    with pytest.raises(NoSuccessor):
        hand_over(action=planned, to=chain.nice, actor=None)


def test_nothing_is_handed_over_twice(
    chain: Chain, merged: Unit, plan: Plan, planned: Action, challenge: Challenge, training: Solution, lead: User
) -> None:
    create_plan(**plan_arguments(chain, challenge, training, lead) | {"units": [chain.reims]})
    with pytest.raises(AlreadyPlanned):
        hand_over(action=planned, to=merged, actor=lead)


def test_a_closed_unit_without_successor_leaves_the_withdrawal(
    signed_in: SignIn, chain: Chain, planned: Action, lead: User
) -> None:
    close_unit(unit=chain.lille, on=CLOSES, as_of=TODAY, actor=lead)
    page = text_of(signed_in(lead).get(reverse("planning:action", args=[planned.external_id])))
    assert "closes on" in page
    assert "Hand over" not in page
