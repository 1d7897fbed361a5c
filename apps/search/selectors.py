"""What in the library answers a question, how much of it under each facet, and in what order?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import Role
from apps.accounts.person import Person
from apps.core.searching import Searchable
from apps.ideas.models import Idea
from apps.library.models import Solution
from apps.search.alike import Rows, alike
from apps.search.counting import Asked, answer
from apps.search.facets import Facet, solution_facets, state_facet, touchpoint_facet
from apps.search.question import CHALLENGES, IDEAS, SOLUTIONS, Question
from apps.search.shelf import best_about, current_shelf
from apps.search.words import WHOLE, Met, Words, liken, read_words
from apps.taxonomy.models import Alias, Challenge, Touchpoint

PAGE_ROWS, SECTION_ROWS = 20, 5
# What a page needs of a solution: its texts prepared for searching are many times as long.
SHOWN = ("code", "title", "title_fr", "summary", "summary_fr", "kind", "status", "cost", "lag_days")


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
class Section:
    """The hits of one kind: a page of them, or the best few with the address of all."""

    what: str
    label: str
    total: int
    hits: tuple[Hit, ...]
    url: str
    met: Met

    @property
    def without(self) -> tuple[str, ...]:
        return self.met.without

    @property
    def note(self) -> str:
        """What of the question was left out to find anything."""
        if self.met.without:
            words = ", ".join(_("“%(text)s”") % {"text": word} for word in self.met.without)
            return _("Nothing has all of these words. This was found without %(words)s.") % {"words": words}
        if self.met.most < self.met.count:
            said = {"most": self.met.most, "count": self.met.count}
            return _("Nothing has all of these words. Each of these has %(most)s of %(count)s.") % said
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    sections: tuple[Section, ...]
    facets: tuple[Facet, ...]
    # The keys of the solutions found, whatever the page, the best first.
    solutions: tuple[int, ...]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """A question with what its codes and words mean, and which rows of each kind are wanted."""

    question: Question
    person: Person
    words: Words | None
    challenge: int | None
    # A challenge, all below it and what was merged into any of them.
    under: tuple[int, ...]
    touchpoint: int | None
    first: int
    rows: int

    @property
    def has_facets(self) -> bool:
        return self.rows == PAGE_ROWS

    def cut(self, found: Sequence[int]) -> Sequence[int]:
        return found[self.first : self.first + self.rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    section: Section
    facets: tuple[Facet, ...] = ()
    solutions: tuple[int, ...] = ()


def find(question: Question, *, person: Person) -> Found:
    """At most nine queries when words are found, eight more with slips, more still when the library changed."""
    kinds = question.kinds_of_hits
    is_one = len(kinds) == 1
    challenge, under = _under(question.challenge)
    search = _Search(
        question=question,
        person=person,
        words=read_words(question.q) if question.q else None,
        challenge=challenge,
        under=under,
        touchpoint=_touchpoint(question.touchpoint),
        first=(question.page - 1) * PAGE_ROWS if is_one else 0,
        rows=PAGE_ROWS if is_one else SECTION_ROWS,
    )
    finders = {SOLUTIONS: _solutions, CHALLENGES: _challenges, IDEAS: _ideas}
    parts = [finders[kind](search) for kind in kinds]
    sections = tuple(part.section for part in parts)
    page = None
    if is_one:
        counted = _Counted(sections[0].total)
        page = Page(list(sections[0].hits), min(question.page, counted.num_pages), counted)
    return Found(
        sections=sections,
        facets=parts[0].facets if is_one else (),
        solutions=parts[0].solutions,
        page=page,
    )


def _under(code: str) -> tuple[int | None, tuple[int, ...]]:
    """The challenge that stands for a code today, and all that is counted under it; two queries."""
    if not code:
        return None, ()
    top = Challenge.objects.filter(code__iexact=code).select_related("merged_into").first()
    if top is None:
        return None, ()
    top = top.standing
    below = Q(path__startswith=top.path) | Q(merged_into__path__startswith=top.path)
    return top.pk, tuple(Challenge.objects.filter(below).values_list("pk", flat=True))


def _touchpoint(code: str) -> int | None:
    if not code:
        return None
    return Touchpoint.objects.filter(code__iexact=code).values_list("pk", flat=True).first()


# Solutions


def _solutions(search: _Search) -> _Part:
    question = search.question
    # Drafts are for those who curate, and only when they ask for them.
    statuses = (
        tuple(Solution.Status.values) if search.person.has(Role.LEAD) else (Solution.Status.PUBLISHED.value,)
    )
    status = question.status if question.status in statuses else Solution.Status.PUBLISHED.value
    shelf = current_shelf()
    likeness, met = liken(search.words, statuses=statuses, shelf=shelf) if search.words else (None, WHOLE)
    asked = Asked(
        challenge=str(search.challenge),
        touchpoint=str(search.touchpoint),
        status=status,
        statuses=statuses,
        likeness=likeness,
    )
    best = best_about(shelf, list(search.under)) if question.challenge else shelf.best
    found = answer(question, asked, shelf, best)
    pks = tuple(found.pks.tolist())
    shown = search.cut(pks)
    by_pk = Solution.objects.filter(status=status).only(*SHOWN).in_bulk(shown)
    section = Section(
        what=SOLUTIONS,
        label=_("Solutions"),
        total=len(pks),
        hits=tuple(_solution_hit(by_pk[pk]) for pk in shown if pk in by_pk),
        url=question.address(what=SOLUTIONS),
        met=met,
    )
    facets = solution_facets(question, found.counts, search.person) if search.has_facets else ()
    return _Part(section=section, facets=facets, solutions=pks)


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


# Challenges


def _challenges(search: _Search) -> _Part:
    question = search.question
    current = Challenge.objects.current()
    if question.challenge:
        current = current.filter(pk__in=search.under)
    found, met = _challenge_rows(current, search.words)
    counts = Counter(str(touchpoint) for _pk, touchpoint in found if touchpoint)
    pks = [pk for pk, touchpoint in found if not question.touchpoint or touchpoint == search.touchpoint]
    shown = search.cut(pks)
    by_pk = Challenge.objects.select_related("touchpoint").defer("search_name", "search_text").in_bulk(shown)
    section = Section(
        what=CHALLENGES,
        label=_("Challenges"),
        total=len(pks),
        hits=tuple(_challenge_hit(by_pk[pk]) for pk in shown if pk in by_pk),
        url=question.address(what=CHALLENGES),
        met=met,
    )
    return _Part(section=section, facets=touchpoint_facet(question, counts) if search.has_facets else ())


def _challenge_rows(current: QuerySet[Challenge], words: Words | None) -> tuple[Rows, Met]:
    """Those whose name, description, code, or any system's name for them, has the words."""
    if words is None:
        return list(current.order_by("search_name", "pk").values_list("pk", "touchpoint_id")), WHOLE
    names = Alias.objects.alias(plain_label=Searchable("label"))
    return alike(current, words, "pk", "touchpoint_id", then=["pk"], names=names)


