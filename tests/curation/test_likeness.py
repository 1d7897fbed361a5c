"""Which entries look alike, that each pair is found once, and that a decision on it lasts."""

from datetime import UTC, datetime

import pytest

from apps.curation.likeness import compare_all, compare_batch
from apps.curation.models import Compared, LookAlike
from apps.library.models import Solution
from tests.factories import SolutionFactory
from tests.ideas_factories import IdeaFactory

NOW = datetime(2030, 6, 3, 9, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def pairs():
    return list(LookAlike.objects.order_by("kind", "pk").values_list("kind", "state"))


def test_alike_solutions_are_found_once_whatever_accents_and_language():
    SolutionFactory(title="Greeter at the door", title_fr="Un accueil à l’entrée")
    SolutionFactory(title="Greeter at the doors", title_fr="Un accueil a l’entree")
    SolutionFactory(title="Training on complaints", title_fr="Formation aux réclamations")
    assert compare_all(at=NOW) == 3
    assert pairs() == [("solutions", "open")]
    assert compare_all(at=NOW) == 0
    assert pairs() == [("solutions", "open")]


def test_ideas_are_compared_with_each_other_and_with_solutions():
    SolutionFactory(title="Greeter at the door")
    IdeaFactory(title="A greeter at the door", text="Somebody at the door.")
    IdeaFactory(title="A greeter at the door!", text="Somebody at the door, please.")
    IdeaFactory(title="Free coffee while waiting")
    compare_all(at=NOW)
    assert [kind for kind, _state in pairs()] == ["ideas", "mixed", "mixed"]


def test_an_idea_is_not_held_against_the_solution_it_became():
    solution = SolutionFactory(title="Greeter at the door")
    IdeaFactory(title="Greeter at the door", state="pilot", solution=solution)
    compare_all(at=NOW)
    assert pairs() == []


def test_what_was_dismissed_stays_so_and_what_is_reworded_is_compared_again():
    first = SolutionFactory(title="Greeter at the door", title_fr="")
    second = SolutionFactory(title="Greeter at the door!", title_fr="")
    compare_all(at=NOW)
    LookAlike.objects.update(state="dismissed", decided_at=NOW)
    Solution.objects.filter(pk=first.pk).update(title="Greeter at the doors")
    assert compare_all(at=NOW) == 1
    assert pairs() == [("solutions", "dismissed")]
    LookAlike.objects.update(state="open", decided_at=None)
    Solution.objects.filter(pk=second.pk).update(title="Something else altogether")
    compare_all(at=NOW)
    assert pairs() == []


def test_batches_find_what_one_pass_finds():
    for number in range(4):
        SolutionFactory(title=f"Greeter at the door {number}", title_fr="")
    while compare_batch(at=NOW, most=1):
        pass
    assert LookAlike.objects.count() == 6
    assert Compared.objects.count() == 4
