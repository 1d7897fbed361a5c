"""Looking at a unit's results and talking them over with the team: what keeps nudges away."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction

from apps.accounts.models import Unit, User
from apps.accounts.services import record
from apps.notifications.models import Conversation, ResultsSeen
from apps.notifications.selectors import open_conversation


@transaction.atomic
def open_team_conversation(*, unit: Unit, on: date, actor: User) -> Conversation:
    """The results were shared with the team; asked for twice, the window that is open stays as it is."""
    # Two at a time would open two windows.
    Unit.objects.select_for_update(no_key=True).get(pk=unit.pk)
    known = Conversation.objects.filter(unit=unit, starts_on__lte=on, ends_on__gt=on).first()
    if known is not None:
        return known
    conversation = Conversation.objects.create(
        unit=unit,
        opened_by=actor,
        starts_on=on,
        ends_on=on + timedelta(days=settings.TEAM_CONVERSATION_DAYS),
    )
    record(
        event="notifications.conversation.opened",
        actor=actor,
        subject=conversation,
        data={"unit": unit.code, "ends_on": conversation.ends_on},
    )
    return conversation


@transaction.atomic
def end_team_conversation(*, unit: Unit, on: date, actor: User) -> Conversation | None:
    conversation = open_conversation(unit=unit, on=on)
    if conversation is None or conversation.unit_id != unit.pk:
        return None
    conversation.ends_on = on
    conversation.save(update_fields=["ends_on"])
    record(event="notifications.conversation.ended", actor=actor, subject=conversation, data={"unit": unit.code})
    return conversation


def see_results(*, user: User, unit: Unit, at: datetime) -> None:
    """A look is private and changes nothing for others, so it leaves no audit row."""
    ResultsSeen.objects.update_or_create(user=user, unit=unit, defaults={"seen_at": at})
