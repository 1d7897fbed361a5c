"""What in the library answers a question, how much of it under each facet, and in what order?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import Case, Count, Exists, F, FloatField, OuterRef, Q, QuerySet, Value, When, Window
from django.db.models.functions import Cast, Greatest, Lower
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import Role
from apps.accounts.person import Person
from apps.core.searching import Searchable
from apps.ideas.models import Idea
from apps.impact.models import RankedSolution
from apps.library.models import Solution
from apps.search.choices import COSTS, EVIDENCE, LANGUAGES, STATES
from apps.search.question import CHALLENGES, IDEAS, SOLUTIONS, Question
from apps.search.statements import solutions_statement
from apps.taxonomy.models import Alias, Challenge, Touchpoint

PAGE_ROWS, SECTION_ROWS = 20, 5
FACET_VALUES = 12
LIKE_ENOUGH = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something found; `note` says what it is in a word or two, `pk` finds its evidence."""

    pk: int
    code: str
    url: str
    title: str
    summary: str
    note: str
    state: str = ""
    cost: int | None = None
    lag_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValue:
    value: str
    label: str
    count: int
    is_chosen: bool
    # The address with this value chosen, or with the choice taken back.
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    name: str
    label: str
    values: tuple[FacetValue, ...]
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The hits of one kind: a page of them, or the best few with the address of all."""

    what: str
    label: str
    total: int
    hits: tuple[Hit, ...]
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    sections: tuple[Section, ...]
    facets: tuple[Facet, ...]
    page: Page[Hit] | None

    @property
    def total(self) -> int:
        return sum(section.total for section in self.sections)


class _Counted(Paginator):  # type: ignore[type-arg]  # takes no arguments at run time
    """Pages of something that the database has counted and cut already."""

    def __init__(self, total: int) -> None:
        super().__init__([], PAGE_ROWS)
        self.total = total

    @property
    def count(self) -> int:
        return self.total


def find(question: Question, *, person: Person) -> Found:
    """At most nine queries, whatever is found."""
    kinds = question.kinds_of_hits
    rows = PAGE_ROWS if len(kinds) == 1 else SECTION_ROWS
    first = (question.page - 1) * PAGE_ROWS if len(kinds) == 1 else 0
    under = _under(question.challenge)
    finders = {SOLUTIONS: _solutions, CHALLENGES: _challenges, IDEAS: _ideas}
    found = [finders[kind](question, person, under, first, rows) for kind in kinds]
    sections = tuple(section for section, _facets in found)
    page = None
    if len(kinds) == 1:
        counted = _Counted(sections[0].total)
        page = Page(list(sections[0].hits), min(question.page, counted.num_pages), counted)
    return Found(sections=sections, facets=found[0][1] if len(kinds) == 1 else (), page=page)


def solutions_found(question: Question, *, person: Person, limit: int) -> list[int]:
    """The ids of the solutions that answer, in order."""
    return [pk for pk, _place in _run(question, person, _under(question.challenge), 0, limit)[0]]


# Solutions

Rows = tuple[list[tuple[int, int]], dict[str, dict[str, int]], int]


def _run(question: Question, person: Person, under: list[int], first: int, rows: int) -> Rows:
    """The ids of the page's hits with their places, the counts by facet and value, and how many there are."""
    # Drafts are for those who curate, and only when they ask for them.
    may_ask = Solution.Status.values if person.has(Role.LEAD) else [Solution.Status.PUBLISHED]
    asked = question.status or Solution.Status.PUBLISHED
    values: dict[str, Any] = {
        "text": question.q,
        "kind": question.kind,
        "evidence": question.evidence,
        "verdict": question.verdict,
        "cost": question.cost,
        "language": question.language,
        "status": question.status,
        "statuses": [status for status in may_ask if status == asked] or [Solution.Status.PUBLISHED],
        "touchpoint": question.touchpoint,
        "unit_kind": question.unit_kind,
        "challenges": under,
        "after": first,
        "until": first + rows,
    }
    with connection.cursor() as cursor:
        if question.q:
            # Worked out once: as constants they let the planner use the indexes.
            cursor.execute(
                "SELECT core_unaccent(%s), (websearch_to_tsquery('english', core_unaccent(%s))"
                " || websearch_to_tsquery('french', core_unaccent(%s)))::text",
                [question.q] * 3,
            )
            words, stems = cursor.fetchone()
            part = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            values |= {"words": words, "stems": stems, "part": f"%{part}%"}
        cursor.execute(solutions_statement(question), values)
        found = cursor.fetchall()
    hits = sorted(((int(value), int(number)) for facet, value, number in found if facet == "hit"), key=_by_place)
    counts: dict[str, dict[str, int]] = {}
    for facet, value, number in found:
        if facet not in {"hit", "total"}:
            counts.setdefault(facet, {})[value] = number
    total = next(number for facet, _value, number in found if facet == "total")
    return hits, counts, total


