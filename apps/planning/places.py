"""Where something can be put in place: the units to choose from, with a search."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from apps.accounts.models import Scope, Unit
from apps.planning.selectors import plannable_units

UNITS_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    unit: Unit
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPick:
    """Units to choose from, those chosen first; `is_single` when there is no choice."""

    rows: tuple[UnitRow, ...]
    has_more: bool
    query: str

    @property
    def is_single(self) -> bool:
        return len(self.rows) == 1 and not self.has_more and not self.query


def unit_choices(
    *,
    scope: Scope,
    below: Unit | None = None,
    query: str = "",
    region: str = "",
    kind: str = "",
    chosen: Sequence[str] = (),
    limit: int = UNITS_SHOWN,
) -> UnitPick:
    """The units where something can be put in place; a query finds any part of name, code or region."""
    units = plannable_units(scope=scope, below=below)
    if below is not None and not units.exists():
        units = plannable_units(scope=scope)
    ticked = list(plannable_units(scope=scope).filter(code__in=chosen)) if chosen else []
    if query:
        units = units.filter(
            Q(name__unaccent__icontains=query)
            | Q(name_fr__unaccent__icontains=query)
            | Q(code__icontains=query)
            | Q(region__unaccent__icontains=query)
        )
    if region:
        units = units.filter(region=region)
    if kind:
        units = units.filter(kind=kind)
    found = list(units.exclude(pk__in=[unit.pk for unit in ticked])[: limit + 1])
    rows = [UnitRow(unit=unit, is_chosen=True) for unit in ticked]
    rows += [UnitRow(unit=unit, is_chosen=False) for unit in found[:limit]]
    return UnitPick(rows=tuple(rows), has_more=len(found) > limit, query=query)
