"""From an idea to a solution of the library, and the news of its first measured effect to who proposed it."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.core.errors import CxplanError
from apps.ideas.models import Idea
from apps.ideas.people import named_authors
from apps.ideas.services import locked, move, note
from apps.ideas.states import State, Step, next_state
from apps.ideas.telling import tell_authors, tell_voters
from apps.library.models import Solution
from apps.library.services import (
    Facts,
    create_solution,
    link_solution,
    newest_version,
    publish_solution,
    revise_solution,
)
from apps.library.texts import RecipeText
from apps.taxonomy.models import Challenge


class PromotionIncomplete(CxplanError):
    code = "promotion_incomplete"


def recipe_of(idea: Idea) -> tuple[RecipeText, RecipeText]:
    """The words of the draft, in English and French; before there is one what the idea says."""
    if idea.solution is None:
        return RecipeText(title=idea.title, summary=idea.text[:2000], why=idea.problem), RecipeText()
    newest = newest_version(idea.solution)
    if newest is None:
        return RecipeText(title=idea.solution.title), RecipeText()
    texts = {one.language: one.text for one in newest.translations.all()}
    return newest.text, texts.get("fr", RecipeText())


@transaction.atomic
def write_recipe(
    *,
    idea: Idea,
    text: RecipeText,
    french: RecipeText,
    facts: Facts,
    challenges: Sequence[Challenge],
    actor: User,
) -> Solution:
    """Write an idea down as a solution, still a draft; again to change the draft. Raises StepNotPossible.

    Its author is credited; an anonymous one stays without a name, and nobody is named instead.
    """
    idea = locked(idea)
    next_state(Step.PROMOTE, idea.state)
    if not challenges:
        raise PromotionIncomplete(_("Choose the challenge it answers."), field="challenge")
    if idea.solution is None:
        solution = create_solution(
            text=text,
            translations={} if french.is_empty else {"fr": french},
            facts=facts,
            origin=Solution.Origin.CROWD,
            author=idea.author,
            challenges=challenges,
            note=_("From an idea of a colleague"),
            # The library credits who acts when nobody else is named.
            actor=None if idea.is_anonymous else actor,
        )
        idea.solution = solution
        idea.save(update_fields=["solution", "updated_at"])
        note(idea, "promoted", actor=actor, data={"solution": solution.code})
        return solution
    solution = revise_solution(
        solution=idea.solution,
        text=text,
        translations={"fr": french},
        facts=facts,
        author=idea.author,
        actor=actor,
    )
    for challenge in challenges:
        link_solution(solution=solution, challenge=challenge, actor=actor)
    return solution


@transaction.atomic
def publish_idea(*, idea: Idea, at: datetime, actor: User) -> Idea:
    """Put the idea's solution into the library for everybody. Raises PromotionIncomplete, StepNotPossible."""
    idea = locked(idea)
    next_state(Step.PUBLISH, idea.state)
    if idea.solution is None:
        raise PromotionIncomplete(_("Write the recipe first."))
    if idea.solution.status != Solution.Status.PUBLISHED:
        publish_solution(solution=idea.solution, actor=actor)
    if idea.let_in_at is None:
        idea.let_in_at = at
    move(idea, Step.PUBLISH, at=at, also=("let_in_at",))
    note(idea, "published", actor=actor, data={"solution": idea.solution.code})
    tell_authors(
        idea=idea,
        kind="ideas.idea.published",
        title=gettext_lazy("Your idea is in the library: %(idea)s"),
        body=lambda: _("Units can plan it now. You hear of it when its first effect is measured."),
        at=at,
        actor=actor,
    )
    tell_voters(
        idea=idea,
        kind="ideas.idea.published",
        title=gettext_lazy("An idea you voted for is in the library: %(idea)s"),
        at=at,
        without=[actor, *named_authors(idea)],
    )
    return idea


@transaction.atomic
def mark_told(*, idea: Idea, result: Callable[[], str], at: datetime) -> bool:
    """Tell the authors of the first measured effect, once; `result` says it in the active language."""
    found = locked(idea)
    if found.told_effect_at is not None or found.state != State.IN_LIBRARY:
        return False
    found.told_effect_at = at
    found.save(update_fields=["told_effect_at", "updated_at"])
    note(found, "measured", actor=None, data={"solution": found.solution.code if found.solution else None})
    tell_authors(
        idea=found,
        kind="ideas.idea.measured",
        title=gettext_lazy("The first effect of your idea is measured: %(idea)s"),
        body=result,
        at=at,
        actor=None,
    )
    return True
