"""Which ideas there are, in which order, and what is like what somebody is writing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from apps.accounts.models import Role, Unit, UnitPlacement
from apps.accounts.person import Person
from apps.ideas.anonymity import author_keys
from apps.ideas.likeness import like_challenges, like_ideas, like_solutions, mentioning
from apps.ideas.models import Comment, Idea, IdeaQuerySet, Report, Vote
from apps.ideas.states import UNDECIDED, State
from apps.ideas.words import HEADINGS, TONES
from apps.library.models import Solution
from apps.taxonomy.models import Challenge

PAGE_ROWS = 20
BOARD_ROWS = 8
SIMILAR_SHOWN = 3
GUESSES_SHOWN = 4
SIMILAR_FROM = 4

SHOWS = ("open", "mine", "decide", "all")
SORTS = {
    "need": ("-vote_count", "-pk"),
    "newest": ("-pk",),
    "due": (F("due_at").asc(nulls_last=True), "-pk"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaFilters:
    """What to list; an empty field filters nothing. `show` is open, mine, decide or all."""

    show: str = "open"
    state: str = ""
    challenge: str = ""
    call: int | None = None
    unit: Unit | None = None
    q: str = ""
    sort: str = "need"

    @property
    def is_narrow(self) -> bool:
        return bool(self.state or self.challenge or self.call or self.unit or self.q)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaRow:
    """One idea in a list, in words; an anonymous author has none."""

    pk: int
    title: str
    problem: str
    challenge: str
    unit: str
    author: str
    state: str
    state_label: str
    tone: str
    votes: int
    is_voted: bool
    may_vote: bool
    comments: int
    created_at: datetime
    due_at: datetime | None
    is_late: bool
    is_held: bool
    is_hidden: bool
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The ideas of one state: how many there are, and the first few."""

    state: str
    heading: str
    count: int
    rows: tuple[IdeaRow, ...]

    @property
    def has_more(self) -> bool:
        return self.count > len(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarSolution:
    code: str
    title: str
    kind_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """What exists already and may be meant."""

    solutions: tuple[SimilarSolution, ...]
    ideas: tuple[IdeaRow, ...]

    @property
    def is_empty(self) -> bool:
        return not self.solutions and not self.ideas


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldComment:
    pk: int
    idea_pk: int
    idea: str
    author: str
    text: str
    created_at: datetime
    reports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits for somebody who may let posts in or hide them."""

    ideas: tuple[IdeaRow, ...]
    comments: tuple[HeldComment, ...]
    reported: tuple[HeldComment, ...]

    @property
    def count(self) -> int:
        return len(self.ideas) + len(self.comments) + len(self.reported)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeasHome:
    """What a member of staff sees first: what became of their ideas, what colleagues ask for, how many wait."""

    mine: tuple[IdeaRow, ...]
    needed: tuple[IdeaRow, ...]
    deciding: int
    moderating: int


def readable_ideas(person: Person) -> IdeaQuerySet:
    """What the person may read: public ideas of the whole company, their own, and all where they are lead."""
    return Idea.objects.readable(user=person.user, scope=person.scope(Role.LEAD))


def idea_page(*, person: Person, filters: IdeaFilters, number: str | None, at: datetime) -> Page[IdeaRow]:
    """One page of the ideas, in a constant number of queries."""
    ideas = _filtered(person, filters)
    order: list[Any] = [*(["-likeness"] if filters.q else []), *SORTS.get(filters.sort, SORTS["need"])]
    ideas = ideas.order_by(*order)
    page = Paginator(_with_row(ideas, person), PAGE_ROWS).get_page(number)
    return Page(_rows(page.object_list, person, at), page.number, page.paginator)  # type: ignore[arg-type]  # rows stand for the ideas


def idea_board(*, person: Person, filters: IdeaFilters, at: datetime) -> list[Column]:
    """The ideas a lead decides on by state, the longest wait first, in a constant number of queries."""
    ideas = _filtered(person, filters)
    counts = dict(ideas.order_by().values_list("state").annotate(count=Count("pk")))
    order = SORTS["due"]
    first = [ideas.filter(state=state).order_by(*order).values("pk")[:BOARD_ROWS] for state in HEADINGS]
    shown = Idea.objects.filter(pk__in=[row["pk"] for row in first[0].union(*first[1:], all=True)])
    rows: dict[str, list[IdeaRow]] = {}
    for row in _rows(_with_row(shown, person).order_by(*order), person, at):
        rows.setdefault(row.state, []).append(row)
    return [
        Column(state=state, heading=str(heading), count=counts.get(state, 0), rows=tuple(rows.get(state, ())))
        for state, heading in HEADINGS.items()
    ]


def guess_challenges(text: str) -> list[Guess]:
    """The challenges a problem in somebody's own words is most likely about."""
    if len(text.strip()) < SIMILAR_FROM:
        return []
    return [Guess(code=one.code, name=one.display_name) for one in like_challenges(text)[:GUESSES_SHOWN]]


def similar(*, text: str, person: Person, at: datetime, without: int | None = None) -> Similar:
    """Published solutions and public ideas like what somebody is writing."""
    if len(text.strip()) < SIMILAR_FROM:
        return Similar(solutions=(), ideas=())
    others = Idea.objects.public().standing()
    ideas = like_ideas(others if without is None else others.exclude(pk=without), text)
    solutions = like_solutions(Solution.objects.published(), text)[:SIMILAR_SHOWN]
    return Similar(
        solutions=tuple(
            SimilarSolution(code=one.code, title=one.display_title, kind_label=one.get_kind_display())
            for one in solutions
        ),
        ideas=tuple(_rows(_with_row(ideas, person)[:SIMILAR_SHOWN], person, at)),
    )


def merge_candidates(*, idea: Idea, text: str, person: Person, at: datetime) -> tuple[IdeaRow, ...]:
    """Ideas this one may be merged into: those that answer a search, else the likest."""
    others = Idea.objects.public().standing().exclude(pk=idea.pk).exclude(state=State.DECLINED)
    likest: list[Any] = ["-likeness", "pk"]
    found = mentioning(others, text).order_by(*likest) if text else like_ideas(others, idea.title)
    return tuple(_rows(_with_row(found, person)[:PAGE_ROWS], person, at))


def queue(*, person: Person, at: datetime) -> Queue:
    """Held ideas and comments, and reported comments, where the person is lead."""
    scope = person.scope(Role.LEAD)
    held = Idea.objects.in_scope(scope).filter(let_in_at=None, hidden_at=None).order_by("due_at", "pk")
    comments = (
        Comment.objects.filter(scope.condition("idea__unit__"))
        .select_related("idea", "author")
        .prefetch_related("reports")
        .order_by("pk")
    )
    reported = comments.filter(
        Exists(Report.objects.filter(comment=OuterRef("pk"), resolved_at=None)), hidden_at=None
    )
    return Queue(
        ideas=tuple(_rows(_with_row(held, person)[:PAGE_ROWS], person, at)),
        comments=tuple(_held(comment) for comment in comments.held()[:PAGE_ROWS]),
        reported=tuple(_held(comment) for comment in reported[:PAGE_ROWS]),
    )


def moderating_count(person: Person) -> int:
    """How much waits to be let in or looked at; two queries."""
    scope = person.scope(Role.LEAD)
    held = Idea.objects.in_scope(scope).filter(let_in_at=None, hidden_at=None).count()
    unsettled = Report.objects.filter(comment=OuterRef("pk"), resolved_at=None)
    comments = Comment.objects.filter(scope.condition("idea__unit__"), hidden_at=None)
    return held + comments.filter(Q(let_in_at=None) | Exists(unsettled)).count()


def ideas_home(*, person: Person, at: datetime, limit: int) -> IdeasHome:
    mine = Idea.objects.by(person.user).order_by(F("due_at").asc(nulls_last=True), "-pk")
    needed = Idea.objects.public().standing().filter(state__in=UNDECIDED).order_by("-vote_count", "-pk")
    is_lead = person.has(Role.LEAD)
    deciding = Idea.objects.in_scope(person.scope(Role.LEAD)).public().filter(state__in=UNDECIDED)
    return IdeasHome(
        mine=tuple(_rows(_with_row(mine, person)[:limit], person, at)),
        needed=tuple(_rows(_with_row(needed, person)[:limit], person, at)),
        deciding=deciding.count() if is_lead else 0,
        moderating=moderating_count(person) if is_lead else 0,
    )


def challenges_of_ideas() -> QuerySet[Challenge]:
    """Challenges that some idea is about, for the filter of the list."""
    about = Idea.objects.public().filter(challenge=OuterRef("pk"))
    return Challenge.objects.filter(Exists(about)).order_by("name", "pk")


def pilotable_units(person: Person, *, below: Unit | None = None) -> QuerySet[Unit]:
    """Open units that hold no other, where the person is lead."""
    inner = UnitPlacement.objects.filter(parent=OuterRef("pk"), valid__upper_inf=True)
    units = Unit.objects.in_scope(person.scope(Role.LEAD)).filter(~Exists(inner), closed_on=None)
    return (units.below(below) if below is not None else units).order_by("name", "pk")


def authors_to_tell(solution_ids: Iterable[int]) -> list[Idea]:
    """Ideas that became one of these solutions and whose authors do not know of a result yet."""
    return list(
        Idea.objects.filter(state=State.IN_LIBRARY, solution__in=list(solution_ids), told_effect_at=None)
        .select_related("solution", "author")
        .order_by("pk")
    )


def solutions_awaited() -> list[int]:
    """The solutions whose first measured effect somebody waits for."""
    waiting = Idea.objects.filter(state=State.IN_LIBRARY, told_effect_at=None)
    return list(waiting.values_list("solution_id", flat=True).distinct())


def author_label(author: object, *, is_own: bool, is_anonymous: bool) -> str:
    if is_own:
        return _("You, without your name") if is_anonymous else _("You")
    return _("A colleague, without a name") if is_anonymous else str(author)


def _filtered(person: Person, filters: IdeaFilters) -> QuerySet[Idea]:
    ideas = _shown(person, filters.show)
    if filters.state:
        ideas = ideas.filter(state=filters.state)
    if filters.challenge:
        ideas = ideas.filter(challenge__code__iexact=filters.challenge)
    if filters.call is not None:
        ideas = ideas.filter(call=filters.call)
    if filters.unit is not None:
        ideas = ideas.filter(unit__path__startswith=filters.unit.path)
    return mentioning(ideas, filters.q) if filters.q else ideas


def _shown(person: Person, show: str) -> QuerySet[Idea]:
    match show:
        case "mine":
            return Idea.objects.by(person.user)
        case "decide":
            ideas = Idea.objects.in_scope(person.scope(Role.LEAD)).standing()
            return ideas.filter(let_in_at__isnull=False, hidden_at=None)
        case "all":
            return readable_ideas(person).standing()
    return Idea.objects.public().standing().filter(state__in=UNDECIDED)


def with_votes(ideas: QuerySet[Idea], person: Person) -> QuerySet[Idea]:
    """Whether the person voted, as `is_voted` on the row."""
    of_group = Q(idea=OuterRef("pk")) | Q(idea__merged_into=OuterRef("pk"))
    return ideas.annotate(is_voted=Exists(Vote.objects.filter(of_group, user=person.user)))


def _with_row(ideas: QuerySet[Idea], person: Person) -> QuerySet[Idea]:
    """What a row says, in the query of the list itself."""
    of_group = Q(idea=OuterRef("pk")) | Q(idea__merged_into=OuterRef("pk"))
    comments = Comment.objects.public().filter(of_group).order_by().annotate(group=Value(1)).values("group")
    return (
        with_votes(ideas, person)
        .select_related("unit", "challenge", "author")
        .annotate(
            comment_count=Coalesce(
                Subquery(comments.annotate(count=Count("pk")).values("count")), 0, output_field=IntegerField()
            ),
        )
    )


def _rows(ideas: Iterable[Idea], person: Person, at: datetime) -> list[IdeaRow]:
    keys = author_keys(person.user)
    return [_row(idea, person, keys, at) for idea in ideas]


def _row(idea: Idea, person: Person, keys: tuple[str, ...], at: datetime) -> IdeaRow:
    is_own = idea.author_id == person.user.pk or idea.author_key in keys
    annotated: Any = idea
    return IdeaRow(
        pk=idea.pk,
        title=idea.title,
        problem=idea.problem,
        challenge=idea.challenge.display_name if idea.challenge else "",
        unit=idea.unit.display_name,
        author=author_label(idea.author, is_own=is_own, is_anonymous=idea.is_anonymous),
        state=idea.state,
        state_label=idea.get_state_display(),
        tone=TONES[idea.state],
        votes=idea.vote_count,
        is_voted=annotated.is_voted,
        may_vote=idea.is_public and idea.state != State.MERGED,
        comments=annotated.comment_count,
        created_at=idea.created_at,
        due_at=idea.due_at,
        is_late=idea.due_at is not None and idea.due_at < at,
        is_held=idea.is_held,
        is_hidden=idea.hidden_at is not None,
        is_own=is_own,
    )


def _held(comment: Comment) -> HeldComment:
    return HeldComment(
        pk=comment.pk,
        idea_pk=comment.idea_id,
        idea=comment.idea.title,
        author=str(comment.author or _("The author")),
        text=comment.text,
        created_at=comment.created_at,
        reports=tuple(report.reason for report in comment.reports.all() if report.resolved_at is None),
    )
