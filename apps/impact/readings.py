"""What a team makes of a result, and whether a lead signs it; the computed verdict stays as it is."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import Membership, Role, User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.ideas.people import deciding_unit
from apps.impact import words
from apps.impact.models import Effect, Reading
from apps.notifications.services import Message, notify
from apps.planning.models import Action
from apps.planning.states import FROZEN

State = Reading.State
LONGEST = 2000


class ReadingNotPossible(CxplanError):
    code = "reading_not_possible"


class ReadingSettled(CxplanError):
    code = "reading_settled"


def readings_of(action: Action) -> QuerySet[Reading]:
    """All that was said of the action's result, the newest first."""
    return Reading.objects.filter(action=action).select_related("author", "decided_by").order_by("-pk")


@transaction.atomic
def write_reading(*, action: Action, text: str, at: datetime, actor: User) -> Reading:
    """Say what the team makes of the result; one that still waits for a lead is kept as written anew.

    Raises ReadingNotPossible before there is a result, and without a text.
    """
    action = Action.objects.select_for_update(of=("self",)).select_related("unit", "challenge").get(pk=action.pk)
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise ReadingNotPossible(_("Say in a few sentences what your team makes of it."), field="text")
    effect = Effect.objects.on_target().filter(action=action).defer("series").first()
    if action.state not in FROZEN or effect is None:
        raise ReadingNotPossible(_("There is no result to read yet."), field="text")
    Reading.objects.waiting().filter(action=action).update(state=State.REPLACED)
    reading = Reading.objects.create(
        action=action,
        text=text,
        verdict=words.action_verdict(effect.status, effect.p_positive, effect.reason),
        as_of=effect.as_of,
        author=actor,
        written_at=at,
    )
    record(event="impact.reading.written", actor=actor, subject=action, data=_told(reading))
    _tell(
        [lead for lead in _leads(action) if lead != actor],
        reading,
        "impact.reading.written",
        lambda: _("A team read its result: %(unit)s") % {"unit": action.unit.display_name},
        text,
        at,
    )
    return reading


@transaction.atomic
def settle_reading(*, reading: Reading, accept: bool, reason: str = "", at: datetime, actor: User) -> Reading:
    """A lead accepts the reading, or returns it with a reason.

    Raises ReadingSettled when it does not wait any more, ReadingNotPossible for one's own or without a reason.
    """
    reading = (
        Reading.objects.select_for_update(of=("self",)).select_related("action__unit", "author").get(pk=reading.pk)
    )
    reason = reason.strip()
    if reading.state != State.WAITING:
        raise ReadingSettled(_("This reading was settled or written anew meanwhile."), field="reason")
    if reading.author_id == actor.pk:
        raise ReadingNotPossible(_("Somebody else signs what you wrote yourself."), field="reason")
    if not accept and not reason:
        raise ReadingNotPossible(
            _("Say why you return it, so that the team knows what to look at."), field="reason"
        )
    reading.state = State.ACCEPTED if accept else State.RETURNED
    reading.decided_by, reading.decided_at, reading.reason = actor, at, reason
    reading.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    event = f"impact.reading.{reading.state}"
    record(event=event, actor=actor, subject=reading.action, data=_told(reading))
    titles: dict[str, Callable[[], str]] = {
        State.ACCEPTED: lambda: _("Your reading was accepted: %(unit)s"),
        State.RETURNED: lambda: _("Your reading came back with a question: %(unit)s"),
    }
    if reading.author is not None:
        unit = reading.action.unit
        say = titles[reading.state]
        _tell([reading.author], reading, event, lambda: say() % {"unit": unit.display_name}, reason, at)
    return reading


def _leads(action: Action) -> list[User]:
    """The leads of the nearest unit at or above that of the action."""
    unit = deciding_unit(action.unit)
    members = Membership.objects.filter(unit=unit, role__in=Role.at_least(Role.LEAD), user__is_active=True)
    return list(User.objects.filter(pk__in=members.values("user"))) if unit is not None else []


def _tell(
    to: Iterable[User], reading: Reading, kind: str, title: Callable[[], str], body: str, at: datetime
) -> None:
    url = reverse("impact:action-effect", args=[reading.action.external_id])
    notify(to=to, kind=kind, say=lambda: Message(title=title(), body=body), url=url, at=at)


def _told(reading: Reading) -> dict[str, object]:
    return {
        "reading": reading.pk,
        "text": reading.text,
        "verdict": reading.verdict,
        "as_of": reading.as_of,
        "reason": reading.reason,
    }
