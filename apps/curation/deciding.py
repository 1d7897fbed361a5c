"""Decisions on entries of the queue, one by one or on many at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.person import Person
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.curation.models import LookAlike
from apps.curation.queue import DECISIONS, Kind, names_of, waiting
from apps.ideas.decisions import decline_idea, merge_idea, review_idea
from apps.ideas.models import Idea
from apps.ideas.moderation import hide_comment, hide_idea, let_comment_in, let_idea_in
from apps.library.care import mark_reviewed
from apps.library.models import Solution
from apps.library.replacing import replace_solution
from apps.library.requests import accept_request, decline_request
from apps.library.solution_aliases import create_solution_alias, ignore_solution_labels
from apps.library.solution_labels import solution_guesses
from apps.taxonomy.aliases import ignore_labels, map_labels
from apps.taxonomy.inbox import guesses_for
from apps.taxonomy.models import Challenge, UnmappedLabel

MOST_AT_ONCE = 100


class DecisionUnknown(CxplanError):
    code = "decision_unknown"


class PairDecided(CxplanError):
    code = "step_not_possible"


class NoGuess(CxplanError):
    code = "no_guess"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    title: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many were decided, and which could not be."""

    done: int
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Who decides, when, and what they say to those who ask why; `reason` is one of the list of ideas."""

    actor: User
    at: datetime
    text: str = ""
    reason: str = ""


def decide_items(
    *,
    kind: Kind,
    decision: str,
    pks: Sequence[int],
    text: str = "",
    reason: str = "",
    person: Person,
    at: datetime,
) -> Outcome:
    """Decide the same on each entry that waits for the person; each on its own, with an audit row of its own.

    An entry that can't be decided so stays as it is and is told of. Raises DecisionUnknown.
    """
    decide = DECIDERS.get((kind, decision))
    if decide is None or not any(one.code == decision for one in DECISIONS[kind]):
        raise DecisionUnknown(_("This can't be done. Load the page again and repeat it."))
    said = Said(actor=person.user, at=at, text=text, reason=reason)
    rows = waiting(person, at).get(kind)
    found = {} if rows is None else {row.pk: row for row in rows.filter(pk__in=list(pks)[:MOST_AT_ONCE])}
    refused = [Refusal(title=f"#{pk}", message=_("It does not wait any more.")) for pk in pks if pk not in found]
    done = 0
    for row in found.values():
        try:
            with transaction.atomic():
                decide(row, said)
            done += 1
        except CxplanError as error:
            refused.append(Refusal(title=str(row), message=error.message))
    return Outcome(done=done, refused=tuple(refused))


@transaction.atomic
def dismiss_pair(*, pair: LookAlike, at: datetime, actor: User) -> LookAlike:
    """The two are not the same, and are never shown as such again. Raises PairDecided."""
    return _settle(pair, LookAlike.State.DISMISSED, at=at, actor=actor)


@transaction.atomic
def join_solutions(*, pair: LookAlike, keep: Solution, at: datetime, actor: User) -> LookAlike:
    """One of two solutions stands for both. Raises PairDecided, ReplacementNotPossible."""
    pair = _settle(pair, LookAlike.State.SETTLED, at=at, actor=actor, keep=keep.code)
    other = pair.other_solution if pair.solution == keep else pair.solution
    assert other is not None
    replace_solution(solution=other, by=keep, actor=actor)
    return pair


@transaction.atomic
def join_ideas(*, pair: LookAlike, keep: Idea, at: datetime, actor: User) -> LookAlike:
    """One of two ideas goes on with the votes and authors of both. Raises PairDecided, MergeNotPossible."""
    pair = _settle(pair, LookAlike.State.SETTLED, at=at, actor=actor, keep=keep.pk)
    other = pair.other_idea if pair.idea == keep else pair.idea
    assert other is not None
    merge_idea(idea=other, into=keep, at=at, actor=actor)
    return pair


@transaction.atomic
def answer_idea(*, pair: LookAlike, text: str, at: datetime, actor: User) -> LookAlike:
    """The solution is what the idea asks for: its author is pointed there. Raises PairDecided."""
    pair = _settle(pair, LookAlike.State.SETTLED, at=at, actor=actor)
    assert pair.idea is not None
    assert pair.solution is not None
    words = text.strip() or _("It is in the library as “%(title)s” (%(code)s).") % {
        "title": pair.solution.display_title,
        "code": pair.solution.code,
    }
    decline_idea(idea=pair.idea, reason=Idea.Reason.IN_USE, text=words, at=at, actor=actor)
    return pair


def _settle(
    pair: LookAlike, state: LookAlike.State, *, at: datetime, actor: User, keep: str | int | None = None
) -> LookAlike:
    held = LookAlike.objects.select_for_update(of=("self",)).select_related(
        "solution", "other_solution", "idea", "other_idea"
    )
    pair = held.get(pk=pair.pk)
    if pair.state != LookAlike.State.OPEN:
        raise PairDecided(_("Somebody decided on these two already."))
    pair.state, pair.decided_by, pair.decided_at = state, actor, at
    pair.save(update_fields=["state", "decided_by", "decided_at"])
    record(
        event=f"curation.look_alike.{state.value}",
        actor=actor,
        subject=pair,
        data={"kind": pair.kind, "names": list(names_of(pair)), "keep": keep},
    )
    return pair


def _accept_guess(label: UnmappedLabel, said: Said) -> None:
    guesses = guesses_for([label.pk], limit=1).get(label.pk)
    if not guesses:
        raise NoGuess(_("Nothing here is like it. Say by hand what it means."))
    challenge = Challenge.objects.get(code=guesses[0].code)
    map_labels(meanings=[(label, challenge)], actor=said.actor)


def _accept_solution_guess(label: Any, said: Said) -> None:
    guesses = solution_guesses([label.pk], limit=1).get(label.pk)
    if not guesses:
        raise NoGuess(_("Nothing here is like it. Say by hand what it means."))
    solution = Solution.objects.get(code=guesses[0].code)
    create_solution_alias(source=label.source, label=label.label, solution=solution, actor=said.actor)


DECIDERS: Mapping[tuple[Kind, str], Callable[[Any, Said], object]] = {
    (Kind.IDEA, "review"): lambda row, said: review_idea(idea=row, at=said.at, actor=said.actor),
    (Kind.IDEA, "decline"): lambda row, said: decline_idea(
        idea=row, reason=said.reason, text=said.text, at=said.at, actor=said.actor
    ),
    (Kind.HELD, "let_in"): lambda row, said: let_idea_in(idea=row, at=said.at, actor=said.actor),
    (Kind.HELD, "hide"): lambda row, said: hide_idea(idea=row, reason=said.text, at=said.at, actor=said.actor),
    (Kind.COMMENT, "let_in"): lambda row, said: let_comment_in(comment=row, at=said.at, actor=said.actor),
    (Kind.COMMENT, "hide"): lambda row, said: hide_comment(
        comment=row, reason=said.text, at=said.at, actor=said.actor
    ),
    (Kind.CHANGE, "accept"): lambda row, said: accept_request(
        request=row, decision=said.text, at=said.at, actor=said.actor
    ),
    (Kind.CHANGE, "decline"): lambda row, said: decline_request(
        request=row, decision=said.text, at=said.at, actor=said.actor
    ),
    (Kind.ALIKE, "apart"): lambda row, said: dismiss_pair(pair=row, at=said.at, actor=said.actor),
    (Kind.REVIEW, "reviewed"): lambda row, said: mark_reviewed(
        solution=row, on=said.at.date(), note=said.text, actor=said.actor
    ),
    (Kind.LABEL, "best"): _accept_guess,
    (Kind.LABEL, "ignore"): lambda row, said: ignore_labels(labels=[row], actor=said.actor),
    (Kind.SOLUTION_LABEL, "best"): _accept_solution_guess,
    (Kind.SOLUTION_LABEL, "ignore"): lambda row, said: ignore_solution_labels(labels=[row], actor=said.actor),
}
