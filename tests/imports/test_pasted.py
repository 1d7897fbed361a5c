"""Many past actions from a pasted table: good rows land, bad ones come back, other people's units are refused."""

from datetime import date
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.html import escape

from apps.accounts.models import User
from apps.imports import pasted_words
from apps.library.models import Solution
from apps.planning.models import Action
from apps.taxonomy.models import Challenge
from tests.factories import (
    ActionFactory,
    ChallengeFactory,
    SolutionFactory,
    SolutionLinkFactory,
    SolutionVersionFactory,
    UnitFactory,
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


@pytest.mark.parametrize(
    ("written", "day_first", "read"),
    [
        ("2024-03-04", False, "2024-03-04"),
        ("4.3.2024", False, "2024-03-04"),
        ("14/03/2024", False, "2024-03-14"),
        ("03/14/2024", False, "2024-03-14"),
        ("04/03/2024", True, "2024-03-04"),
        ("04/03/2024", False, "04/03/2024"),
        ("1er août 2024", True, "2024-08-01"),
        ("4 Mars 2024", False, "2024-03-04"),
        ("March 4, 2024", False, "2024-03-04"),
        ("31/02/2024", True, "31/02/2024"),
        ("04/03/24", True, "04/03/24"),
        ("last spring", False, "last spring"),
    ],
)
def test_days_are_read_as_people_write_them(written, day_first, read):
    assert pasted_words.day_of(written, is_day_first=day_first) == read


def test_a_messy_table_in_french_is_understood(client, manager, world):
    User.objects.filter(pk=manager.pk).update(language="fr")
    Challenge.objects.update(name_fr="Attente trop longue")
    Solution.objects.update(title="Queue training", title_fr="Formation à la file")
    client.force_login(manager)
    page = paste(
        client,
        "Lille\tattente trop longue\tformation à la file\t4/3/2024\tbien",
        "lille\twaiting\ttraining\t12 mai 2024\t",
        "lille\twaiting\ttraining\t\tsans date",
        "Nulle part\twaiting\ttraining\t4/3/2024\t",
        header="Unité\tDéfi\tSolution\tDepuis\tCommentaire",
    )
    days = Action.objects.order_by("effective_on").values_list("effective_on", flat=True)
    assert list(days) == [date(2024, 3, 4), date(2024, 5, 12)]
    noted = page.context["noted"]
    assert [row.line for row in noted.refused] == [4, 5]
    assert "Nulle part,waiting,training,4/3/2024," in page.content.decode()
    assert unquote(noted.refused_file).count("4/3/2024") == 1
    assert 'download="refused.csv"' in page.content.decode()


def test_the_same_row_in_other_words_is_noted_once(client, manager, world):
    client.force_login(manager)
    paste(client, GOOD, "Lille\twaiting\ttraining\t4 March 2024\tAll of them")
    assert Action.objects.count() == 1


def test_a_name_that_two_units_share_stands_for_neither(client, lead, world):
    UnitFactory(code="LILLE2", name="Lille", parent=world.north)
    client.force_login(lead)
    page = paste(client, "lille\twaiting\ttraining\t2024-03-04\t", "Lille \twaiting\ttraining\t2024-03-05\t")
    assert page.status_code == 200
    assert set(Action.objects.values_list("unit__code", flat=True)) == {"LILLE"}


def test_a_refusal_names_the_heading_as_written_and_the_column_it_was_read_as(client, manager, world):
    client.force_login(manager)
    page = paste(
        client,
        "Lille\twaiting\ttraining\tsome day\t",
        "Lille\twaiting\ttraining\t\t",
        "Lille\twaiting\tmagic\t2024-03-04\t",
        header="Unité\tDéfi\tSolutions\tDepuis\tVille",
    )
    told = [row.told for row in page.context["noted"].refused]
    assert told[0].startswith("Depuis (effective_on): “some day” is no day that can be told for sure.")
    assert told[1] == "Depuis (effective_on): “Depuis” is empty. Fill it in."
    assert told[2] == "solutions: No solution is called “magic”. Look its name up under Library."
    assert "Left out, because its heading is not known: Ville" in page.content.decode()
    assert "Depuis (effective_on)" in unquote(page.context["noted"].refused_file)


def test_a_missing_column_is_told_with_the_headings_there_are(client, manager, world):
    client.force_login(manager)
    page = paste(client, "Lille\twaiting\ttraining\t4.3.2024", header="Unité\tDéfi\tSolution\tQuand")
    assert page.status_code == 422
    said = "No column is “effective_on”. Your table has: Unité, Défi, Solution, Quand. Rename the heading"
    assert escape(said) in page.content.decode()
