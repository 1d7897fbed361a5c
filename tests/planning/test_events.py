"""Known disturbances: who may note them, and where."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import AuditEvent, User
from apps.planning.events import EventEndsTooEarly, EventExists, change_event, create_event
from apps.planning.models import Event
from tests.conftest import Chain
from tests.factories import EventFactory


def entries(**fields: Any) -> dict[str, Any]:
    return {"name": "Works", "kind": "works", "unit": "LILLE", "starts_on": "2024-05-06", "ends_on": ""} | fields


def test_a_manager_notes_changes_and_removes_an_event_of_their_unit(
    client: Client, chain: Chain, manager: User
) -> None:
    client.force_login(manager)
    assert client.post("/events/new/", entries()).status_code == 302
    event = Event.objects.get()
    assert (event.unit, event.kind, event.ends_on) == (chain.lille, "works", None)

    client.post(f"/events/{event.pk}/", entries(ends_on="2024-05-31"))
    event.refresh_from_db()
    assert event.ends_on == date(2024, 5, 31)
    client.post(f"/events/{event.pk}/remove/")
    assert not Event.objects.exists()
    assert list(AuditEvent.objects.about(event).order_by("pk").values_list("event", flat=True)) == [
        "planning.event.created", "planning.event.changed", "planning.event.removed",
    ]  # fmt: skip


@pytest.mark.parametrize("unit", ["NICE", "NORTH", ""])
def test_a_manager_notes_nothing_beyond_their_units(client: Client, manager: User, unit: str) -> None:
    client.force_login(manager)
    assert client.post("/events/new/", entries(unit=unit)).status_code == 422
    assert not Event.objects.exists()


def test_a_lead_of_the_whole_organisation_may_note_one_for_all(client: Client, lead: User) -> None:
    client.force_login(lead)
    client.post("/events/new/", entries(unit=""))
    assert Event.objects.get().unit is None


def test_everyone_sees_events_of_their_units_and_of_all(
    client: Client, chain: Chain, staff: User, manager: User
) -> None:
    EventFactory(unit=chain.lille, name="Here")
    everywhere = EventFactory(unit=None, name="Everywhere at once")
    elsewhere = EventFactory(unit=chain.nice, name="Elsewhere")
    client.force_login(staff)
    page = client.get("/events/").content.decode()
    assert "Here" in page
    assert "Everywhere at once" in page
    assert "Elsewhere" not in page
    assert "/events/new/" not in page

    client.force_login(manager)
    for event in (everywhere, elsewhere):
        assert client.get(f"/events/{event.pk}/").status_code == 404
        assert client.post(f"/events/{event.pk}/remove/").status_code == 404


def test_an_event_ends_after_it_starts_and_is_noted_once(client: Client, chain: Chain, manager: User) -> None:
    client.force_login(manager)
    response = client.post("/events/new/", entries(ends_on="2024-05-01"))
    assert response.status_code == 422
    assert "An event ends after it starts." in response.content.decode()
    first = create_event(
        unit=chain.lille, kind="works", name="Works", starts_on=date(2024, 5, 6), ends_on=None, actor=None
    )
    assert "noted already" in client.post("/events/new/", entries()).content.decode()
    with pytest.raises(EventExists):
        create_event(
            unit=chain.lille, kind="other", name="Works ", starts_on=date(2024, 5, 6), ends_on=None, actor=None
        )
    with pytest.raises(EventEndsTooEarly):
        change_event(
            event=first, unit=None, kind="works", name="Works", starts_on=date(2024, 5, 6),
            ends_on=date(2024, 5, 5), actor=None,
        )  # fmt: skip
