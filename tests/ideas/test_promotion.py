"""From an idea to a solution, with its author credited and told of the first result."""

import pytest

from apps.ideas.models import Idea
from apps.ideas.promotion import PromotionIncomplete, mark_told, publish_idea, write_recipe
from apps.ideas.selectors import authors_to_tell, solutions_awaited
from apps.ideas.services import vote
from apps.ideas.states import StepNotPossible
from apps.library.models import Solution, SolutionLink
from apps.library.texts import RecipeText
from tests.ideas.conftest import NOW
from tests.ideas.helpers import events_of, titles, told

pytestmark = pytest.mark.django_db


def recipe(idea, actor, challenge, **text):
    return write_recipe(
        idea=idea,
        text=RecipeText(title="A greeter at the door", summary="Meets the queue.", **text),
        french=RecipeText(title="Un accueil à la porte"),
        facts={"kind": "sop", "lag_days": 14},
        challenges=[challenge],
        actor=actor,
    )


def test_a_recipe_is_a_draft_that_credits_the_author_and_can_be_rewritten(idea, challenge, staff, north_lead):
    solution = recipe(idea, north_lead, challenge)
    assert (solution.status, solution.origin, solution.author) == ("draft", "crowd", staff)
    assert solution.title_fr == "Un accueil à la porte"
    assert SolutionLink.objects.filter(solution=solution, challenge=challenge).exists()
    idea.refresh_from_db()
    assert (idea.state, idea.solution) == ("new", solution)
    again = recipe(idea, north_lead, challenge, why="It shows that somebody cares.")
    assert again == solution
    assert solution.versions.count() == 2
    assert Solution.objects.count() == 1


def test_publishing_puts_the_idea_into_the_library_and_tells_all_who_wanted_it(
    idea, challenge, staff, colleague, north_lead
):
    vote(idea=idea, actor=colleague)
    with pytest.raises(PromotionIncomplete):
        publish_idea(idea=idea, at=NOW, actor=north_lead)
    recipe(idea, north_lead, challenge)
    published = publish_idea(idea=idea, at=NOW, actor=north_lead)
    assert (published.state, published.due_at) == ("in_library", None)
    assert Solution.objects.get().status == "published"
    assert told(staff) == ["ideas.idea.published"]
    assert titles(colleague) == ["An idea you voted for is in the library: A greeter at the door"]
    with pytest.raises(StepNotPossible):
        recipe(idea, north_lead, challenge)
    assert events_of(idea)[-2:] == ["promoted", "published"]


def test_an_anonymous_author_is_not_credited_and_nobody_instead(propose, challenge, staff, north_lead):
    idea = propose(staff, is_anonymous=True)
    solution = recipe(idea, north_lead, challenge)
    assert solution.author is None
    assert solution.versions.get().author is None
    publish_idea(idea=idea, at=NOW, actor=north_lead)
    assert told(staff) == ["ideas.own.moved"]


def test_the_author_is_told_of_the_first_result_once(idea, challenge, staff, north_lead):
    recipe(idea, north_lead, challenge)
    publish_idea(idea=idea, at=NOW, actor=north_lead)
    solution = Solution.objects.get()
    assert solutions_awaited() == [solution.pk]
    assert authors_to_tell([]) == []
    (waiting,) = authors_to_tell([solution.pk])
    assert mark_told(idea=waiting, result=lambda: "+4 points", at=NOW)
    assert not mark_told(idea=waiting, result=lambda: "+4 points", at=NOW)
    assert authors_to_tell([solution.pk]) == []
    assert told(staff)[-1] == "ideas.idea.measured"
    assert Idea.objects.get().told_effect_at == NOW
