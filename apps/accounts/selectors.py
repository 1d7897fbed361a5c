"""Answers about units and people."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Length, Lower, Replace

from apps.accounts.models import ApiToken, Scope, Unit, User
from apps.accounts.person import Person

UNITS_SHOWN, UNITS_OFFERED = 40, 12


def chosen_unit(*, person: Person, code: str | None) -> Unit | None:
    """The unit the person looks at: the one they chose while it is in their scope, else their own."""
    units = Unit.objects.in_scope(person.scope())
    if code:
        unit = units.filter(code__iexact=code).first()
        if unit is not None:
            return unit
    own = {path for path, _ in person.roles}
    return units.filter(path__in=own).order_by("path").first() or units.order_by("path").first()


def covers_everything(scope: Scope) -> bool:
    """Whether no unit lies outside `scope`."""
    return bool(scope.paths) and not Unit.objects.exclude(scope.condition()).exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChoice:
    """A unit with the names of the units above it, the root first."""

    code: str
    name: str
    kind: str
    above: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChoices:
    """`has_more` when the list was cut; a search narrows it."""

    units: tuple[UnitChoice, ...]
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOffer:
    """What is entered to mean a unit, and where the unit stands."""

    entry: str
    place: str


def units_to_choose(
    *, scope: Scope, query: str = "", code: str = "", limit: int = UNITS_SHOWN, is_open: bool = False
) -> UnitChoices:
    """The units in scope, the tree's top first; found by any part of name, code or region, typos forgiven."""
    units = Unit.objects.in_scope(scope)
    if is_open:
        units = units.filter(closed_on=None)
    if code:
        units = units.filter(code__iexact=code)
    if query:
        likely = units.filter(
            Q(name__unaccent__icontains=query)
            | Q(name_fr__unaccent__icontains=query)
            | Q(code__icontains=query)
            | Q(region__unaccent__icontains=query)
            | Q(name__unaccent__trigram_word_similar=query)
        ).annotate(likeness=TrigramWordSimilarity(query, "name"))
        found = list(likely.order_by("-likeness", Lower("name__unaccent"), "pk")[: limit + 1])
    else:
        placed = units.annotate(depth=Length("path") - Length(Replace("path", Value("."), Value(""))))
        found = list(placed.order_by("depth", Lower("name__unaccent"), "pk")[: limit + 1])
    ancestors = {pk for unit in found for pk in unit.ancestor_ids}
    names = {unit.pk: unit.display_name for unit in Unit.objects.filter(pk__in=ancestors)} if ancestors else {}
    return UnitChoices(
        units=tuple(
            UnitChoice(
                code=unit.code,
                name=unit.display_name,
                kind=unit.kind,
                above=tuple(names[pk] for pk in unit.ancestor_ids if pk in names),
            )
            for unit in found[:limit]
        ),
        has_more=len(found) > limit,
    )


def unit_offers(*, scope: Scope, query: str) -> list[UnitOffer]:
    """Open units in scope that a few letters may mean; three queries."""
    found = units_to_choose(scope=scope, query=query, limit=UNITS_OFFERED, is_open=True).units
    entries = unit_entries({unit.code: unit.name for unit in found}, units=Unit.objects.in_scope(scope))
    return [UnitOffer(entry=entries[unit.code], place=" › ".join([*unit.above, unit.name])) for unit in found]


def unit_entries(names: Mapping[str, str], *, units: QuerySet[Unit]) -> dict[str, str]:
    """What is entered for each unit by its code: its name while no other of `units` has it, else its code."""
    shown = list(names.values())
    same = units.filter(Q(name__in=shown) | Q(name_fr__in=shown)).values_list("name", "name_fr")
    counts = Counter(name for pair in same for name in set(pair))
    return {code: name if counts[name] == 1 else code for code, name in names.items()}


def current_tokens(*, user: User, at: datetime) -> list[ApiToken]:
    """The person's keys that still work, the newest first."""
    tokens = ApiToken.objects.filter(user=user, revoked_at=None).order_by("-created_at")
    return [token for token in tokens if token.is_valid_at(at)]
