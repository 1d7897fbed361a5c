"""What leads decide on an idea, and what happens when nobody does."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import AuditEvent, Unit, User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.ideas.models import Comment, Escalation, Idea, Pilot
from apps.ideas.people import deciding_unit
from apps.ideas.services import locked, move, note, recount
from apps.ideas.states import State, Step, next_state
from apps.ideas.telling import by_when, tell_authors, tell_deciders, tell_pilots

UNDO_WITHIN = timedelta(days=1)
OVERDUE_AT_ONCE = 200


class ReasonMissing(CxplanError):
    code = "reason_missing"


class MergeNotPossible(CxplanError):
    code = "merge_not_possible"


class TooLateToUndo(CxplanError):
    code = "too_late_to_undo"


class PilotIncomplete(CxplanError):
    code = "pilot_incomplete"


@transaction.atomic
def review_idea(*, idea: Idea, at: datetime, actor: User) -> Idea:
    """Take an idea into review. Raises StepNotPossible."""
    idea = locked(idea)
    move(idea, Step.REVIEW, at=at)
    note(idea, "reviewed", actor=actor)
    tell_authors(
        idea=idea,
        kind="ideas.idea.reviewed",
        title=gettext_lazy("Your idea is being looked at: %(idea)s"),
        body=lambda: by_when(idea),
        at=at,
        actor=actor,
    )
    return idea


@transaction.atomic
def ask_author(*, idea: Idea, question: str, at: datetime, actor: User) -> Comment:
    """Ask the author something, also one without a name. Raises ReasonMissing, StepNotPossible."""
    idea = locked(idea)
    _require(question, _("Write your question to the author."), field="question")
    move(idea, Step.ASK, at=at)
    comment = Comment.objects.create(
        idea=idea, author=actor, kind=Comment.Kind.QUESTION, text=question.strip(), let_in_at=at
    )
    note(idea, "asked", actor=actor, data={"comment": comment.pk, "reason": comment.text})
    tell_authors(
        idea=idea,
        kind="ideas.idea.asked",
        title=gettext_lazy("A question about your idea: %(idea)s"),
        body=lambda: comment.text,
        at=at,
        actor=actor,
    )
    return comment


@transaction.atomic
def pilot_idea(*, idea: Idea, units: Sequence[Unit], reason: str = "", at: datetime, actor: User) -> Idea:
    """Ask units to try an idea first; their managers are told. Raises PilotIncomplete, StepNotPossible."""
    idea = locked(idea)
    if not units:
        raise PilotIncomplete(_("Choose where it is to be tried: at least one unit."), field="units")
    move(idea, Step.PILOT, at=at)
    known = set(idea.pilots.values_list("unit", flat=True))
    asked = [unit for unit in dict.fromkeys(units) if unit.pk not in known]
    Pilot.objects.bulk_create([Pilot(idea=idea, unit=unit) for unit in asked])
    names = [unit.code for unit in units]
    note(idea, "piloted", actor=actor, data={"units": names, "reason": reason.strip()})
    tell_pilots(idea=idea, units=asked, note=reason.strip(), at=at)
    tell_authors(
        idea=idea,
        kind="ideas.idea.piloted",
        title=gettext_lazy("Your idea is going to be tried: %(idea)s"),
        body=lambda: " ".join([", ".join(unit.display_name for unit in units) + ".", reason.strip()]).strip(),
        at=at,
        actor=actor,
    )
    return idea


@transaction.atomic
def decline_idea(*, idea: Idea, reason: str, text: str, at: datetime, actor: User) -> Idea:
    """Say no, with a reason of the list and in words. Raises ReasonMissing, StepNotPossible."""
    idea = locked(idea)
    if reason not in Idea.Reason.values:
        raise ReasonMissing(_("Choose the reason that fits best."), field="reason")
    _require(text, _("Say why in a few words: the author reads it."), field="text")
    idea.decided_reason, idea.decided_text = reason, text.strip()
    move(idea, Step.DECLINE, at=at, also=("decided_reason", "decided_text"))
    note(idea, "declined", actor=actor, data={"decided": reason, "reason": text.strip()})
    tell_authors(
        idea=idea,
        kind="ideas.idea.declined",
        title=gettext_lazy("Your idea was declined: %(idea)s"),
        body=lambda: f"{Idea.Reason(reason).label}. {text.strip()}",
        at=at,
        actor=actor,
    )
    return idea


@transaction.atomic
def reopen_idea(*, idea: Idea, reason: str, at: datetime, actor: User) -> Idea:
    """Take a declined idea up again. Raises ReasonMissing, StepNotPossible."""
    idea = locked(idea)
    _require(reason, _("Say in a few words what has changed."), field="reason")
    idea.decided_reason, idea.decided_text = "", ""
    move(idea, Step.REOPEN, at=at, also=("decided_reason", "decided_text"))
    note(idea, "reopened", actor=actor, data={"reason": reason.strip()})
    tell_authors(
        idea=idea,
        kind="ideas.idea.reopened",
        title=gettext_lazy("Your idea is looked at again: %(idea)s"),
        body=lambda: f"{reason.strip()} {by_when(idea)}",
        at=at,
        actor=actor,
    )
    return idea


@transaction.atomic
def merge_idea(*, idea: Idea, into: Idea, at: datetime, actor: User) -> Idea:
    """Join an idea to another one; who proposed, voted and commented counts there, each person once.

    Raises MergeNotPossible, StepNotPossible.
    """
    if idea.pk == into.pk:
        raise MergeNotPossible(_("An idea can't be merged into itself."), field="into")
    # Both are held in the order of their ids, so that two people who merge crosswise don't wait for each other.
    held = {one.pk: locked(one) for one in sorted((idea, into), key=lambda one: one.pk)}
    idea, into = held[idea.pk], held[into.pk]
    if into.state in (State.MERGED, State.DECLINED) or not into.is_public:
        raise MergeNotPossible(_("That idea is not open any more. Choose another one."), field="into")
    came_from = idea.state
    next_state(Step.MERGE, idea.state)
    followers = list(idea.merged.values_list("pk", flat=True))
    Idea.objects.filter(pk__in=followers).update(merged_into=into)
    idea.merged_into = into
    move(idea, Step.MERGE, at=at, also=("merged_into",))
    recount(into)
    data = {"into": into.pk, "from_state": came_from, "followers": followers}
    note(idea, "merged", actor=actor, data=data)
    note(into, "absorbed", actor=actor, data={"idea": idea.pk})
    tell_authors(
        idea=idea,
        kind="ideas.idea.merged",
        title=gettext_lazy("Your idea was joined with another one: %(idea)s"),
        body=lambda: (
            _("It goes on as “%(title)s”. Votes and comments are kept, and you stay named.")
            % {"title": into.title}
        ),
        at=at,
        actor=actor,
    )
    return idea


@transaction.atomic
def unmerge_idea(*, idea: Idea, at: datetime, actor: User) -> Idea:
    """Take a merge back within a day. Raises StepNotPossible, TooLateToUndo."""
    idea = locked(idea)
    next_state(Step.UNMERGE, idea.state)
    merge = last_merge(idea)
    if merge is None or merge.at < at - UNDO_WITHIN or idea.merged_into is None:
        raise TooLateToUndo(_("A merge can be taken back within a day."))
    target = locked(idea.merged_into)
    Idea.objects.filter(pk__in=merge.data["followers"], merged_into=target).update(merged_into=idea)
    idea.merged_into = None
    move(idea, Step.UNMERGE, at=at, to=merge.data["from_state"], also=("merged_into",))
    recount(idea)
    recount(target)
    note(idea, "unmerged", actor=actor, data={"from": target.pk})
    tell_authors(
        idea=idea,
        kind="ideas.idea.unmerged",
        title=gettext_lazy("Your idea stands on its own again: %(idea)s"),
        at=at,
        actor=actor,
    )
    return idea


def last_merge(idea: Idea) -> AuditEvent | None:
    return AuditEvent.objects.about(idea).filter(event="ideas.idea.merged").order_by("-id").first()


def is_unmergeable(idea: Idea, *, at: datetime) -> bool:
    """Whether a merge can still be taken back."""
    merge = last_merge(idea) if idea.state == State.MERGED else None
    return merge is not None and merge.at >= at - UNDO_WITHIN


@transaction.atomic
def resume_idea(*, idea: Idea, at: datetime) -> Idea | None:
    """Go on without an answer that did not come in time; None when it is not overdue any more."""
    found = _overdue(idea, at=at)
    if found is None or found.state != State.NEEDS_INFO:
        return None
    move(found, Step.RESUME, at=at)
    record(event="ideas.idea.resumed", actor=None, subject=found)
    tell_authors(
        idea=found,
        kind="ideas.idea.resumed",
        title=gettext_lazy("Your idea is being looked at without your answer: %(idea)s"),
        body=lambda: _("You can still answer. %(when)s") % {"when": by_when(found)},
        at=at,
        actor=None,
    )
    return found


@transaction.atomic
def escalate_idea(*, idea: Idea, at: datetime) -> Escalation | None:
    """Hand an overdue idea to the next unit above that has a lead; once for each deadline.

    At the top nobody is left to hand it to: the leads there are reminded, and the deadline stays missed.
    """
    found = _overdue(idea, at=at)
    if found is None or found.due_at is None:
        return None
    present = found.level or found.unit
    above = deciding_unit(found.unit, above=present)
    escalation = Escalation.objects.create(idea=found, due_at=found.due_at, unit=above or present, at=at)
    if above is not None:
        found.level, found.due_at = above, at + timedelta(days=settings.IDEA_DAYS["escalated"])
        found.save(update_fields=["level", "due_at", "updated_at"])
    missed = escalation.due_at.date().isoformat()
    record(
        event="ideas.idea.escalated",
        actor=None,
        subject=found,
        data={"due_on": missed, "state": found.state, "to": escalation.unit.code},
    )
    tell_deciders(
        idea=found,
        kind="ideas.idea.escalated",
        title=gettext_lazy("An idea waits too long: %(idea)s"),
        body=lambda: (
            _("%(unit)s did not decide in time (state: %(state)s), so it comes to you.")
            % {"unit": present.display_name, "state": found.get_state_display()}
        ),
        at=at,
    )
    tell_authors(
        idea=found,
        kind="ideas.idea.escalated",
        title=gettext_lazy("Your idea goes one level up, because it waited too long: %(idea)s"),
        body=lambda: by_when(found) if above is not None else "",
        at=at,
        actor=None,
    )
    return escalation


def overdue_ideas(*, at: datetime) -> list[Idea]:
    """Ideas whose deadline passed without anybody being told yet, the longest wait first."""
    return list(Idea.objects.overdue(at).order_by("due_at", "pk")[:OVERDUE_AT_ONCE])


def settle_overdue(*, at: datetime) -> int:
    """See to all overdue ideas: go on without the author's answer, or hand them one level up."""
    done = 0
    for idea in overdue_ideas(at=at):
        settled = (
            resume_idea(idea=idea, at=at) if idea.state == State.NEEDS_INFO else escalate_idea(idea=idea, at=at)
        )
        done += settled is not None
    return done


def _overdue(idea: Idea, *, at: datetime) -> Idea | None:
    """The idea, held, while it is still overdue; another worker may have seen to it."""
    locked(idea)
    return Idea.objects.overdue(at).select_related("unit", "level", "author").filter(pk=idea.pk).first()


def _require(text: str, message: str, *, field: str) -> None:
    if not text.strip():
        raise ReasonMissing(message, field=field)
