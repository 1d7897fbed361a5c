"""What leads decide about planning: how many problems at a time, when to ask, and what to ask before a start."""

from datetime import UTC, datetime

from django.db import transaction

from apps.accounts.models import User
from apps.accounts.services import record
from apps.planning.holding import EditConflict
from apps.planning.models import PlanningRules, ReadyItem

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@transaction.atomic
def set_planning_rules(
    *,
    focus_limit: int,
    slip_days: int,
    draft_days: int,
    task_days: int,
    actor: User | None,
    seen_at: datetime | None = None,
) -> PlanningRules:
    """Raises EditConflict."""
    # The one row is there to be held, also the first time.
    PlanningRules.objects.bulk_create([PlanningRules(updated_at=NEVER)], ignore_conflicts=True)
    rules = PlanningRules.objects.select_for_update().get()
    if seen_at is not None and rules.updated_at != seen_at:
        raise EditConflict(version=rules.updated_at.isoformat())
    given = {"focus_limit": focus_limit, "slip_days": slip_days, "draft_days": draft_days, "task_days": task_days}
    before = {name: getattr(rules, name) for name in given}
    for name, value in given.items():
        setattr(rules, name, value)
    rules.save()
    if before != given:
        data = {"before": before, "after": given}
        record(event="planning.rules.changed", actor=actor, subject=rules, data=data)
    return rules


@transaction.atomic
def add_ready_item(*, label: str, label_fr: str = "", actor: User | None) -> ReadyItem:
    """A question for every plan from now on; it comes last."""
    position = ReadyItem.objects.filter(retired_at=None).count()
    item = ReadyItem.objects.create(label=label.strip(), label_fr=label_fr.strip(), position=position)
    record(event="planning.ready_item.added", actor=actor, subject=item, data={"label": item.label})
    return item


@transaction.atomic
def retire_ready_item(*, item: ReadyItem, at: datetime, actor: User | None) -> None:
    """It is asked no more; the plans that were asked keep what they said."""
    if item.retired_at is None:
        item.retired_at = at
        item.save(update_fields=["retired_at"])
        record(event="planning.ready_item.retired", actor=actor, subject=item, data={"label": item.label})
