"""A problem is found among thousands: a few are shown, a search narrows, and what was chosen stays."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.planning.selectors import CHALLENGES_SHOWN, challenges_to_choose
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import ChallengeFactory
from tests.planning.helpers import SignIn, text_of

PAGES = ["/plans/guide/", "/plans/new/", "/plans/log/"]


@pytest.fixture
def many(challenge: Challenge) -> list[Challenge]:
    found = ChallengeFactory.create_batch(CHALLENGES_SHOWN + 5)
    for number, one in enumerate(found):
        Challenge.objects.filter(pk=one.pk).update(name=f"Small thing {number}", path=f"{number:05}.")
    Challenge.objects.filter(pk=challenge.pk).update(path="99999.")
    return found


@pytest.mark.parametrize("address", PAGES)
def test_a_long_list_is_cut_and_searched(
    signed_in: SignIn, chain: Chain, manager: User, challenge: Challenge, many: list[Challenge], address: str
) -> None:
    client = signed_in(manager)
    page = client.get(address)
    assert len(page.context["challenges"].rows) == CHALLENGES_SHOWN
    assert "There are more." in text_of(page)
    assert challenge.name not in text_of(page)
    found = text_of(client.get(address, {"challenge_q": challenge.name[:6]}))
    assert challenge.name in found
    assert "Small thing" not in found
    assert "No challenge has this in its name." in text_of(client.get(address, {"challenge_q": "xylophone"}))


def test_a_short_list_is_shown_whole_and_without_a_search(
    signed_in: SignIn, chain: Chain, manager: User, challenge: Challenge
) -> None:
    page = signed_in(manager).get("/plans/guide/").content.decode()
    assert challenge.name in page
    assert "challenge-q" not in page


def test_the_chosen_one_stays_whatever_is_searched(
    signed_in: SignIn, chain: Chain, manager: User, challenge: Challenge, many: list[Challenge]
) -> None:
    client = signed_in(manager)
    page = client.get("/plans/guide/", {"challenge": challenge.code, "challenge_q": "thing 1"}).content.decode()
    assert f'value="{challenge.code}" checked' in page
    late = client.post("/plans/guide/", {"challenge": challenge.code}).content.decode()
    assert f'value="{challenge.code}" checked' in late


def test_a_longer_list_costs_no_more_queries(challenge: Challenge) -> None:
    with CaptureQueriesContext(connection) as few:
        challenges_to_choose()
    ChallengeFactory.create_batch(9)
    with CaptureQueriesContext(connection) as more:
        challenges_to_choose()
    assert len(few) == len(more) == 2