def _by_place(hit: tuple[int, int]) -> int:
    return hit[1]


def _under(code: str) -> list[int]:
    """A challenge, all below it and what was merged into any of them."""
    if not code:
        return []
    top = Challenge.objects.filter(code__iexact=code).select_related("merged_into").first()
    if top is None:
        return []
    top = top.merged_into or top
    below = Q(path__startswith=top.path) | Q(merged_into__path__startswith=top.path)
    return list(Challenge.objects.filter(below).values_list("pk", flat=True))


def _solutions(
    question: Question, person: Person, under: list[int], first: int, rows: int
) -> tuple[Section, tuple[Facet, ...]]:
    places, counts, total = _run(question, person, under, first, rows)
    by_pk = Solution.objects.in_bulk([pk for pk, _place in places])
    hits = tuple(_solution_hit(by_pk[pk]) for pk, _place in places)
    section = Section(
        what=SOLUTIONS, label=_("Solutions"), total=total, hits=hits, url=question.address(what=SOLUTIONS)
    )
    return section, _solution_facets(question, counts, person) if rows == PAGE_ROWS else ()


def _solution_hit(solution: Solution) -> Hit:
    return Hit(
        pk=solution.pk,
        code=solution.code,
        url=reverse("library:solution", args=[solution.code]),
        title=solution.display_title,
        summary=solution.display_summary,
        note=solution.get_kind_display(),
        state=solution.get_status_display() if solution.status != Solution.Status.PUBLISHED else "",
        cost=solution.cost,
        lag_days=solution.lag_days,
    )


def _solution_facets(
    question: Question, counts: Mapping[str, Mapping[str, int]], person: Person
) -> tuple[Facet, ...]:
    challenges = {
        str(challenge.pk): challenge
        for challenge in Challenge.objects.filter(pk__in=[int(pk) for pk in _most(counts.get("challenge", {}))])
    }
    touchpoints = {
        str(touchpoint.pk): touchpoint
        for touchpoint in Touchpoint.objects.filter(pk__in=[int(pk) for pk in counts.get("touchpoint", {})])
    }
    of = _Facets(question, counts)
    facets = [
        of.named("challenge", _("Challenge"), challenges),
        of.listed("kind", _("Kind"), Solution.Kind.choices),
        of.at_least("evidence", _("Evidence, at least"), EVIDENCE),
        of.listed("verdict", _("Verdict"), RankedSolution.Verdict.choices),
        of.at_most("cost", _("Cost, at most"), COSTS),
        of.named("touchpoint", _("Touchpoint"), touchpoints),
        of.free("unit_kind", _("Used in")),
        of.listed("language", _("Languages"), LANGUAGES),
    ]
    if person.has(Role.LEAD):
        facets.append(of.all_statuses())
    return tuple(facet for facet in facets if facet.values)


def _most(counts: Mapping[str, int]) -> list[str]:
    return sorted(counts, key=lambda value: (-counts[value], value))[:FACET_VALUES]


