"""Many past actions from a pasted table: good rows land, bad ones come back, other people's units are refused."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.html import escape

from apps.planning.models import Action
from tests.factories import (
    ActionFactory,
    ChallengeFactory,
    SolutionFactory,
    SolutionLinkFactory,
    SolutionVersionFactory,
)

ADDRESS = "/plans/log/many/"
HEADER = "unit\tchallenge\tsolutions\teffective_on\tnote"
GOOD = "LILLE\twaiting\ttraining\t2024-03-04\tAll of them"


@pytest.fixture
def world(chain):
    challenge = ChallengeFactory(code="waiting")
    solution = SolutionFactory(code="training")
    SolutionVersionFactory(solution=solution)
    SolutionLinkFactory(challenge=challenge, solution=solution)
    return chain


def paste(client, *rows, then="store", header=HEADER):
    return client.post(ADDRESS, {"table": "\n".join([header, *rows]), "then": then})


def test_a_preview_tells_and_stores_nothing(client, manager, world):
    client.force_login(manager)
    page = paste(client, GOOD, "LILLE\twaiting\ttraining\tyesterday\t", then="preview")
    assert page.context["noted"].accepted == 1
    assert [row.line for row in page.context["noted"].refused] == [3]
    assert not Action.objects.exists()


def test_good_rows_land_and_bad_ones_come_back(client, manager, world):
    client.force_login(manager)
    bad = "LILLE\twaiting\tunknown\t2024-03-04\t"
    page = paste(client, GOOD, bad)
    action = Action.objects.get()
    assert (action.unit.code, action.state, action.note) == ("LILLE", "applied", "All of them")
    assert "LILLE,waiting,unknown,2024-03-04," in page.content.decode()
    assert page.context["noted"].refused[0].message


def test_units_of_others_are_refused_in_words(client, manager, world):
    client.force_login(manager)
    page = paste(client, GOOD, "NICE\twaiting\ttraining\t2024-03-04\t")
    assert escape("You do not manage “NICE”. Leave the row to whoever does.") in page.content.decode()
    assert Action.objects.get().unit.code == "LILLE"


def test_an_action_of_others_is_not_taken_over(client, manager, world):
    theirs = ActionFactory(external_id="X-1", unit=world.nice)
    client.force_login(manager)
    paste(client, f"X-1\t{GOOD}", header=f"external_id\t{HEADER}")
    theirs.refresh_from_db()
    assert theirs.unit == world.nice
    assert Action.objects.count() == 1


def test_the_same_table_twice_notes_nothing_twice(client, manager, world):
    client.force_login(manager)
    paste(client, GOOD)
    again = paste(client, GOOD)
    assert (again.context["noted"].accepted, again.context["noted"].unchanged) == (0, 1)
    assert Action.objects.count() == 1


def test_a_file_does_as_well(client, manager, world):
    client.force_login(manager)
    content = b"unit;challenge;solutions;effective_on\nLILLE;waiting;training;2024-03-04\n"
    client.post(ADDRESS, {"file": SimpleUploadedFile("done.csv", content), "then": "store"})
    assert Action.objects.count() == 1


@pytest.mark.parametrize("table", ["", "unit\tchallenge", "unit,challenge\nLILLE,waiting"])
def test_what_is_no_table_comes_back(client, manager, world, table):
    client.force_login(manager)
    assert client.post(ADDRESS, {"table": table, "then": "store"}).status_code == 422
    assert not Action.objects.exists()
