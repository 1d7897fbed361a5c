"""Units over the API: moved, merged, split, closed, reopened and renamed by leads."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import AuditEvent, Unit

pytestmark = pytest.mark.django_db
UNITS = "/api/v1/units/"
TODAY = str(timezone.localdate())
LATER = str(timezone.localdate() + timedelta(days=30))


def test_a_lead_renames_moves_closes_and_reopens(api, chain, lead):
    client = api(lead)
    renamed = client.post(f"{UNITS}lille/rename/", {"name": "Lille Centre"}, format="json")
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Lille Centre")
    moved = client.post(f"{UNITS}LILLE/move/", {"parent": "south", "on": TODAY}, format="json")
    assert (moved.status_code, moved.json().get("parent")) == (200, "SOUTH"), moved.json()
    closed = client.post(f"{UNITS}LILLE/close/", {"on": LATER}, format="json")
    assert closed.json()["closed_on"] == LATER
    opened = client.post(f"{UNITS}LILLE/reopen/")
    assert (opened.status_code, opened.json()["closed_on"]) == (200, None)
    assert AuditEvent.objects.filter(event="accounts.unit.reopened", actor=lead).count() == 1


def test_a_lead_merges_and_splits_once(api, chain, lead):
    client = api(lead)
    merged = client.post(f"{UNITS}LILLE/merge/", {"into": "REIMS", "on": TODAY}, format="json")
    assert (merged.json()["closed_on"], merged.json()["successor"]) == (TODAY, "REIMS")
    body = {"parts": [{"code": "NICE-1", "name": "Nice East"}, {"code": "NICE-2"}], "on": TODAY}
    for _ in range(2):
        split = client.post(f"{UNITS}NICE/split/", body, format="json", headers={"Idempotency-Key": "s"})
        assert (split.status_code, split.json()["closed_on"]) == (200, TODAY)
    assert Unit.objects.filter(split_from=chain.nice).count() == 2


def test_what_cannot_be_is_said(api, chain, lead):
    client = api(lead)
    refused = client.post(f"{UNITS}NORTH/move/", {"parent": "LILLE", "on": TODAY}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "unit_change_not_possible")
    assert refused.json()["errors"][0]["pointer"] == "#/parent"
    refused = client.post(f"{UNITS}LILLE/move/", {"parent": "NOWHERE", "on": TODAY}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_code")


def test_only_leads_change_the_tree(api, chain, manager):
    assert api(manager).post(f"{UNITS}LILLE/close/", {"on": TODAY}, format="json").status_code == 403
    chain.lille.refresh_from_db()
    assert chain.lille.closed_on is None
