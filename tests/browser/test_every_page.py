"""Does every page hold together where words are longest and the screen smallest: French, a phone, in the dark?"""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from tests.browser.conftest import Visitor
from tests.test_permissions import PAGES, world  # noqa: F401 -- a fixture

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("pages"),
]
LEAD = 4


def addresses(reader: User, things: SimpleNamespace) -> list[str]:
    """What answers a lead with a whole page: no redirect, no download, no part of a page."""
    client = Client()
    client.force_login(reader)
    found = []
    for route in PAGES:
        if route.method != "GET" or route.statuses[LEAD] != 200 or route.name == "api-docs":
            continue
        address = reverse(route.name, args=[getattr(things, name) for name in route.args]) + route.query
        response = client.get(address)
        if response["Content-Type"].startswith("text/html") and b"<html" in response.content:
            found.append(address)
    return found


def test_every_page_fits_a_phone_in_french(
    visit: Callable[..., Visitor],
    world: SimpleNamespace,  # noqa: F811
    lead: User,
) -> None:
    visitor = visit(width=360, scheme="dark")
    visitor.sign_in(lead.email)
    lead.language = "fr"
    lead.save()
    pages = addresses(lead, world)
    assert len(pages) > 60, "the table of routes has lost its pages"
    page = visitor.page
    too_wide = []
    for address in pages:
        page.goto(address)
        page.wait_for_function("() => !document.querySelector('.htmx-request')")
        language, width = page.evaluate("[document.documentElement.lang, document.documentElement.scrollWidth]")
        assert language == "fr", address
        if width > visitor.width:
            too_wide.append(f"{address}: {width} px")
    assert too_wide == []
