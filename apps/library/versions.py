"""One version of a recipe beside another: which parts differ, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from apps.library.differences import Piece, difference
from apps.library.models import ChangeRequest, Solution, SolutionVersion
from apps.library.pages import languages_of, text_in
from apps.library.texts import LABELS, LANGUAGES, NAMES, RecipeText


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDifference:
    label: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """A version against the one before it, or another one; `differences` by language."""

    solution: Solution
    number: int
    against: int | None
    created_on: date
    author: str
    note: str
    differences: tuple[tuple[str, tuple[PartDifference, ...]], ...]
    lag_days: tuple[int, int] | None
    numbers: tuple[int, ...]
    is_newest: bool

    @property
    def others(self) -> tuple[int, ...]:
        return tuple(number for number in self.numbers if number != self.number)


def version_page(solution: Solution, number: int, *, against: int | None) -> VersionPage | None:
    """Without `against` the version before it is taken; the first one is compared with nothing."""
    numbers = tuple(solution.versions.order_by("-number").values_list("number", flat=True))
    if number not in numbers:
        return None
    if against not in numbers or against == number:
        against = next((other for other in numbers if other < number), None)
    rows = solution.versions.filter(number__in=[number, against or number])
    found = {row.number: row for row in rows.select_related("author").prefetch_related("translations")}
    new, old = found[number], found.get(against or 0)
    is_delayed = old is not None and old.lag_days != new.lag_days
    return VersionPage(
        solution=solution,
        number=number,
        against=against,
        created_on=new.created_at.date(),
        author=str(new.author or ""),
        note=new.note,
        differences=differing_parts(old, new),
        lag_days=(old.lag_days, new.lag_days) if old is not None and is_delayed else None,
        numbers=numbers,
        is_newest=number == numbers[0],
    )


def differing_parts(
    old: SolutionVersion | None, new: SolutionVersion
) -> tuple[tuple[str, tuple[PartDifference, ...]], ...]:
    languages = sorted({*languages_of(old), *languages_of(new)})
    found = []
    for language in languages:
        before = text_in(old, language) if old is not None else RecipeText()
        parts = changed_parts(before, text_in(new, language).as_dict())
        if parts:
            found.append((str(LANGUAGES[language]), parts))
    return tuple(found)


def changed_parts(before: RecipeText, after: Mapping[str, str]) -> tuple[PartDifference, ...]:
    """The parts of `after` that say something else than `before`."""
    old = before.as_dict()
    return tuple(
        PartDifference(label=str(LABELS[name]), pieces=difference(old[name], after[name]))
        for name in NAMES
        if name in after and after[name] != old[name]
    )


def request_differences(request: ChangeRequest) -> tuple[PartDifference, ...]:
    """What a colleague asked for, against the recipe as it was when they read it."""
    return changed_parts(text_in(request.version, request.language), request.changes)
