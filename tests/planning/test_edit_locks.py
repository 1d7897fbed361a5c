"""Two people with the same page open: the second is told, and nothing of either is lost."""

from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.planning.models import Action, Event
from tests.conftest import Chain
from tests.factories import EventFactory
from tests.planning.helpers import SignIn, text_of

TOLD = "Somebody changed this"


def hidden_seen_at(page: Any, address: str) -> str:
    """What the lone button's form at `address` carries along."""
    html = page.content.decode()
    form = html[html.index(f'action="{address}"') :]
    return form.split('name="seen_at" value="', 1)[1].split('"', 1)[0].replace("&#x2B;", "+")


def test_an_event_that_somebody_else_changed_comes_back_with_both_kept(
    signed_in: SignIn, chain: Chain, manager: User
) -> None:
    event = EventFactory(unit=chain.lille, name="Works", kind="works", starts_on=date(2024, 5, 6))
    client, address = signed_in(manager), f"/events/{event.pk}/"
    form = client.get(address).context["form"]
    mine = {"seen_at": form["seen_at"].value(), "kind": "works", "unit": "LILLE", "starts_on": "2024-05-06"}
    assert client.post(address, {**mine, "name": "Works in the hall"}).status_code == 302
    late = client.post(address, {**mine, "name": "Works outside"})
    assert late.status_code == 422
    assert TOLD in text_of(late)
    assert 'value="Works outside"' in late.content.decode()
    event.refresh_from_db()
    assert event.name == "Works in the hall"
    again = {**mine, "name": "Works outside", "seen_at": late.context["form"]["seen_at"].value()}
    assert client.post(address, again).status_code == 302
    event.refresh_from_db()
    assert event.name == "Works outside"


def test_an_event_that_somebody_changed_is_not_removed_unseen(
    signed_in: SignIn, chain: Chain, manager: User
) -> None:
    event = EventFactory(unit=chain.lille)
    client = signed_in(manager)
    seen_at = hidden_seen_at(client.get(f"/events/{event.pk}/"), f"/events/{event.pk}/remove/")
    event.save(update_fields=["updated_at"])
    answer = client.post(f"/events/{event.pk}/remove/", {"seen_at": seen_at}, follow=True)
    assert TOLD in text_of(answer)
    assert Event.objects.filter(pk=event.pk).exists()


@pytest.mark.parametrize("step", ["sustain", "undo"])
def test_a_lone_button_is_refused_on_top_of_anothers_change(
    signed_in: SignIn, applied: Action, manager: User, step: str
) -> None:
    applied.effective_on = timezone.localdate()
    applied.save(update_fields=["effective_on", "updated_at"])
    client, page = signed_in(manager), f"/actions/{applied.external_id}/"
    seen_at = hidden_seen_at(client.get(page), f"{page}{step}/")
    applied.note = "Two more people"
    applied.save(update_fields=["note", "updated_at"])
    answer = client.post(f"{page}{step}/", {"seen_at": seen_at}, follow=True)
    assert TOLD in text_of(answer)
    applied.refresh_from_db()
    assert (applied.state, applied.note) == ("applied", "Two more people")
    seen_at = hidden_seen_at(answer, f"{page}{step}/")
    client.post(f"{page}{step}/", {"seen_at": seen_at})
    applied.refresh_from_db()
    assert applied.state == {"sustain": "sustained", "undo": "planned"}[step]


def test_a_plan_that_somebody_changed_is_not_withdrawn_unseen(
    signed_in: SignIn, planned: Action, manager: User
) -> None:
    client, address = signed_in(manager), f"/actions/{planned.external_id}/withdraw/"
    seen_at = client.get(address).context["form"]["seen_at"].value()
    planned.planned_on = date(2024, 7, 1)
    planned.save(update_fields=["planned_on", "updated_at"])
    late = client.post(address, {"seen_at": seen_at, "reason": "Nobody has time"})
    assert late.status_code == 422
    assert TOLD in text_of(late)
    assert "Nobody has time" in late.content.decode()
    seen_at = late.context["form"]["seen_at"].value()
    assert client.post(address, {"seen_at": seen_at, "reason": "Nobody has time"}).status_code == 302
    assert not Action.objects.filter(pk=planned.pk).exists()
