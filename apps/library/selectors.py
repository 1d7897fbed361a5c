"""The list of solutions and the page of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramWordSimilarity
from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest, Lower

from apps.core.searching import Searchable
from apps.library.models import Solution, SolutionLink, SolutionVersion

PAGE_ROWS = 20


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredChallenge:
    code: str
    name: str
    rationale: str
    is_seen_in_use: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    number: int
    title: str
    created_on: date
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionPage:
    """A solution with its newest text, the challenges it answers and its versions, the newest first."""

    code: str
    title: str
    kind_label: str
    origin_label: str
    status: str
    cost: int | None
    effort_hours: Decimal | None
    lag_days: int
    url: str
    summary: str
    body: str
    challenges: tuple[AnsweredChallenge, ...]
    versions: tuple[VersionRow, ...]

    @property
    def is_retired(self) -> bool:
        return self.status == Solution.Status.RETIRED

    @property
    def is_draft(self) -> bool:
        return self.status == Solution.Status.DRAFT


def solution_list(
    *, query: str = "", kind: str = "", cost: int | None = None, page: str | None = None
) -> Page[SolutionCard]:
    """One page of the published solutions; a query finds words in title and summary in both languages."""
    solutions = Solution.objects.published()
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
    """Words are stemmed in both languages; accents, word parts and small slips of the title are forgiven."""
    likeness = Greatest(
        TrigramWordSimilarity(Searchable(Value(query)), Searchable("title")),
        TrigramWordSimilarity(Searchable(Value(query)), Searchable("title_fr")),
    )
    plain = Searchable(Value(query))
    words = SearchQuery(plain, config="english", search_type="plain") | SearchQuery(
        plain, config="french", search_type="plain"
    )
    return (
        solutions.annotate(likeness=likeness, rank=SearchRank(F("search_words"), words))
        .filter(
            Q(search_words=words)
            | Q(title__unaccent__icontains=query)
            | Q(title_fr__unaccent__icontains=query)
            | Q(summary__unaccent__icontains=query)
            | Q(code__icontains=query)
            | Q(likeness__gte=0.6)
        )
        .order_by(-(F("likeness") + F("rank")), "pk")
    )


def solution_page(code: str) -> SolutionPage | None:
    """A solution by its code, also a retired one; three queries."""
    solution = Solution.objects.filter(code__iexact=code).first()
    if solution is None:
        return None
    versions = list(SolutionVersion.objects.filter(solution=solution).select_related("author").order_by("-number"))
    links = (
        SolutionLink.objects.filter(solution=solution)
        .filter(
            Q(challenge__merged_into=None, challenge__retired_on=None)
            | Q(challenge__merged_into__isnull=False, challenge__merged_into__retired_on=None)
        )
        .select_related("challenge__merged_into")
        .order_by("is_seen_in_use", Lower("challenge__name"), "pk")
    )
    answered: dict[int, SolutionLink] = {}
    for link in links:
        answered.setdefault(link.challenge.standing.pk, link)
    newest = versions[0] if versions else None
    return SolutionPage(
        code=solution.code,
        title=solution.display_title,
        kind_label=solution.get_kind_display(),
        origin_label=solution.get_origin_display(),
        status=solution.status,
        cost=solution.cost,
        effort_hours=solution.effort_hours,
        lag_days=solution.lag_days,
        url=solution.url,
        summary=newest.summary if newest else "",
        body=newest.body if newest else "",
        challenges=tuple(
            AnsweredChallenge(
                code=link.challenge.standing.code,
                name=link.challenge.standing.display_name,
                rationale=link.rationale,
                is_seen_in_use=link.is_seen_in_use,
            )
            for link in answered.values()
        ),
        versions=tuple(
            VersionRow(
                number=version.number,
                title=version.title,
                created_on=version.created_at.date(),
                author=str(version.author or ""),
            )
            for version in versions
        ),
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
