"""What tries out an idea is linked to it, whichever way it is begun, and shown on both sides."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Role, User
from apps.accounts.regrouping import merge_units
from apps.ideas.models import Idea
from apps.library.models import Solution
from apps.planning.models import Action
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import ActionFactory, MembershipFactory, UnitFactory
from tests.ideas_factories import IdeaFactory
from tests.planning.helpers import SignIn, text_of

SOON = (timezone.localdate() + timedelta(days=14)).isoformat()


@pytest.fixture
def idea(chain: Chain, challenge: Challenge, training: Solution) -> Idea:
    found: Idea = IdeaFactory(
        title="A card for those who wait", challenge=challenge, solution=training, state="pilot", unit=chain.lille
    )
    return found


def entries(owner: User, *solutions: str) -> dict[str, object]:
    return {
        "challenge": "waiting",
        "units": ["LILLE"],
        "solutions": solutions,
        "planned_on": SOON,
        "owner": owner.pk,
    }


def test_a_pilot_planned_from_the_idea_is_shown_on_both(signed_in: SignIn, idea: Idea, manager: User) -> None:
    client = signed_in(manager)
    address = f"/plans/new/?challenge=waiting&solution=training&idea={idea.pk}"
    assert idea.title in text_of(client.get(address))
    assert client.post(address, entries(manager, "training")).status_code == 302
    action = Action.objects.get()
    assert action.idea == idea
    assert idea.title in text_of(client.get(f"/actions/{action.external_id}/"))
    assert f"/ideas/{idea.pk}/actions/" in client.get(f"/ideas/{idea.pk}/").content.decode()
    shown = text_of(client.get(f"/ideas/{idea.pk}/actions/"))
    assert (
        f"Where it is tried out What it changes there is what decides about it. Lille Planned · {action}" in shown
    )


def test_what_plans_something_else_does_not_try_the_idea(
    signed_in: SignIn, idea: Idea, kiosk: Solution, manager: User
) -> None:
    address = f"/plans/new/?challenge=waiting&solution=training&idea={idea.pk}"
    assert signed_in(manager).post(address, entries(manager, "kiosk")).status_code == 302
    assert Action.objects.get().idea is None


def test_the_steps_of_a_guided_plan_keep_the_idea_while_it_is_what_is_planned(
    signed_in: SignIn, idea: Idea, kiosk: Solution, manager: User
) -> None:
    client = signed_in(manager)
    address = f"/plans/guide/?challenge=waiting&solution=training&idea={idea.pk}"
    page = client.post(address, {"challenge": "waiting", "units": ["LILLE"]}, follow=True)
    assert idea.title in text_of(page)
    seen_at = page.context["form"]["seen_at"].value()
    page = client.post(
        page.request["PATH_INFO"], {"seen_at": seen_at, "solutions": ["training", "kiosk"]}, follow=True
    )
    assert Action.objects.get().idea == idea
    assert idea.title in text_of(page)
    choose = page.request["PATH_INFO"].replace("concrete", "choose")
    seen_at = client.get(choose).context["form"]["seen_at"].value()
    page = client.post(choose, {"seen_at": seen_at, "solutions": ["kiosk"]}, follow=True)
    assert Action.objects.get().idea is None
    assert idea.title not in text_of(page)


def test_what_was_done_already_is_linked_when_it_is_noted(signed_in: SignIn, idea: Idea, manager: User) -> None:
    client = signed_in(manager)
    day = (timezone.localdate() - timedelta(days=20)).isoformat()
    logged = {"challenge": "waiting", "units": ["LILLE"], "solutions": ["training"], "effective_on": day}
    answer = client.post(f"/plans/log/?challenge=waiting&idea={idea.pk}", logged)
    assert answer.status_code == 302
    assert Action.objects.get().idea == idea


def test_an_idea_nobody_may_read_is_linked_to_nothing(signed_in: SignIn, idea: Idea, manager: User) -> None:
    Idea.objects.update(let_in_at=None)
    client = signed_in(manager)
    assert client.get(f"/ideas/{idea.pk}/actions/").status_code == 404
    address = f"/plans/new/?challenge=waiting&solution=training&idea={idea.pk}"
    client.post(address, entries(manager, "training"))
    assert not Action.objects.filter(idea__isnull=False).exists()


def test_trials_of_other_scopes_are_counted_and_not_named(
    signed_in: SignIn, chain: Chain, idea: Idea, manager: User
) -> None:
    ActionFactory(unit=chain.lille, idea=idea)
    ActionFactory(unit=chain.nice, idea=idea)
    joined = IdeaFactory(merged_into=idea, state="merged")
    ActionFactory(unit=chain.reims, idea=joined)
    text = text_of(signed_in(manager).get(f"/ideas/{idea.pk}/actions/"))
    assert "Lille" in text
    assert "Nice" not in text
    assert "And in 2 other units." in text


def test_the_list_of_trials_takes_as_many_queries_for_many(
    signed_in: SignIn, chain: Chain, idea: Idea, lead: User
) -> None:
    client, counts = signed_in(lead), []
    for _turn in range(2):
        for _number in range(6):
            ActionFactory(unit=UnitFactory(parent=chain.north), idea=idea)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/ideas/{idea.pk}/actions/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_link_outlives_a_merged_unit(chain: Chain, idea: Idea, signed_in: SignIn, lead: User) -> None:
    ActionFactory(unit=chain.lille, idea=idea)
    today = timezone.localdate()
    merge_units(units=[chain.lille], into=chain.reims, on=today, as_of=today, actor=lead)
    assert "Lille" in text_of(signed_in(lead).get(f"/ideas/{idea.pk}/actions/"))
    staff = MembershipFactory(unit=chain.reims, role=Role.STAFF).user
    assert "And in 1 other unit." in text_of(signed_in(staff).get(f"/ideas/{idea.pk}/actions/"))