class _Facets:
    """Makes the facets of one question from the counts by value."""

    def __init__(self, question: Question, counts: Mapping[str, Mapping[str, int]]) -> None:
        self.question = question
        self.counts = counts

    def listed(self, name: str, label: str, choices: Iterable[tuple[Any, Any]]) -> Facet:
        counts = self.counts.get(name, {})
        return self._facet(name, label, [(str(v), str(word), counts.get(str(v), 0)) for v, word in choices])

    def at_least(self, name: str, label: str, choices: Sequence[tuple[int, Any]]) -> Facet:
        counts = {int(value): number for value, number in self.counts.get(name, {}).items()}
        reach = [(str(v), str(word), sum(n for level, n in counts.items() if level >= v)) for v, word in choices]
        return self._facet(name, label, reach)

    def at_most(self, name: str, label: str, choices: Sequence[tuple[int, Any]]) -> Facet:
        counts = {int(value): number for value, number in self.counts.get(name, {}).items()}
        reach = [(str(v), str(word), sum(n for level, n in counts.items() if level <= v)) for v, word in choices]
        return self._facet(name, label, reach)

    def named(self, name: str, label: str, terms: Mapping[str, Any]) -> Facet:
        counts = self.counts.get(name, {})
        most = [pk for pk in _most(counts) if pk in terms]
        return self._facet(name, label, [(terms[pk].code, terms[pk].display_name, counts[pk]) for pk in most])

    def free(self, name: str, label: str) -> Facet:
        counts = self.counts.get(name, {})
        return self._facet(name, label, [(value, value, counts[value]) for value in _most(counts)])

    def all_statuses(self) -> Facet:
        """Every status can be asked for; only the one looked at is counted."""
        chosen = self.question.status or Solution.Status.PUBLISHED
        counts = self.counts.get("status", {})
        values = tuple(
            FacetValue(
                value=value,
                label=str(word),
                count=counts.get(value, 0),
                is_chosen=value == chosen,
                url=self.question.address(status="" if value == Solution.Status.PUBLISHED else value),
            )
            for value, word in Solution.Status.choices
        )
        return Facet(name="status", label=_("Status"), values=values, is_chosen=bool(self.question.status))

    def _facet(self, name: str, label: str, counted: Iterable[tuple[str, str, int]]) -> Facet:
        asked = getattr(self.question, name)
        chosen = "" if asked is None else str(asked).lower()
        values = tuple(
            FacetValue(
                value=value,
                label=word,
                count=number,
                is_chosen=value.lower() == chosen,
                url=self.question.address(
                    **{name: _empty(name) if value.lower() == chosen else _typed(name, value)}
                ),
            )
            for value, word, number in counted
            if number or value.lower() == chosen
        )
        return Facet(name=name, label=label, values=values, is_chosen=bool(chosen))


def _empty(name: str) -> str | None:
    return None if name in {"evidence", "cost"} else ""


def _typed(name: str, value: str) -> str | int:
    return int(value) if name in {"evidence", "cost"} else value


# Challenges


def _challenges(
    question: Question, person: Person, under: list[int], first: int, rows: int
) -> tuple[Section, tuple[Facet, ...]]:
    found: QuerySet[Challenge] = Challenge.objects.current().select_related("touchpoint")
    if question.challenge:
        found = found.filter(pk__in=under)
    if question.q:
        found = _matching_challenges(found, question.q)
    else:
        found = found.order_by(Lower("name__unaccent"), "pk")
    facets = _touchpoint_facet(question, found) if rows == PAGE_ROWS else ()
    if question.touchpoint:
        found = found.filter(touchpoint__code__iexact=question.touchpoint)
    page, total = _cut(found, first, rows)
    hits = tuple(
        Hit(
            pk=challenge.pk,
            code=challenge.code,
            url=reverse("taxonomy:challenge", args=[challenge.code]),
            title=challenge.display_name,
            summary=challenge.display_description,
            note=challenge.touchpoint.display_name if challenge.touchpoint else "",
        )
        for challenge in page
    )
    section = Section(
        what=CHALLENGES,
        label=_("Challenges"),
        total=total,
        hits=hits,
        url=question.address(what=CHALLENGES),
    )
    return section, facets


