"""Proposing ideas, voting for them and talking about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypedDict

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Unit, User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.core.uploads import Upload
from apps.ideas.anonymity import author_key
from apps.ideas.models import Call, Comment, Idea, Vote
from apps.ideas.people import deciding_unit, is_trusted
from apps.ideas.states import Step, deadline, next_state
from apps.ideas.telling import tell_authors, tell_deciders
from apps.ideas.texts import title_of
from apps.taxonomy.models import Challenge

TITLE_LENGTH = 200


class IdeaIncomplete(CxplanError):
    code = "idea_incomplete"


class AlreadyProposed(CxplanError):
    code = "already_proposed"


class CallClosed(CxplanError):
    code = "call_closed"


class TryingIncomplete(CxplanError):
    code = "trying_incomplete"


class NotOpenToAll(CxplanError):
    code = "not_open_to_all"


class IdeaChanged(CxplanError):
    """Somebody else saved the idea after the caller had read it, at `changed_at`."""

    code = "edit_conflict"

    def __init__(self, *, changed_at: datetime) -> None:
        self.changed_at = changed_at
        super().__init__(
            _(
                "Somebody changed this idea after you opened it. "
                "Your entries are still here: compare, then save again."
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Since when somebody does what the idea says, and where."""

    since: date
    unit: Unit


class IdeaChanges(TypedDict, total=False):
    """What may change of an idea; a key that is absent stays as it is."""

    title: str
    problem: str
    text: str
    challenge: Challenge | None


@transaction.atomic
def create_idea(
    *,
    text: str,
    title: str = "",
    problem: str = "",
    challenge: Challenge | None = None,
    call: Call | None = None,
    unit: Unit,
    trial: Trial | None = None,
    photo: Upload | None = None,
    is_anonymous: bool = False,
    at: datetime,
    actor: User,
) -> Idea:
    """Propose an idea; the first ones of a person, and all anonymous ones, wait until a lead lets them in.

    Raises IdeaIncomplete, TryingIncomplete, CallClosed, AlreadyProposed.
    """
    if not text.strip():
        raise IdeaIncomplete(_("Say in a sentence what you would do."), field="text")
    check_trial(trial, as_of=at.date())
    if call is not None and not call.is_open_on(at.date()):
        raise CallClosed(_("This call is closed. Propose your idea without it."), field="call")
    # Held so that a double tap does not propose the same thing twice.
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    same = Idea.objects.by(actor).filter(text=text.strip(), unit=unit).exclude(state=Idea.State.MERGED)
    if same.exists():
        raise AlreadyProposed(_("You proposed this already; it is among your ideas."), field="text")
    is_let_in = not is_anonymous and is_trusted(actor, posts=settings.IDEA_TRUSTED_POSTS)
    idea = Idea.objects.create(
        title=(title.strip() or title_of(text))[:TITLE_LENGTH],
        problem=problem.strip(),
        text=text.strip(),
        author=None if is_anonymous else actor,
        author_key=author_key(actor) if is_anonymous else "",
        unit=unit,
        challenge=challenge or (call.challenge if call else None),
        call=call,
        state_since=at,
        due_at=deadline("new" if is_let_in else "held", days=settings.IDEA_DAYS, at=at),
        level=deciding_unit(unit),
        tried_on=trial.since if trial else None,
        tried_unit=trial.unit if trial else None,
        photo=photo.content if photo else "",
        photo_type=photo.content_type if photo else "",
        let_in_at=at if is_let_in else None,
    )
    note(idea, "proposed", actor=actor, by_author=True, data={"unit": unit.code, "is_held": not is_let_in})
    title_ = gettext_lazy("A new idea: %(idea)s") if is_let_in else gettext_lazy("An idea to let in: %(idea)s")
    tell_deciders(
        idea=idea, kind="ideas.idea.proposed", title=title_, body=lambda: _where(idea), at=at, actor=actor
    )
    return idea


@transaction.atomic
def edit_idea(
    *, idea: Idea, changes: IdeaChanges, at: datetime, actor: User, seen_at: datetime | None = None
) -> Idea:
    """Change what an idea says; the author is told when somebody else does. Raises IdeaChanged, IdeaIncomplete."""
    idea = locked(idea, seen_at=seen_at)
    next_state(Step.EDIT, idea.state)
    before = {name: _plain(getattr(idea, name)) for name in changes}
    for name, value in changes.items():
        setattr(idea, name, value.strip() if isinstance(value, str) else value)
    if not idea.title or not idea.text:
        raise IdeaIncomplete(_("An idea needs a title and a text."), field="text" if idea.title else "title")
    after = {name: _plain(getattr(idea, name)) for name in changes}
    changed = [name for name in changes if before[name] != after[name]]
    if changed:
        idea.save(update_fields=[*changed, "updated_at"])
        data = {"before": {n: before[n] for n in changed}, "after": {n: after[n] for n in changed}}
        note(idea, "edited", actor=actor, by_author=idea.is_by(actor), data=data)
        tell_authors(
            idea=idea,
            kind="ideas.idea.edited",
            title=gettext_lazy("Your idea was edited: %(idea)s"),
            at=at,
            actor=actor,
        )
    return idea


@transaction.atomic
def vote(*, idea: Idea, actor: User) -> Idea:
    """Say that one has the same problem; once a person, merged ideas included. Raises NotOpenToAll."""
    idea = root_of(idea)
    if not idea.is_public:
        raise NotOpenToAll(_("This idea waits to be let in. Vote once it is."))
    if not Vote.objects.filter(_votes_of(idea), user=actor).exists():
        Vote.objects.create(idea=idea, user=actor)
        record(event="ideas.vote.given", actor=actor, subject=idea)
    return recount(idea)


