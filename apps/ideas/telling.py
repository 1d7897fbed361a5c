"""Tells authors, leads, managers and voters what happened to an idea; an anonymous author without naming it."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Unit, User
from apps.core.formats import short_day
from apps.ideas.models import Comment, Idea
from apps.ideas.people import anonymous_authors, deciders, managers_of, named_authors
from apps.notifications.services import Message, notify

Words = Callable[[], str]


def nothing_more() -> str:
    return ""


def tell_authors(
    *, idea: Idea, kind: str, title: Promise, body: Words = nothing_more, at: datetime, actor: User | None
) -> None:
    """News of an idea to all who proposed it.

    An anonymous author hears only that one of their ideas moved on: the notification stands beside a name, so
    it may not say which.
    """
    named = [person for person in named_authors(idea) if person != actor]
    _tell(named, idea=idea, kind=kind, title=title, body=body, at=at)
    unnamed = [person for person in anonymous_authors(idea) if person != actor]
    notify(to=unnamed, kind="ideas.own.moved", say=_neutral, url=f"{reverse('ideas:idea-list')}?show=mine", at=at)


def tell_deciders(
    *, idea: Idea, kind: str, title: Promise, body: Words = nothing_more, at: datetime, actor: User | None = None
) -> None:
    people = [person for person in deciders(idea) if person != actor]
    _tell(people, idea=idea, kind=kind, title=title, body=body, at=at)


def tell_pilots(*, idea: Idea, units: Iterable[Unit], note: str, at: datetime) -> None:
    title = gettext_lazy("You are asked to try an idea: %(idea)s")
    _tell(managers_of(list(units)), idea=idea, kind="ideas.pilot.asked", title=title, body=lambda: note, at=at)


def tell_voters(*, idea: Idea, kind: str, title: Promise, at: datetime, without: Iterable[User]) -> None:
    """Everybody who said that they have the problem, once."""
    known = {person.pk for person in without} | {person.pk for person in anonymous_authors(idea)}
    voters = [vote.user for one in (idea, *idea.merged.all()) for vote in one.votes.select_related("user")]
    people = {person.pk: person for person in voters if person.pk not in known}
    _tell(people.values(), idea=idea, kind=kind, title=title, body=nothing_more, at=at)


def tell_commenter(*, comment: Comment, kind: str, title: Promise, body: Words, at: datetime) -> None:
    if comment.author is not None:
        _tell([comment.author], idea=comment.idea, kind=kind, title=title, body=body, at=at)


def by_when(idea: Idea) -> str:
    """When the next step is due, in words."""
    if idea.due_at is None:
        return ""
    day = short_day(idea.due_at.date(), idea.state_since.date())
    return _("You hear more by %(day)s at the latest.") % {"day": day}


def _tell(people: Iterable[User], *, idea: Idea, kind: str, title: Promise, body: Words, at: datetime) -> None:
    def say() -> Message:
        return Message(title=str(title) % {"idea": idea.title}, body=body())

    notify(to=people, kind=kind, say=say, url=reverse("ideas:idea", args=[idea.pk]), at=at)


def _neutral() -> Message:
    return Message(
        title=_("Something moved on in your ideas"),
        body=_("Open your ideas to see what it is. Your name stays out of it."),
    )
