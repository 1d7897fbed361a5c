"""What waits for a curator, of all kinds in one list, the most urgent first?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import CharField, DateTimeField, Exists, F, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.accounts.models import Role
from apps.accounts.person import Person
from apps.core import formats
from apps.curation.models import LookAlike
from apps.ideas.models import Comment, Idea, Report
from apps.ideas.states import State
from apps.library.models import ChangeRequest, Solution, UnmappedSolution
from apps.library.solution_labels import solution_guesses
from apps.taxonomy.inbox import guesses_for
from apps.taxonomy.models import UnmappedLabel

PAGE_ROWS = 20
WORDS_SHOWN = 200


class Kind(StrEnum):
    """What an entry of the queue is; the value stands in addresses and forms."""

    IDEA = "idea"
    HELD = "held"
    COMMENT = "comment"
    CHANGE = "change"
    ALIKE = "alike"
    REVIEW = "review"
    LABEL = "label"
    SOLUTION_LABEL = "solution-label"


LABELS: Mapping[Kind, str | Promise] = {
    Kind.IDEA: gettext_lazy("Ideas to decide on"),
    Kind.HELD: gettext_lazy("Ideas to let in"),
    Kind.COMMENT: gettext_lazy("Comments to look at"),
    Kind.CHANGE: gettext_lazy("Changes asked for"),
    Kind.ALIKE: gettext_lazy("Look-alikes"),
    Kind.REVIEW: gettext_lazy("Solutions to review"),
    Kind.LABEL: gettext_lazy("Labels of challenges"),
    Kind.SOLUTION_LABEL: gettext_lazy("Labels of solutions"),
}
CHIPS: Mapping[Kind, str | Promise] = {
    Kind.IDEA: gettext_lazy("Idea"),
    Kind.HELD: gettext_lazy("Idea to let in"),
    Kind.COMMENT: pgettext_lazy("noun", "Comment"),
    Kind.CHANGE: gettext_lazy("Change asked for"),
    Kind.ALIKE: gettext_lazy("Look-alike"),
    Kind.REVIEW: gettext_lazy("Review"),
    Kind.LABEL: gettext_lazy("Challenge label"),
    Kind.SOLUTION_LABEL: gettext_lazy("Solution label"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What may be decided in place; `key` is the letter that does it for the entry in focus."""

    code: str
    label: str | Promise
    key: str = ""
    needs_text: bool = False
    needs_reason: bool = False