@transaction.atomic
def withdraw_vote(*, idea: Idea, actor: User) -> Idea:
    idea = root_of(idea)
    deleted, _by_model = Vote.objects.filter(_votes_of(idea), user=actor).delete()
    if deleted:
        record(event="ideas.vote.withdrawn", actor=actor, subject=idea)
    return recount(idea)


@transaction.atomic
def add_comment(*, idea: Idea, text: str, kind: str = Comment.Kind.REMARK, at: datetime, actor: User) -> Comment:
    """Say something about an idea, as its author without a name when it is anonymous.

    The author's words on an idea that waits for their answer are that answer, and put it back into review.
    Raises IdeaIncomplete, NotOpenToAll.
    """
    idea = root_of(idea)
    if not text.strip():
        raise IdeaIncomplete(_("Write something first."), field="text")
    is_author = is_by_any(idea, actor)
    if not idea.is_public and not is_author:
        raise NotOpenToAll(_("This idea waits to be let in. Comment once it is."))
    is_nameless = is_author and any(one.is_anonymous and one.is_by(actor) for one in (idea, *idea.merged.all()))
    is_answer = is_author and idea.state == Idea.State.NEEDS_INFO
    is_let_in = is_answer or (idea.is_public and is_nameless)
    if not is_let_in:
        is_let_in = is_trusted(actor, posts=settings.IDEA_TRUSTED_POSTS)
    comment = Comment.objects.create(
        idea=idea,
        author=None if is_nameless else actor,
        is_from_author=is_author,
        kind=Comment.Kind.REPLY if is_answer else kind,
        text=text.strip(),
        let_in_at=at if is_let_in else None,
    )
    note(
        idea,
        "commented",
        actor=None if is_nameless else actor,
        by_author=is_nameless,
        data={"comment": comment.pk},
    )
    if is_answer:
        move(idea, Step.REPLY, at=at)
        note(idea, "replied", actor=None if is_nameless else actor, by_author=is_nameless)
        tell_deciders(
            idea=idea,
            kind="ideas.idea.replied",
            title=gettext_lazy("The author answered: %(idea)s"),
            body=lambda: comment.text,
            at=at,
            actor=actor,
        )
    elif is_let_in:
        announce(comment, at=at)
    return comment


def announce(comment: Comment, *, at: datetime) -> None:
    """Tell the idea's authors that somebody commented."""
    tell_authors(
        idea=comment.idea,
        kind="ideas.comment.added",
        title=gettext_lazy("A comment on your idea: %(idea)s"),
        body=lambda: comment.text,
        at=at,
        actor=comment.author,
    )


def check_trial(trial: Trial | None, *, as_of: date) -> None:
    if trial is not None and trial.since > as_of:
        raise TryingIncomplete(_("This day is still to come. Say since when you have tried it."), field="tried_on")


def locked(idea: Idea, *, seen_at: datetime | None = None) -> Idea:
    """The idea as it stands, held until the change is done; raises IdeaChanged."""
    found = (
        Idea.objects.select_for_update(of=("self",), no_key=True)
        .select_related("unit", "level", "author", "challenge", "merged_into", "solution")
        .get(pk=idea.pk)
    )
    if seen_at is not None and found.updated_at != seen_at:
        raise IdeaChanged(changed_at=found.updated_at)
    return found


def root_of(idea: Idea) -> Idea:
    """The idea that counts, held: itself, or what it was merged into."""
    found = locked(idea)
    return locked(found.merged_into) if found.merged_into is not None else found


def move(idea: Idea, step: Step, *, at: datetime, to: str | None = None, also: tuple[str, ...] = ()) -> None:
    """Bring the idea to the state after `step` with its deadline; what happened before is not overdue any more."""
    following = next_state(step, idea.state)
    idea.state = to or following
    idea.state_since = at
    idea.due_at = deadline(idea.state, days=settings.IDEA_DAYS, at=at)
    idea.level = deciding_unit(idea.unit)
    idea.save(update_fields=["state", "state_since", "due_at", "level", "updated_at", *also])


def note(
    idea: Idea, what: str, *, actor: User | None, by_author: bool = False, data: Mapping[str, Any] | None = None
) -> None:
    """Write the audit row; an anonymous author's has no name, just that it was the author."""
    is_nameless = by_author and (actor is None or (idea.is_anonymous and idea.is_by(actor)))
    record(
        event=f"ideas.idea.{what}",
        actor=None if is_nameless else actor,
        subject=idea,
        data={**(data or {}), **({"by_author": True} if is_nameless else {})},
    )


def recount(idea: Idea) -> Idea:
    """Bring the number of votes in line with the people behind it; the idea must be held."""
    idea.vote_count = Vote.objects.filter(_votes_of(idea)).values("user").distinct().count()
    idea.save(update_fields=["vote_count"])
    return idea


def is_by_any(idea: Idea, user: User) -> bool:
    """Whether the person proposed the idea or one merged into it."""
    return idea.is_by(user) or any(merged.is_by(user) for merged in idea.merged.all())


def _votes_of(idea: Idea) -> Q:
    return Q(idea=idea) | Q(idea__merged_into=idea)


def _where(idea: Idea) -> str:
    return f"{idea.unit.display_name}: {idea.problem or idea.text[:200]}"


def _plain(value: object) -> object:
    return value.code if isinstance(value, Challenge) else value