def _matching_challenges(challenges: QuerySet[Challenge], text: str) -> QuerySet[Challenge]:
    """Those whose name, description, code, or any system's name for them, has the words."""
    called = Alias.objects.filter(challenge=OuterRef("pk"), label__unaccent__icontains=text)
    words: Any = Searchable(Value(text))  # the stubs know only of texts
    return (
        challenges.annotate(
            likeness=Greatest(
                TrigramWordSimilarity(words, F("search_name")),
                Case(When(Exists(called), then=Value(0.9)), default=Value(0.0), output_field=FloatField()),
            )
        )
        .filter(Q(likeness__gte=LIKE_ENOUGH) | Q(search_text__contains=words))
        .order_by("-likeness", "pk")
    )


def _touchpoint_facet(question: Question, found: QuerySet[Challenge]) -> tuple[Facet, ...]:
    counts = _counted(found.exclude(touchpoint=None), "touchpoint_id")
    touchpoints = {str(touchpoint.pk): touchpoint for touchpoint in Touchpoint.objects.filter(pk__in=counts)}
    facet = _Facets(question, {"touchpoint": counts}).named("touchpoint", _("Touchpoint"), touchpoints)
    return (facet,) if facet.values else ()


def _cut(found: QuerySet[Any], first: int, rows: int) -> tuple[list[Any], int]:
    """The rows of a page and how many there are in all; counted apart only beyond the last page."""
    page = list(found.annotate(total_found=Window(Count("pk")))[first : first + rows])
    return page, page[0].total_found if page else (found.count() if first else 0)


def _counted(rows: QuerySet[Any], column: str) -> dict[str, int]:
    counted = rows.order_by().values_list(column).annotate(number=Count("pk", distinct=True))
    return {str(value): number for value, number in counted}


# Ideas


def _ideas(
    question: Question, person: Person, under: list[int], first: int, rows: int
) -> tuple[Section, tuple[Facet, ...]]:
    found = Idea.objects.readable(user=person.user, scope=person.scope(Role.LEAD)).standing()
    if question.q:
        words: Any = Searchable(Value(question.q))  # the stubs know only of texts
        found = (
            found.annotate(likeness=Cast(TrigramWordSimilarity(words, Searchable(F("title"))), FloatField()))
            .filter(
                Q(likeness__gte=LIKE_ENOUGH)
                | Q(title__unaccent__icontains=question.q)
                | Q(text__unaccent__icontains=question.q)
                | Q(problem__unaccent__icontains=question.q)
            )
            .order_by("-likeness", "-vote_count", "-pk")
        )
    else:
        found = found.order_by("-vote_count", "-pk")
    if question.challenge:
        found = found.filter(challenge__in=under)
    if question.touchpoint:
        found = found.filter(challenge__touchpoint__code__iexact=question.touchpoint)
    counts = _counted(found, "state") if rows == PAGE_ROWS else {}
    if question.state:
        found = found.filter(state=question.state)
    page, total = _cut(found, first, rows)
    hits = tuple(
        Hit(
            pk=idea.pk,
            code=str(idea.pk),
            url=reverse("ideas:idea", args=[idea.pk]),
            title=idea.title,
            summary=idea.text,
            note=_("Idea"),
            state=idea.get_state_display(),
        )
        for idea in page
    )
    section = Section(what=IDEAS, label=_("Ideas"), total=total, hits=hits, url=question.address(what=IDEAS))
    facet = _Facets(question, {"state": counts}).listed("state", _("State"), STATES)
    return section, (facet,) if facet.values else ()
