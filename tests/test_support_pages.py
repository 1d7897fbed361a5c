"""The support pages list, search and show every kind of row, and change none."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.test_factories import FACTORIES, OWN_MODELS

pytestmark = pytest.mark.django_db
REGISTERED = [model for model in admin.site._registry if model.__module__.startswith("apps.")]
# Rows that a support page shows within the page of what they belong to.
WITHIN_OTHERS = {
    "ActionSolution", "CheckIn", "Comment", "DrawnUnit", "Escalation", "LearningUse", "Membership", "Pilot",
    "PlaybookSolution", "ReadyScore", "ReadyTick", "ResponseChallenge", "ResponseLabel", "Score", "SolutionFile",
    "SolutionLink", "SolutionVersion", "Task", "TouchpointPlace", "Watch", "WebLink",
}  # fmt: skip


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_model_is_there():
    missing = {model.__name__ for model in OWN_MODELS} - {model.__name__ for model in REGISTERED}
    assert missing == WITHIN_OTHERS


@pytest.mark.parametrize("model", [m for m in REGISTERED if m in FACTORIES], ids=lambda model: model.__name__)
def test_rows_are_listed_found_and_shown_but_not_changed(model, client, admin_user):
    client.force_login(admin_user)
    row = FACTORIES[model]()
    assert client.get(address(model, "changelist")).status_code == 200
    assert client.get(address(model, "changelist"), {"q": "x"}).status_code == 200
    shown = client.get(address(model, "change", row.pk))
    assert shown.status_code == 200
    assert b'type="submit" value="Save"' not in shown.content
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", [m for m in REGISTERED if m in FACTORIES], ids=lambda model: model.__name__)
def test_a_list_costs_the_same_queries_for_many_rows(model, client, admin_user):
    client.force_login(admin_user)
    counts = []
    for _ in range(2):
        for _ in range(3):
            FACTORIES[model]()
        with CaptureQueriesContext(connection) as queries:
            client.get(address(model, "changelist"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_others_are_sent_to_sign_in(client, lead):
    client.force_login(lead)
    assert client.get("/support/").status_code == 302
