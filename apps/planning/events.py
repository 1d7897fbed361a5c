"""Changes to known disturbances, each one with its audit row."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Unit, User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.planning.holding import EditConflict
from apps.planning.models import Event


class EventExists(CxplanError):
    code = "event_exists"


class EventEndsTooEarly(CxplanError):
    code = "event_ends_too_early"


class EventGone(CxplanError):
    code = "event_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedEvent:
    """A disturbance told of along with an action; it is noted for the action's unit."""

    name: str
    kind: str
    starts_on: date
    ends_on: date | None


@transaction.atomic
def create_event(
    *, unit: Unit | None, kind: str, name: str, starts_on: date, ends_on: date | None, actor: User | None
) -> Event:
    """Note a disturbance in one unit, or everywhere without a unit; `ends_on` is its last day.

    Raises EventExists, EventEndsTooEarly.
    """
    event = Event(unit=unit, kind=kind, name=name.strip(), starts_on=starts_on, ends_on=ends_on)
    _check(event)
    event.save(force_insert=True)
    record(event="planning.event.created", actor=actor, subject=event, data=_snapshot(event))
    return event


@transaction.atomic
def change_event(
    *,
    event: Event,
    unit: Unit | None,
    kind: str,
    name: str,
    starts_on: date,
    ends_on: date | None,
    actor: User | None,
    seen_at: datetime | None = None,
) -> Event:
    """Raises EventGone, EditConflict, EventExists, EventEndsTooEarly."""
    event = _held(event, seen_at=seen_at)
    before = _snapshot(event)
    event.unit, event.kind, event.name = unit, kind, name.strip()
    event.starts_on, event.ends_on = starts_on, ends_on
    _check(event)
    event.save(update_fields=["unit", "kind", "name", "starts_on", "ends_on", "updated_at"])
    after = _snapshot(event)
    if after != before:
        data = {"before": before, "after": after}
        record(event="planning.event.changed", actor=actor, subject=event, data=data)
    return event


@transaction.atomic
def remove_event(*, event: Event, actor: User | None, seen_at: datetime | None = None) -> None:
    """Raises EventGone, EditConflict."""
    event = _held(event, seen_at=seen_at)
    record(event="planning.event.removed", actor=actor, subject=event, data=_snapshot(event))
    event.delete()


def _held(event: Event, *, seen_at: datetime | None) -> Event:
    """The event as it stands in the database, held until the end of the transaction."""
    rows = Event.objects.select_for_update(of=("self",)).select_related("unit")
    current = rows.filter(pk=event.pk).first()
    if current is None:
        raise EventGone(_("Somebody removed this event meanwhile."))
    if seen_at is not None and current.updated_at != seen_at:
        raise EditConflict(version=current.updated_at.isoformat())
    return current


def _check(event: Event) -> None:
    if event.ends_on is not None and event.ends_on < event.starts_on:
        raise EventEndsTooEarly(_("An event ends after it starts."), field="ends_on")
    same = Event.objects.filter(unit=event.unit, starts_on=event.starts_on, name=event.name)
    if same.exclude(pk=event.pk).exists():
        raise EventExists(_("This event is noted already."), field="name")


def _snapshot(event: Event) -> dict[str, str | None]:
    return {
        "unit": event.unit.code if event.unit else None,
        "kind": event.kind,
        "name": event.name,
        "starts_on": event.starts_on.isoformat(),
        "ends_on": event.ends_on.isoformat() if event.ends_on else None,
    }
