"""Opening, changing and closing calls for ideas."""

from datetime import date, datetime
from typing import Any, TypedDict

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Unit, User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.ideas.models import Call
from apps.taxonomy.models import Challenge


class CallIncomplete(CxplanError):
    code = "call_incomplete"


class CallDatesNotPossible(CxplanError):
    code = "date_not_possible"


class CallNotOpen(CxplanError):
    code = "call_closed"


class CallChanges(TypedDict, total=False):
    """What may change of a call; a key that is absent stays as it is."""

    title: str
    title_fr: str
    text: str
    text_fr: str
    closes_on: date


@transaction.atomic
def create_call(
    *,
    title: str,
    title_fr: str = "",
    text: str = "",
    text_fr: str = "",
    challenge: Challenge,
    unit: Unit | None,
    opens_on: date,
    closes_on: date,
    as_of: date,
    actor: User,
) -> Call:
    """Ask the people of a unit, or everybody without one, for ideas on a challenge until a last day.

    Raises CallIncomplete, CallDatesNotPossible.
    """
    if not title.strip():
        raise CallIncomplete(_("Say in a line what you ask for."), field="title")
    if challenge.merged_into_id is not None or challenge.retired_on is not None:
        raise CallIncomplete(_("This challenge is not in use any more. Choose another one."), field="challenge")
    _check_dates(opens_on, closes_on, as_of=as_of)
    call = Call.objects.create(
        title=title.strip(),
        title_fr=title_fr.strip(),
        text=text.strip(),
        text_fr=text_fr.strip(),
        challenge=challenge,
        unit=unit,
        opens_on=opens_on,
        closes_on=closes_on,
        owner=actor,
    )
    data = {"challenge": challenge.code, "unit": unit.code if unit else None, "closes_on": closes_on}
    record(event="ideas.call.created", actor=actor, subject=call, data=data)
    return call


@transaction.atomic
def change_call(*, call: Call, changes: CallChanges, as_of: date, actor: User) -> Call:
    """Reword or extend a call; a later last day opens a closed one again. Raises CallDatesNotPossible."""
    call = Call.objects.select_for_update(no_key=True).get(pk=call.pk)
    before: dict[str, Any] = {name: getattr(call, name) for name in changes}
    for name, value in changes.items():
        setattr(call, name, value.strip() if isinstance(value, str) else value)
    if not call.title:
        raise CallIncomplete(_("Say in a line what you ask for."), field="title")
    if call.closes_on != before.get("closes_on", call.closes_on):
        _check_dates(call.opens_on, call.closes_on, as_of=as_of)
        call.closed_at = None
    call.save(update_fields=[*changes, "closed_at", "updated_at"])
    after = {name: getattr(call, name) for name in changes}
    if after != before:
        record(event="ideas.call.changed", actor=actor, subject=call, data={"before": before, "after": after})
    return call


@transaction.atomic
def close_call(*, call: Call, at: datetime, actor: User) -> Call:
    """End a call before its last day; what was proposed stays. Raises CallNotOpen."""
    call = Call.objects.select_for_update(no_key=True).get(pk=call.pk)
    if call.closed_at is not None or call.closes_on < at.date():
        raise CallNotOpen(_("This call is closed already."))
    call.closed_at = at
    call.save(update_fields=["closed_at", "updated_at"])
    record(event="ideas.call.closed", actor=actor, subject=call)
    return call


def _check_dates(opens_on: date, closes_on: date, *, as_of: date) -> None:
    if closes_on < opens_on:
        raise CallDatesNotPossible(_("A call closes after it opens."), field="closes_on")
    if closes_on < as_of:
        raise CallDatesNotPossible(_("This day is over. Choose a day to come."), field="closes_on")
