"""How an action is held while it changes, how it gets its id, and what the audit keeps of a change."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.planning.freezing import plain
from apps.planning.models import Action, Plan


class ActionGone(CxplanError):
    code = "action_gone"


class PlanGone(CxplanError):
    code = "plan_gone"


class EditConflict(CxplanError):
    """Somebody else saved after the caller had read; `version` is what stands now."""

    code = "edit_conflict"

    def __init__(self, *, version: str) -> None:
        self.version = version
        super().__init__(self.say())

    @staticmethod
    def say() -> str:
        return _(
            "Somebody changed this after you opened it. Your entries are still here: compare, then save again."
        )


class ActionChanged(EditConflict):
    """Somebody else saved the action after the caller had read it."""

    @staticmethod
    def say() -> str:
        return _(
            "Somebody changed this action after you opened it. "
            "Your entries are still here: compare, then save again."
        )


class PlanChanged(EditConflict):
    """Somebody else saved the plan after the caller had read it."""

    @staticmethod
    def say() -> str:
        return _(
            "Somebody changed this plan after you opened it. "
            "Your entries are still here: compare, then save again."
        )


def locked(action: Action, *, seen_at: datetime | None = None) -> Action:
    """The action as it stands in the database, held until the end of the transaction."""
    rows = Action.objects.select_for_update(of=("self",)).select_related(
        "unit", "challenge__metric", "challenge__merged_into__metric", "plan", "owner"
    )
    current = rows.filter(pk=action.pk).first()
    if current is None:
        raise ActionGone(_("Somebody withdrew this action meanwhile."))
    if seen_at is not None and current.updated_at != seen_at:
        raise ActionChanged(version=current.updated_at.isoformat())
    return current


def held_plan(plan: Plan, *, seen_at: datetime | None = None) -> Plan:
    """The plan as it stands in the database, held until the end of the transaction."""
    rows = Plan.objects.select_for_update(of=("self",)).select_related("challenge__metric", "owner")
    current = rows.filter(pk=plan.pk).first()
    if current is None:
        raise PlanGone(_("Somebody withdrew this plan meanwhile."))
    if seen_at is not None and current.updated_at != seen_at:
        raise PlanChanged(version=current.updated_at.isoformat())
    return current


def locked_plan(action: Action) -> Plan | None:
    """The plan, held; always taken before the action, so that two changes never wait for each other."""
    if action.plan_id is None:
        return None
    return Plan.objects.select_for_update().filter(pk=action.plan_id).first()


def insert_action(*, external_id: str | None, **fields: Any) -> Action:
    if external_id:
        return Action.objects.create(external_id=external_id, **fields)
    with connection.cursor() as cursor:
        # Ids come from the table's own sequence, so two people at once never get the same one; an
        # imported id that happens to look like ours is passed over.
        while True:
            cursor.execute("SELECT nextval(pg_get_serial_sequence('planning_action', 'id'))")
            key = cursor.fetchone()[0]
            external_id = f"A-{key:06d}"
            if not Action.objects.filter(external_id__iexact=external_id).exists():
                return Action.objects.create(pk=key, external_id=external_id, **fields)


def set_fields(
    target: Action | Plan, names: Sequence[str], changes: Mapping[str, object]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take over the named changes; the old and the new value of each that differs."""
    differing = [name for name in names if name in changes and getattr(target, name) != changes[name]]
    before = {name: plain(getattr(target, name)) for name in differing}
    for name in differing:
        setattr(target, name, changes[name])
    return before, {name: plain(changes[name]) for name in differing}


def record_action(what: str, action: Action, actor: User | None, data: dict[str, Any]) -> None:
    record(event=f"planning.action.{what}", actor=actor, subject=action, data=data)
