"""Changes to the tree of units from a date on: what happened before stays where it happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from apps.accounts.models import Membership, Role, Unit, UnitPlacement, User
from apps.accounts.services import record, refresh_unit_paths
from apps.core.errors import CxplanError

AHEAD = timedelta(days=730)
MOST_PARTS = 20


class ChangeNotPossible(CxplanError):
    code = "unit_change_not_possible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A unit that a split makes."""

    code: str
    name: str


@transaction.atomic
def rename_unit(*, unit: Unit, name: str, name_fr: str = "", actor: User | None) -> Unit:
    unit = _held([unit])[0]
    before = {"name": unit.name, "name_fr": unit.name_fr}
    unit.name, unit.name_fr = name.strip(), name_fr.strip()
    unit.save(update_fields=["name", "name_fr", "updated_at"])
    data = {"before": before, "after": {"name": unit.name, "name_fr": unit.name_fr}}
    record(event="accounts.unit.renamed", actor=actor, subject=unit, data=data)
    return unit


@transaction.atomic
def move_unit(*, unit: Unit, parent: Unit, on: date, as_of: date, actor: User | None) -> Unit:
    """Place the unit, with all that is below it, under another one from `on`. Raises ChangeNotPossible."""
    unit, parent = _held([unit, parent])
    _check_day(on, as_of=as_of)
    _check_open(parent, on)
    old = _place(unit, parent, on, as_of=as_of)
    refresh_unit_paths(as_of=as_of)
    data = {"from": old, "to": parent.code, "on": on}
    record(event="accounts.unit.moved", actor=actor, subject=unit, data=data)
    return unit


@transaction.atomic
def close_unit(*, unit: Unit, on: date, as_of: date, actor: User | None) -> Unit:
    """The first day on which nobody is served. Raises ChangeNotPossible."""
    unit = _held([unit])[0]
    _check_day(on, as_of=as_of)
    _close(unit, on)
    record(event="accounts.unit.closed", actor=actor, subject=unit, data={"on": on})
    return unit


@transaction.atomic
def reopen_unit(*, unit: Unit, actor: User | None) -> Unit:
    """As if it had not closed; actions that ended with it stay ended. Raises ChangeNotPossible."""
    unit = _held([unit])[0]
    if unit.closed_on is None:
        raise ChangeNotPossible(_("%(unit)s is open.") % {"unit": unit.display_name})
    data = {"closed_on": unit.closed_on, "successor": unit.successor.code if unit.successor else None}
    unit.closed_on, unit.successor = None, None
    unit.save(update_fields=["closed_on", "successor", "updated_at"])
    record(event="accounts.unit.reopened", actor=actor, subject=unit, data=data)
    return unit


@transaction.atomic
def merge_units(*, units: Sequence[Unit], into: Unit, on: date, as_of: date, actor: User | None) -> Unit:
    """Close `units` on a day and let them point to `into`, which their people and subunits join.

    Responses, actions and effects of before stay with the unit in which they were made.
    Raises ChangeNotPossible.
    """
    wanted = [unit for unit in dict.fromkeys(units) if unit != into]
    if not wanted:
        raise ChangeNotPossible(_("Choose another unit to merge into."), field="into")
    into, *old = _held([into, *wanted])
    _check_day(on, as_of=as_of)
    _check_open(into, on)
    for unit in old:
        if unit.pk in _above(into, on):
            raise ChangeNotPossible(_("A unit can't be merged into one below it."), field="into")
        for child in _children(unit, on):
            _place(child, into, on, as_of=as_of)
        _close(unit, on, successor=into)
        _share_people(unit, [into])
        data = {"into": into.code, "on": on}
        record(event="accounts.unit.merged", actor=actor, subject=unit, data=data)
    refresh_unit_paths(as_of=as_of)
    return into


@transaction.atomic
def split_unit(*, unit: Unit, parts: Sequence[Part], on: date, as_of: date, actor: User | None) -> list[Unit]:
    """Close the unit on a day and open its parts beside it, with the same people. Raises ChangeNotPossible."""
    unit = _held([unit])[0]
    _check_day(on, as_of=as_of)
    codes = [part.code.strip() for part in parts]
    if not 2 <= len({code.lower() for code in codes}) == len(codes) <= MOST_PARTS:
        raise ChangeNotPossible(_("Name at least two parts, each with its own code."), field="parts")
    for code in codes:
        if Unit.objects.filter(code__iexact=code).exists():
            raise ChangeNotPossible(_("There is a unit %(code)s already.") % {"code": code}, field="parts")
    above = _parent_id(unit, on)
    _close(unit, on)
    made = []
    for part in parts:
        new = Unit.objects.create(
            code=part.code.strip(),
            name=part.name.strip() or part.code.strip(),
            kind=unit.kind,
            region=unit.region,
            timezone=unit.timezone,
            attributes=unit.attributes,
            opened_on=on,
            split_from=unit,
        )
        # Placed from today on, so that whoever prepares the split sees the parts.
        UnitPlacement.objects.create(unit=new, parent_id=above, valid=DateRange(min(on, as_of), None))
        made.append(new)
    _share_people(unit, made)
    refresh_unit_paths(as_of=as_of)
    data = {"parts": codes, "on": on}
    record(event="accounts.unit.split", actor=actor, subject=unit, data=data)
    return list(Unit.objects.filter(pk__in=[new.pk for new in made]).order_by("pk"))