def _challenge_hit(challenge: Challenge) -> Hit:
    return Hit(
        pk=challenge.pk,
        code=challenge.code,
        url=reverse("taxonomy:challenge", args=[challenge.code]),
        title=challenge.display_name,
        summary=challenge.display_description,
        note=challenge.touchpoint.display_name if challenge.touchpoint else "",
    )


# Ideas


def _ideas(search: _Search) -> _Part:
    question = search.question
    readable = Idea.objects.readable(user=search.person.user, scope=search.person.scope(Role.LEAD)).standing()
    if question.challenge:
        readable = readable.filter(challenge__in=search.under)
    if question.touchpoint:
        readable = readable.filter(challenge__touchpoint=search.touchpoint)
    then = ["-vote_count", "-pk"]
    found: Rows
    met = WHOLE
    if search.words:
        found, met = alike(readable, search.words, "pk", "state", then=then)
    else:
        found = list(readable.order_by(*then).values_list("pk", "state"))
    counts = Counter(state for _pk, state in found)
    pks = [pk for pk, state in found if not question.state or state == question.state]
    shown = search.cut(pks)
    by_pk = readable.defer("search_name", "search_text").in_bulk(shown)
    section = Section(
        what=IDEAS,
        label=_("Ideas"),
        total=len(pks),
        hits=tuple(_idea_hit(by_pk[pk]) for pk in shown if pk in by_pk),
        url=question.address(what=IDEAS),
        met=met,
    )
    return _Part(section=section, facets=state_facet(question, counts) if search.has_facets else ())


def _idea_hit(idea: Idea) -> Hit:
    return Hit(
        pk=idea.pk,
        code=str(idea.pk),
        url=reverse("ideas:idea", args=[idea.pk]),
        title=idea.title,
        summary=idea.text,
        note=_("Idea"),
        state=idea.get_state_display(),
    )
