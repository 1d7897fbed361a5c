"""Letting posts in, and hiding those that are out of place."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.ideas.models import Comment, Idea, Report
from apps.ideas.services import announce, locked, note
from apps.ideas.states import deadline
from apps.ideas.telling import by_when, tell_authors, tell_commenter, tell_deciders


class ReasonForHidingMissing(CxplanError):
    code = "reason_missing"


class NotHeld(CxplanError):
    code = "not_held"


@transaction.atomic
def let_idea_in(*, idea: Idea, at: datetime, actor: User) -> Idea:
    """Show an idea that waited, or one that was hidden by mistake, to everybody. Raises NotHeld."""
    idea = locked(idea)
    if idea.is_public:
        raise NotHeld(_("This idea is open to everybody already."))
    was_hidden = idea.hidden_at is not None
    idea.let_in_at, idea.hidden_at, idea.hidden_reason = at, None, ""
    idea.due_at = deadline(idea.state, days=settings.IDEA_DAYS, at=at)
    idea.save(update_fields=["let_in_at", "hidden_at", "hidden_reason", "due_at", "updated_at"])
    note(idea, "let_in", actor=actor, data={"was_hidden": was_hidden})
    tell_authors(
        idea=idea,
        kind="ideas.idea.let_in",
        title=gettext_lazy("Your idea is open to everybody now: %(idea)s"),
        body=lambda: by_when(idea),
        at=at,
        actor=actor,
    )
    return idea


@transaction.atomic
def hide_idea(*, idea: Idea, reason: str, at: datetime, actor: User) -> Idea:
    """Take an idea out of sight; its author and the leads still see it. Raises ReasonForHidingMissing."""
    idea = locked(idea)
    _require(reason)
    idea.hidden_at, idea.hidden_reason, idea.due_at = at, reason.strip(), None
    idea.save(update_fields=["hidden_at", "hidden_reason", "due_at", "updated_at"])
    note(idea, "hidden", actor=actor, data={"reason": reason.strip()})
    tell_authors(
        idea=idea,
        kind="ideas.idea.hidden",
        title=gettext_lazy("Your idea was taken out of sight: %(idea)s"),
        body=reason.strip,
        at=at,
        actor=actor,
    )
    return idea


@transaction.atomic
def let_comment_in(*, comment: Comment, at: datetime, actor: User) -> Comment:
    """Show a comment that waited or was hidden, and settle what was reported about it."""
    comment = _locked(comment)
    is_first = comment.let_in_at is None
    comment.let_in_at, comment.hidden_at, comment.hidden_reason = comment.let_in_at or at, None, ""
    comment.save(update_fields=["let_in_at", "hidden_at", "hidden_reason"])
    comment.reports.filter(resolved_at=None).update(resolved_at=at)
    record(event="ideas.comment.let_in", actor=actor, subject=comment, data={"idea": comment.idea_id})
    if is_first:
        announce(comment, at=at)
    return comment


@transaction.atomic
def hide_comment(*, comment: Comment, reason: str, at: datetime, actor: User) -> Comment:
    """Take a comment out of sight; who wrote it is told why. Raises ReasonForHidingMissing."""
    comment = _locked(comment)
    _require(reason)
    comment.hidden_at, comment.hidden_reason = at, reason.strip()
    comment.save(update_fields=["hidden_at", "hidden_reason"])
    comment.reports.filter(resolved_at=None).update(resolved_at=at)
    record(
        event="ideas.comment.hidden",
        actor=actor,
        subject=comment,
        data={"idea": comment.idea_id, "reason": reason.strip()},
    )
    tell_commenter(
        comment=comment,
        kind="ideas.comment.hidden",
        title=gettext_lazy("Your comment was taken out of sight: %(idea)s"),
        body=reason.strip,
        at=at,
    )
    return comment


@transaction.atomic
def report_comment(*, comment: Comment, reason: str, at: datetime, actor: User) -> Report:
    """Ask a lead to look at a comment; a second report by the same person replaces the first."""
    comment = _locked(comment)
    if not reason.strip():
        raise ReasonForHidingMissing(_("Say in a few words what is wrong with it."), field="reason")
    report, _created = Report.objects.update_or_create(
        comment=comment, user=actor, defaults={"reason": reason.strip(), "resolved_at": None}
    )
    record(event="ideas.comment.reported", actor=actor, subject=comment, data={"reason": reason.strip()})
    tell_deciders(
        idea=comment.idea,
        kind="ideas.comment.reported",
        title=gettext_lazy("A comment was reported: %(idea)s"),
        body=reason.strip,
        at=at,
        actor=actor,
    )
    return report


def _locked(comment: Comment) -> Comment:
    return (
        Comment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("idea__level", "idea__unit", "author")
        .get(pk=comment.pk)
    )


def _require(reason: str) -> None:
    if not reason.strip():
        raise ReasonForHidingMissing(_("Say why in a few words: the author reads it."), field="reason")
