"""Does the demonstration chain come in through the ordinary imports, once, and beside nobody else's data?"""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate

from apps.accounts.models import Unit, User
from apps.feedback.models import Cell, Response
from apps.planning.models import Action
from cxplan import demonstration
from cxplan.demo import ChainTruth
from cxplan.demonstration import Compared, DemonstrationRefused
from tests.demo.conftest import END
from tests.factories import UnitFactory


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    settings.HOME = tmp_path
    return tmp_path


def quiet(_label: str, _share: float) -> None:
    return


def generate(end: date = END) -> ChainTruth:
    return demonstration.generate(seed=3, end=end, branches=8, weeks=32, progress=quiet)


@pytest.mark.django_db
def test_every_row_of_every_file_comes_in(home: Path) -> None:
    truth = generate()
    assert not demonstration.is_loaded()
    counts = demonstration.load(progress=quiet)
    demonstration.open_sign_ins(truth=truth)
    assert demonstration.is_loaded()
    assert Response.objects.count() > truth.responses
    assert Action.objects.count() == counts["actions.csv"] == len(truth.actions)
    assert Cell.objects.exists()
    for email in truth.sign_ins.values():
        assert authenticate(username=email, password=demonstration.PASSWORD) is not None
    others = User.objects.exclude(email__in=truth.sign_ins.values())
    assert not any(user.has_usable_password() for user in others)


@pytest.mark.django_db
def test_a_load_that_was_cut_off_goes_on_with_the_same_files(home: Path) -> None:
    first = generate()
    demonstration.load(progress=quiet)
    responses = Response.objects.count()
    assert generate(end=date(2026, 12, 31)) == first
    demonstration.load(progress=quiet)
    assert Response.objects.count() == responses


@pytest.mark.django_db
def test_progress_is_told_to_the_end(home: Path) -> None:
    generate()
    shares: dict[str, float] = {}
    demonstration.load(progress=lambda label, share: shares.__setitem__(label.partition(":")[0], share))
    assert shares == {name: 1.0 for _kind, name in demonstration.FILES}


@pytest.mark.django_db
def test_other_peoples_data_are_left_alone(home: Path) -> None:
    UnitFactory(code="somebody")
    with pytest.raises(DemonstrationRefused):
        demonstration.refuse_other_data()
    with pytest.raises(DemonstrationRefused):
        demonstration.forget_chain()
    assert Unit.objects.filter(code="somebody").exists()


@pytest.mark.django_db
def test_an_empty_database_is_welcome(home: Path) -> None:
    demonstration.refuse_other_data()
    assert demonstration.known_truth() is None


def row(solution: str, **values: object) -> Compared:
    fields = {"rank": 1, "uses": 9, "effect": 0.5, "low": 0.2, "high": 0.8, "truth": 0.4, "naive": 0.1}
    return Compared(solution=solution, verdict="works", **(fields | values))


def test_the_comparison_says_what_a_dashboard_would_have_praised() -> None:
    lines = demonstration.comparison_lines(
        [
            row("good"),
            row("fad", rank=2, effect=0.0, low=-0.1, high=0.1, truth=0.0, naive=0.4),
            row("new", rank=None, effect=None, low=None, high=None, naive=None, uses=0),
        ]
    )
    assert "The truth lies inside 2 of 2 intervals." in lines
    assert "praised fad most (+0.40); it truly changes +0.00." in lines[-1]
    assert lines[3].split()[:3] == ["–", "new", "0"]


def test_nothing_ranked_is_said_in_words() -> None:
    assert demonstration.comparison_lines([])[-1] == "Nothing can be ranked yet."