def successors_of(unit: Unit) -> list[Unit]:
    """The open units that took over from a closed one, followed through later merges."""
    found, seen, todo = [], {unit.pk}, [unit]
    while todo:
        current = todo.pop(0)
        following = list(Unit.objects.filter(split_from=current).order_by("pk"))
        if current.successor_id:
            following.append(Unit.objects.get(pk=current.successor_id))
        for one in following:
            if one.pk in seen:
                continue
            seen.add(one.pk)
            if one.closed_on is None:
                found.append(one)
            else:
                todo.append(one)
    return found


def _held(units: Sequence[Unit]) -> list[Unit]:
    """The units as they stand, held in one order, so that two changes never wait for each other."""
    rows = Unit.objects.select_for_update().filter(pk__in=[unit.pk for unit in units]).order_by("pk")
    by_key = {unit.pk: unit for unit in rows}
    return [by_key[unit.pk] for unit in units]


def _check_day(on: date, *, as_of: date) -> None:
    if on > as_of + AHEAD:
        raise ChangeNotPossible(_("This date is more than two years ahead. Check the year."), field="on")


def _check_open(unit: Unit, on: date) -> None:
    if unit.closed_on is not None and unit.closed_on <= on:
        raise ChangeNotPossible(_("%(unit)s is closed by then.") % {"unit": unit.display_name}, field="on")


def _close(unit: Unit, on: date, *, successor: Unit | None = None) -> None:
    if unit.closed_on is not None:
        raise ChangeNotPossible(_("%(unit)s is closed already.") % {"unit": unit.display_name}, field="on")
    if unit.opened_on is not None and on <= unit.opened_on:
        raise ChangeNotPossible(_("A unit closes after it opened."), field="on")
    open_below = [child for child in _children(unit, on) if child.closed_on is None or child.closed_on > on]
    if open_below:
        names = ", ".join(child.display_name for child in open_below[:5])
        raise ChangeNotPossible(_("Move or close what is below it first: %(names)s.") % {"names": names})
    unit.closed_on, unit.successor = on, successor
    unit.save(update_fields=["closed_on", "successor", "updated_at"])


def _children(unit: Unit, on: date) -> list[Unit]:
    below = UnitPlacement.objects.filter(parent=unit, valid__contains=on).values("unit")
    return list(Unit.objects.select_for_update().filter(pk__in=below).order_by("pk"))


def _parent_id(unit: Unit, on: date) -> int | None:
    found: int | None = (
        UnitPlacement.objects.filter(unit=unit, valid__contains=on).values_list("parent", flat=True).first()
    )
    return found


def _above(unit: Unit, on: date) -> list[int]:
    """The units above, on a day and in the end, the nearest first."""
    found: list[int] = []
    current = _parent_id(unit, on)
    while current is not None and current not in found:
        found.append(current)
        current = _parent_id(Unit(pk=current), on)
    return found


def _stands_below_itself(unit: Unit, parent: Unit, on: date) -> bool:
    """Whether it would from `on`, or once a change that is planned for later has come."""
    later = UnitPlacement.objects.filter(valid__startswith__gt=on).exclude(unit=unit)
    days = {on, *(placement.valid.lower for placement in later)}
    return unit == parent or any(unit.pk in _above(parent, day) for day in days)


def _place(unit: Unit, parent: Unit, on: date, *, as_of: date) -> str | None:
    """Another parent from a day on; what was planned for later is replaced. The code of the old parent.

    A place that was taken by `as_of` is history: neither it nor what came before it changes.
    """
    now = UnitPlacement.objects.filter(unit=unit, valid__contains=on).select_related("parent").first()
    taken = UnitPlacement.objects.filter(unit=unit, valid__startswith__gte=on, valid__startswith__lte=as_of)
    began = [now.valid.lower] if now is not None and now.valid.lower is not None and now.valid.lower >= on else []
    began += [placement.valid.lower for placement in taken.order_by("-valid")[:1]]
    if began:
        raise ChangeNotPossible(
            _("%(unit)s has stood there only since %(day)s. Choose a later date.")
            % {"unit": unit.display_name, "day": max(began).isoformat()},
            field="on",
        )
    if _stands_below_itself(unit, parent, on):
        raise ChangeNotPossible(_("A unit can't stand below itself."), field="parent")
    UnitPlacement.objects.filter(unit=unit, valid__startswith__gte=on).delete()
    if now is not None:
        now.valid = DateRange(now.valid.lower, on)
        now.save(update_fields=["valid"])
    UnitPlacement.objects.create(unit=unit, parent=parent, valid=DateRange(on, None))
    return now.parent.code if now is not None and now.parent is not None else None


def _share_people(unit: Unit, others: Sequence[Unit]) -> None:
    """Who has a role in the unit gets it in the others, unless they hold a higher one; the old one stays."""
    for membership in Membership.objects.filter(unit=unit).order_by("pk"):
        for other in others:
            row, is_new = Membership.objects.get_or_create(
                user=membership.user, unit=other, defaults={"role": membership.role}
            )
            if not is_new and Role(membership.role).rank > Role(row.role).rank:
                row.role = membership.role
                row.save(update_fields=["role"])
