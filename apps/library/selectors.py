"""The lists of solutions: filtered, searched, and by their best match."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramWordSimilarity
from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Greatest, Lower
from django.utils.safestring import SafeString

from apps.accounts.models import User
from apps.core.searching import Searchable
from apps.library.models import ChangeRequest, Playbook, PlaybookSolution, Solution, SolutionLink, Status
from apps.library.recipes import recipe_html
from apps.taxonomy.models import Challenge

PAGE_ROWS = 20
CHALLENGES_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionCard:
    """A solution in a list; its evidence is told by whoever knows it."""

    pk: int
    code: str
    title: str
    summary: str
    kind_label: str
    cost: int | None
    lag_days: int


def solution_list(
    *, query: str = "", kind: str = "", cost: int | None = None, status: str = "", page: str | None = None
) -> Page[SolutionCard]:
    """One page of the published solutions, or of those in another state; a query finds words in both languages."""
    solutions: QuerySet[Solution] = Solution.objects.filter(status=status or Status.PUBLISHED)
    if kind:
        solutions = solutions.filter(kind=kind)
    if cost is not None:
        solutions = solutions.filter(cost__lte=cost)
    solutions = search(solutions, query) if query else solutions.order_by(Lower("title__unaccent"), "pk")
    shown = Paginator(solutions, PAGE_ROWS).get_page(page)
    cards = [_card(solution) for solution in shown.object_list]
    return Page(cards, shown.number, shown.paginator)  # type: ignore[arg-type]  # cards stand for the solutions


def matching(query: str, *, limit: int) -> Sequence[SolutionCard]:
    """The published solutions that answer a query best."""
    solutions = search(Solution.objects.published(), query)
    return [_card(solution) for solution in solutions[:limit]]


def search(solutions: QuerySet[Solution], query: str) -> QuerySet[Solution]:
    """Words are stemmed in both languages; accents, word parts and small slips of the title are forgiven.

    Every condition is one that an index of the table holds ready.
    """
    asked: Any = Searchable(Value(query))  # the stubs know only of texts
    words = SearchQuery(asked, config="english", search_type="plain") | SearchQuery(
        asked, config="french", search_type="plain"
    )
    likeness = TrigramWordSimilarity(asked, "search_title")
    return (
        solutions.alias(lowered_code=Lower("code"))
        .filter(
            Q(search_words=words) | Q(search_title__trigram_word_similar=asked) | Q(lowered_code=query.lower())
        )
        .order_by((likeness + SearchRank(F("search_words"), words)).desc(), "pk")
    )


def _card(solution: Solution) -> SolutionCard:
    return SolutionCard(
        pk=solution.pk,
        code=solution.code,
        title=solution.display_title,
        summary=solution.display_summary,
        kind_label=solution.get_kind_display(),
        cost=solution.cost,
        lag_days=solution.lag_days,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkableChallenge:
    code: str
    name: str
    parent: str


def linkable_challenges(solution: Solution, *, query: str) -> tuple[LinkableChallenge, ...]:
    """The current challenges it may be linked to, those like the query first."""
    rows = Challenge.objects.current().select_related("parent")
    rows = rows.exclude(pk__in=SolutionLink.objects.filter(solution=solution).values("challenge"))
    if query:
        likeness = Greatest(TrigramWordSimilarity(query, "name"), TrigramWordSimilarity(query, "name_fr"))
        rows = (
            rows.annotate(likeness=likeness)
            .filter(
                Q(name__unaccent__icontains=query)
                | Q(name_fr__unaccent__icontains=query)
                | Q(code__icontains=query)
                | Q(likeness__gte=0.5)
            )
            .order_by("-likeness", "pk")
        )
    else:
        rows = rows.order_by("path")
    return tuple(
        LinkableChallenge(
            code=row.code, name=row.display_name, parent=row.parent.display_name if row.parent else ""
        )
        for row in rows[:CHALLENGES_SHOWN]
    )


def change_requests(*, author: User | None = None) -> QuerySet[ChangeRequest]:
    """Those that wait come first, the oldest of them on top; with `author` only their own."""
    rows = ChangeRequest.objects.select_related("solution", "author")
    if author is not None:
        rows = rows.filter(author=author)
    is_open = Case(When(state=ChangeRequest.State.OPEN, then=0), default=1)
    return rows.order_by(is_open, Case(When(state=ChangeRequest.State.OPEN, then=F("created_at"))), "-decided_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookCard:
    code: str
    title: str
    rationale: str
    is_published: bool
    status_label: str
    solutions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookStep:
    pk: int
    code: str
    title: str
    summary: str
    kind_label: str
    cost: int | None
    lag_days: int
    note: str
    is_usable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookPage:
    code: str
    title: str
    rationale: SafeString
    is_published: bool
    status_label: str
    author: str
    steps: tuple[PlaybookStep, ...]
    plannable: tuple[str, ...]
    challenge: str


def playbook_list(*, is_lead: bool, page: str | None = None) -> Page[PlaybookCard]:
    """Published playbooks; for leads also drafts and retired ones, after them."""
    playbooks = Playbook.objects.all() if is_lead else Playbook.objects.published()
    known = Solution.objects.seen_by(is_lead=is_lead)
    steps = PlaybookSolution.objects.filter(solution__in=known).select_related("solution").order_by("position")
    order = Case(When(status=Status.PUBLISHED, then=0), When(status=Status.DRAFT, then=1), default=2)
    rows = playbooks.prefetch_related(Prefetch("steps", steps)).order_by(order, Lower("title__unaccent"), "pk")
    shown = Paginator(rows, PAGE_ROWS).get_page(page)
    cards = [
        PlaybookCard(
            code=row.code,
            title=row.display_title,
            rationale=row.display_rationale,
            is_published=row.status == Status.PUBLISHED,
            status_label=row.get_status_display(),
            solutions=tuple(step.solution.display_title for step in row.steps.all()),
        )
        for row in shown.object_list
    ]
    return Page(cards, shown.number, shown.paginator)  # type: ignore[arg-type]  # cards stand for the playbooks


def playbook_page(playbook: Playbook, *, is_lead: bool) -> PlaybookPage:
    """A playbook with its solutions in order; drafts among them are for leads."""
    rows = [
        step
        for step in playbook.steps.select_related("solution").order_by("position")
        if is_lead or step.solution.status != Status.DRAFT
    ]
    plannable = tuple(step.solution.code for step in rows if step.solution.status == Status.PUBLISHED)
    links = SolutionLink.objects.filter(
        solution__in=[step.solution_id for step in rows],
        challenge__retired_on=None,
        challenge__merged_into=None,
    )
    best = (
        links.values("challenge__code").annotate(count=Count("pk")).order_by("-count", "challenge__code").first()
    )
    return PlaybookPage(
        code=playbook.code,
        title=playbook.display_title,
        rationale=recipe_html(playbook.display_rationale),
        is_published=playbook.status == Status.PUBLISHED,
        status_label=playbook.get_status_display(),
        author=str(playbook.author or ""),
        steps=tuple(
            PlaybookStep(
                pk=step.solution.pk,
                code=step.solution.code,
                title=step.solution.display_title,
                summary=step.solution.display_summary,
                kind_label=step.solution.get_kind_display(),
                cost=step.solution.cost,
                lag_days=step.solution.lag_days,
                note=step.note,
                is_usable=step.solution.status == Status.PUBLISHED,
            )
            for step in rows
        ),
        plannable=plannable,
        challenge=best["challenge__code"] if best else "",
    )


def steps_entered(playbook: Playbook | None) -> list[tuple[str, str]]:
    """The solutions of a playbook as its form shows them."""
    if playbook is None:
        return []
    return list(playbook.steps.order_by("position").values_list("solution__code", "note"))


def resolved_steps(entered: Sequence[tuple[str, str]]) -> list[tuple[Solution, str]]:
    """The solutions behind codes, in their order; a code that nobody has is left out."""
    wanted = [code.lower() for code, _note in entered]
    known = {
        solution.code.lower(): solution
        for solution in Solution.objects.alias(lowered=Lower("code")).filter(lowered__in=wanted)
    }
    return [(known[code.lower()], note) for code, note in entered if code.lower() in known]