BEST = Decision(code="best", label=gettext_lazy("Accept the best guess"), key="a")
ASIDE = Decision(code="ignore", label=pgettext_lazy("label", "Set aside"), key="i")
DECISIONS: Mapping[Kind, tuple[Decision, ...]] = {
    Kind.IDEA: (
        Decision(code="review", label=gettext_lazy("Take into review"), key="r"),
        Decision(code="decline", label=gettext_lazy("Decline"), needs_text=True, needs_reason=True),
    ),
    Kind.HELD: (
        Decision(code="let_in", label=gettext_lazy("Let it in"), key="l"),
        Decision(code="hide", label=pgettext_lazy("verb", "Hide"), needs_text=True),
    ),
    Kind.COMMENT: (
        Decision(code="let_in", label=gettext_lazy("Let it in"), key="l"),
        Decision(code="hide", label=pgettext_lazy("verb", "Hide"), needs_text=True),
    ),
    Kind.CHANGE: (
        Decision(code="accept", label=gettext_lazy("Take it over"), key="a"),
        Decision(code="decline", label=gettext_lazy("Decline"), needs_text=True),
    ),
    Kind.ALIKE: (Decision(code="apart", label=gettext_lazy("Not the same"), key="n"),),
    Kind.REVIEW: (Decision(code="reviewed", label=gettext_lazy("Mark as reviewed"), key="r"),),
    Kind.LABEL: (BEST, ASIDE),
    Kind.SOLUTION_LABEL: (BEST, ASIDE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An entry of the queue: what it is, why it is here, and what may be decided at once."""

    kind: Kind
    pk: int
    title: str
    why: str
    url: str
    at: datetime
    is_deadline: bool = False
    is_late: bool = False
    decisions: tuple[Decision, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.pk}"

    @property
    def chip(self) -> str:
        return str(CHIPS[self.kind])


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    kind: str
    label: str
    count: int
    is_current: bool


def waiting(person: Person, at: datetime) -> Mapping[Kind, QuerySet[Any]]:
    """What waits for this person, each kind with the instant it is ordered by, as `due`."""
    scope = person.scope(Role.LEAD)
    ideas = Idea.objects.in_scope(scope).filter(hidden_at=None)
    asked = Q(state__in=(State.NEW, State.IN_REVIEW)) | Q(state=State.NEEDS_INFO, due_at__lt=at)
    unsettled = Report.objects.filter(comment=OuterRef("pk"), resolved_at=None)
    comments = Comment.objects.filter(scope.condition("idea__unit__"), hidden_at=None)
    kinds: dict[Kind, QuerySet[Any]] = {
        Kind.IDEA: ideas.filter(asked, let_in_at__isnull=False).annotate(due=Coalesce("due_at", "created_at")),
        Kind.HELD: ideas.filter(let_in_at=None).annotate(due=F("created_at")),
        Kind.COMMENT: comments.filter(Q(let_in_at=None) | Exists(unsettled)).annotate(due=F("created_at")),
        Kind.CHANGE: ChangeRequest.objects.filter(state=ChangeRequest.State.OPEN).annotate(due=F("created_at")),
        Kind.ALIKE: look_alikes(person).annotate(due=F("found_at")),
        Kind.REVIEW: Solution.objects.due_for_review(as_of=at.date()).annotate(
            due=Cast("review_due_on", DateTimeField())
        ),
    }
    if person.leads_from_the_top:
        kinds[Kind.LABEL] = UnmappedLabel.objects.waiting().annotate(due=F("first_seen_at"))
        kinds[Kind.SOLUTION_LABEL] = UnmappedSolution.objects.waiting().annotate(due=F("first_seen_at"))
    return kinds


def look_alikes(person: Person) -> QuerySet[LookAlike]:
    """Open pairs that the person may compare: their ideas are readable, and one of them theirs to decide on."""
    scope = person.scope(Role.LEAD)
    public = Q(idea__let_in_at__isnull=False) | scope.condition("idea__unit__")
    other_public = Q(other_idea=None) | Q(other_idea__let_in_at__isnull=False)
    decided_here = scope.condition("idea__unit__") | scope.condition("other_idea__unit__")
    return LookAlike.objects.open().filter(
        Q(kind=LookAlike.Kind.SOLUTIONS)
        | public & (other_public | scope.condition("other_idea__unit__")) & decided_here
    )


def queue_count(*, person: Person, at: datetime, at_most: int | None = None) -> int:
    """How much waits for the person, counted no further than `at_most`; one query."""
    return _together(waiting(person, at))[:at_most].count()


def queue_filters(*, person: Person, kind: str, at: datetime) -> tuple[Filter, ...]:
    """The kinds of which something waits, with how much; a query a kind."""
    counts = {one: rows.count() for one, rows in waiting(person, at).items()}
    shown = tuple(
        Filter(kind=one, label=str(LABELS[one]), count=count, is_current=one == kind)
        for one, count in counts.items()
        if count or one == kind
    )
    everything = Filter(kind="", label=_("Everything"), count=sum(counts.values()), is_current=not kind)
    return (everything, *shown)


def queue_page(*, person: Person, kind: str = "", number: str | None, at: datetime) -> Page[Item]:
    """One page of what waits, the most urgent first; a constant number of queries."""
    kinds = waiting(person, at)
    chosen = {one: rows for one, rows in kinds.items() if not kind or one == kind}
    page = Paginator(_together(chosen).order_by("due", "sort", "pk"), PAGE_ROWS).get_page(number)
    places = [(Kind(row["sort"]), row["pk"]) for row in page.object_list]
    items: dict[tuple[Kind, int], Item] = {}
    for one, rows in chosen.items():
        pks = [pk for found, pk in places if found == one]
        if pks:
            items |= {(one, item.pk): item for item in READERS[one](rows.filter(pk__in=pks), at)}
    shown = [items[place] for place in places if place in items]
    return Page(shown, page.number, page.paginator)


def _together(kinds: Mapping[Kind, QuerySet[Any]]) -> QuerySet[Any, Any]:
    parts: list[Any] = [
        rows.order_by().annotate(sort=Value(str(kind), output_field=CharField())).values("sort", "pk", "due")
        for kind, rows in kinds.items()
    ]
    if not parts:
        nothing: Any = Idea.objects.none().annotate(due=F("created_at"), sort=Value("", output_field=CharField()))
        parts = [nothing.values("sort", "pk", "due")]
    together: QuerySet[Any, Any] = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return together


def _ideas(rows: QuerySet[Idea], at: datetime) -> Sequence[Item]:
    return [
        Item(
            kind=Kind.IDEA,
            pk=idea.pk,
            title=idea.title,
            why=_joined(
                idea.get_state_display(), idea.unit.display_name, formats.counted(idea.vote_count, "vote")
            ),
            url=reverse("ideas:idea", args=[idea.pk]),
            at=idea.due_at or idea.created_at,
            is_deadline=idea.due_at is not None,
            is_late=idea.due_at is not None and idea.due_at < at,
            decisions=_offered(Kind.IDEA) if idea.state == State.NEW else (),
        )
        for idea in rows.select_related("unit")
    ]


def _held(rows: QuerySet[Idea], at: datetime) -> Sequence[Item]:
    return [
        Item(
            kind=Kind.HELD,
            pk=idea.pk,
            title=idea.title,
            why=_joined(
                _("Without a name") if idea.is_anonymous else _("First posts of a colleague"),
                idea.unit.display_name,
                Truncator(idea.text).chars(WORDS_SHOWN),
            ),
            url=reverse("ideas:idea", args=[idea.pk]),
            at=idea.created_at,
            decisions=_offered(Kind.HELD),
        )
        for idea in rows.select_related("unit")
    ]


def _comments(rows: QuerySet[Comment], at: datetime) -> Sequence[Item]:
    reports = Report.objects.filter(resolved_at=None).order_by("pk")
    return [
        Item(
            kind=Kind.COMMENT,
            pk=comment.pk,
            title=Truncator(comment.text).chars(WORDS_SHOWN),
            why=_joined(
                *(_("Reported: %(reason)s") % {"reason": report.reason} for report in comment.reports.all()),
                _("on “%(idea)s”") % {"idea": comment.idea.title},
            ),
            url=reverse("ideas:moderation"),
            at=comment.created_at,
            decisions=_offered(Kind.COMMENT),
        )
        for comment in rows.select_related("idea").prefetch_related(Prefetch("reports", reports))
    ]


def _changes(rows: QuerySet[ChangeRequest], at: datetime) -> Sequence[Item]:
    return [
        Item(
            kind=Kind.CHANGE,
            pk=asked.pk,
            title=asked.solution.display_title,
            why=_joined(str(asked.author), Truncator(asked.reason).chars(WORDS_SHOWN)),
            url=reverse("library:change-request", args=[asked.pk]),
            at=asked.created_at,
            decisions=_offered(Kind.CHANGE),
        )
        for asked in rows.select_related("solution", "author")
    ]


def _alike(rows: QuerySet[LookAlike], at: datetime) -> Sequence[Item]:
    return [
        Item(
            kind=Kind.ALIKE,
            pk=pair.pk,
            title=" ↔ ".join(names_of(pair)),
            why=_joined(pair.get_kind_display(), _("%(share)s alike") % {"share": formats.percent(pair.likeness)}),
            url=reverse("curation:look-alike", args=[pair.pk]),
            at=pair.found_at,
            decisions=_offered(Kind.ALIKE),
        )
        for pair in rows.select_related("solution", "other_solution", "idea", "other_idea")
    ]


def names_of(pair: LookAlike) -> tuple[str, ...]:
    """What the two are called, ideas first."""
    entries = (pair.idea, pair.other_idea, pair.solution, pair.other_solution)
    return tuple(str(entry) for entry in entries if entry is not None)


def _reviews(rows: QuerySet[Solution], at: datetime) -> Sequence[Item]:
    return [
        Item(
            kind=Kind.REVIEW,
            pk=solution.pk,
            title=solution.display_title,
            why=_joined(
                _("Last reviewed on %(day)s") % {"day": formats.short_day(solution.reviewed_on, at.date())}
                if solution.reviewed_on
                else _("Never reviewed"),
                str(solution.owner or ""),
            ),
            url=reverse("library:solution", args=[solution.code]),
            at=solution.due,  # type: ignore[attr-defined]  # annotated by `waiting`
            is_deadline=True,
            is_late=solution.due.date() < at.date(),  # type: ignore[attr-defined]  # annotated by `waiting`
            decisions=_offered(Kind.REVIEW),
        )
        for solution in rows.select_related("owner")
    ]


def _labels(rows: QuerySet[UnmappedLabel], at: datetime) -> Sequence[Item]:
    found = list(rows)
    guesses = guesses_for([label.pk for label in found], limit=1)
    return [
        _label(Kind.LABEL, label, formats.counted(label.response_count, "response"), guesses.get(label.pk))
        for label in found
    ]


def _solution_labels(rows: QuerySet[UnmappedSolution], at: datetime) -> Sequence[Item]:
    found = list(rows)
    guesses = solution_guesses([label.pk for label in found], limit=1)
    return [_label(Kind.SOLUTION_LABEL, label, "", guesses.get(label.pk)) for label in found]


def _label(kind: Kind, label: UnmappedLabel | UnmappedSolution, counted: str, guesses: Any) -> Item:
    best = guesses[0] if guesses else None
    rejected = label.rejected_count
    guess = (
        _("Best guess: %(name)s (%(share)s alike)") % {"name": best.name, "share": formats.percent(best.likeness)}
        if best
        else _("Nothing here is like it.")
    )
    waits = formats.counted(rejected, "rejected row")
    page = "taxonomy:label-list" if kind == Kind.LABEL else "library:solution-label-list"
    return Item(
        kind=kind,
        pk=label.pk,
        title=label.label,
        why=_joined(label.source, counted, waits if rejected else "", guess),
        url=reverse(page),
        at=label.first_seen_at,
        decisions=(BEST, ASIDE) if best else (ASIDE,),
    )


def _offered(kind: Kind) -> tuple[Decision, ...]:
    """What needs no reason in words."""
    return tuple(one for one in DECISIONS[kind] if not one.needs_text)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


READERS: Mapping[Kind, Callable[[QuerySet[Any], datetime], Sequence[Item]]] = {
    Kind.IDEA: _ideas,
    Kind.HELD: _held,
    Kind.COMMENT: _comments,
    Kind.CHANGE: _changes,
    Kind.ALIKE: _alike,
    Kind.REVIEW: _reviews,
    Kind.LABEL: _labels,
    Kind.SOLUTION_LABEL: _solution_labels,
}
