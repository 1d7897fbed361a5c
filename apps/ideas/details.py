"""Everything the page of one idea says, and the story of the idea told from its audit rows."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import AuditEvent, Role
from apps.accounts.person import Person
from apps.ideas.decisions import is_unmergeable
from apps.ideas.models import Comment, Idea, Vote
from apps.ideas.selectors import author_label, readable_ideas
from apps.ideas.states import State, Step, is_possible
from apps.ideas.words import TONES, standing

SENTENCES = {
    "proposed": gettext_lazy("proposed it"),
    "let_in": gettext_lazy("let it in"),
    "hidden": gettext_lazy("took it out of sight"),
    "edited": gettext_lazy("edited it"),
    "reviewed": gettext_lazy("took it into review"),
    "asked": gettext_lazy("asked the author"),
    "replied": gettext_lazy("answered"),
    "resumed": gettext_lazy("went on without an answer"),
    "piloted": gettext_lazy("asked units to try it"),
    "promoted": gettext_lazy("wrote it down as a solution"),
    "published": gettext_lazy("put it into the library"),
    "declined": gettext_lazy("declined it"),
    "reopened": gettext_lazy("took it up again"),
    "merged": gettext_lazy("joined it with another idea"),
    "absorbed": gettext_lazy("joined another idea with it"),
    "unmerged": gettext_lazy("took the joining back"),
    "escalated": gettext_lazy("passed it one level up, because the deadline was missed"),
    "measured": gettext_lazy("told the author of the first result"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A comment; `where` names the merged idea on which it was made."""

    pk: int
    author: str
    is_from_author: bool
    is_own: bool
    kind: str
    kind_label: str
    text: str
    at: datetime
    is_held: bool
    where: str
    may_report: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """An idea that was merged into this one."""

    pk: int
    title: str
    author: str
    unit: str
    votes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    at: datetime
    who: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotUnit:
    code: str
    name: str
    is_managed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaDetail:
    """`steps` holds the names of the steps the person may take now."""

    idea: Idea
    author: str
    tone: str
    is_own: bool
    is_author: bool
    is_lead: bool
    is_voted: bool
    may_vote: bool
    may_comment: bool
    may_edit: bool
    may_unmerge: bool
    is_asked: bool
    now: str
    next: str
    is_late: bool
    is_measured: bool
    tried_on: date | None
    steps: dict[str, bool]
    comments: tuple[Said, ...]
    merged: tuple[Kin, ...]
    pilots: tuple[PilotUnit, ...]
    history: tuple[Entry, ...]

    @property
    def others(self) -> int:
        """How many besides the person share the problem."""
        return self.idea.vote_count - self.is_voted


def idea_detail(*, pk: int, person: Person, at: datetime) -> IdeaDetail | None:
    """The idea if the person may read it, in a constant number of queries."""
    idea = (
        readable_ideas(person)
        .filter(pk=pk)
        .select_related("unit", "level", "author", "challenge", "call", "tried_unit", "merged_into", "solution")
        .prefetch_related("merged__author", "merged__unit", "pilots__unit")
        .first()
    )
    if idea is None:
        return None
    merged = list(idea.merged.all())
    is_own = idea.is_by(person.user)
    is_author = is_own or any(one.is_by(person.user) for one in merged)
    is_lead = person.holds(Role.LEAD, idea.unit.path)
    pilots = tuple(
        PilotUnit(
            code=pilot.unit.code,
            name=pilot.unit.display_name,
            is_managed=person.holds(Role.MANAGER, pilot.unit.path),
        )
        for pilot in idea.pilots.all()
    )
    now, following = standing(idea, at=at, pilots=[pilot.name for pilot in pilots])
    is_merged = idea.state == State.MERGED
    return IdeaDetail(
        idea=idea,
        author=author_label(idea.author, is_own=is_own, is_anonymous=idea.is_anonymous),
        tone=TONES[idea.state],
        is_own=is_own,
        is_author=is_author,
        is_lead=is_lead,
        is_voted=Vote.objects.filter(Q(idea=idea) | Q(idea__merged_into=idea), user=person.user).exists(),
        may_vote=idea.is_public and not is_merged,
        may_comment=not is_merged and (idea.is_public or is_author),
        may_edit=is_possible(Step.EDIT, idea.state) and (is_lead or (is_own and idea.state == State.NEW)),
        may_unmerge=is_lead and is_merged and is_unmergeable(idea, at=at),
        is_asked=is_author and idea.state == State.NEEDS_INFO,
        now=now,
        next=following,
        is_late=idea.due_at is not None and idea.due_at < at,
        is_measured=idea.told_effect_at is not None and idea.state == State.IN_LIBRARY,
        tried_on=idea.tried_on,
        steps={step.value: True for step in Step if is_possible(step, idea.state)} if is_lead else {},
        comments=_comments(idea, person, is_lead=is_lead, is_author=is_author),
        merged=tuple(
            Kin(
                pk=one.pk,
                title=one.title,
                author=author_label(one.author, is_own=one.is_by(person.user), is_anonymous=one.is_anonymous),
                unit=one.unit.display_name,
                votes=one.vote_count,
            )
            for one in merged
        ),
        pilots=pilots,
        history=_history(idea),
    )


def _comments(idea: Idea, person: Person, *, is_lead: bool, is_author: bool) -> tuple[Said, ...]:
    seen = Q(let_in_at__isnull=False) | Q(author=person.user)
    if is_lead:
        seen |= Q(let_in_at=None)
    if is_author:
        seen |= Q(is_from_author=True)
    rows = (
        Comment.objects.filter(Q(idea=idea) | Q(idea__merged_into=idea), seen, hidden_at=None)
        .select_related("author", "idea")
        .order_by("pk")
    )
    return tuple(
        Said(
            pk=row.pk,
            author=_("The author") if row.author is None else str(row.author),
            is_from_author=row.is_from_author,
            is_own=row.author_id == person.user.pk,
            kind=row.kind,
            kind_label=row.get_kind_display() if row.kind != Comment.Kind.REMARK else "",
            text=row.text,
            at=row.created_at,
            is_held=row.let_in_at is None,
            where=row.idea.title if row.idea_id != idea.pk else "",
            may_report=row.author_id != person.user.pk and row.let_in_at is not None,
        )
        for row in rows
    )


def _history(idea: Idea) -> tuple[Entry, ...]:
    """The newest entry first; comments stand on the page themselves."""
    rows = (
        AuditEvent.objects.about(idea)
        .filter(event__startswith="ideas.idea.")
        .exclude(event="ideas.idea.commented")
        .select_related("actor")
        .order_by("-at", "-pk")
    )
    return tuple(
        Entry(
            at=row.at,
            who=_("The author") if row.data.get("by_author") else str(row.actor or _("The system")),
            what=str(SENTENCES.get(row.event.rpartition(".")[2], row.event)),
            reason=_reason(row),
        )
        for row in rows
    )


def _reason(row: AuditEvent) -> str:
    decided = row.data.get("decided")
    label = str(Idea.Reason(decided).label) if decided in Idea.Reason.values else ""
    return " · ".join(part for part in (label, str(row.data.get("reason") or "")) if part)
