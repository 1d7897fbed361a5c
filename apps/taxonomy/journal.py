"""What exactly did a change of the vocabulary touch, so that it can be taken back?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django.db import connection, models, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from apps.accounts.models import AuditEvent
from apps.core.errors import CxplanError
from apps.taxonomy.models import (
    Alias,
    Challenge,
    JourneyVersion,
    Metric,
    Touchpoint,
    TouchpointPlace,
    UnmappedLabel,
)

PARTS = "parts"
# The relations of each model to many others that a change may touch.
MANY: Mapping[str, tuple[str, ...]] = {"challenge": (PARTS,), "touchpointplace": ("metrics", "challenges")}
MODELS: Mapping[str, type[models.Model]] = {
    model._meta.model_name or "": model
    for model in (Alias, Challenge, JourneyVersion, Metric, Touchpoint, TouchpointPlace, UnmappedLabel)
}
# Kept by others while time passes: an undo neither asks for it nor brings it back.
COUNTED = {"unmappedlabel": {"first_seen_at", "last_seen_at", "response_count", "rejected_count"}}

# One change of the vocabulary at a time: each one looks at the whole tree before it changes a part.
LOCK = 7_301_002

State = dict[str, Any]


class UndoRefused(CxplanError):
    code = "undo_refused"


def lock_taxonomy() -> None:
    """Wait until nobody else changes the vocabulary; lasts to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


class Journal:
    """Every row that one change touches, before and after."""

    def __init__(self) -> None:
        self.rows: list[State] = []

    def set(self, instance: models.Model, **values: Any) -> None:
        """Give `instance` new values, if they are new."""
        many = MANY.get(_name(instance), ())
        plain = {name: value for name, value in values.items() if name not in many}
        before = _state(instance, plain)
        for name, value in plain.items():
            setattr(instance, name, value)
        after = _state(instance, plain)
        changed = [name for name in before if before[name] != after[name]]
        if changed:
            instance.save(update_fields=changed)
        for name in many:
            if name in values:
                before[name] = _members(instance, name)
                getattr(instance, name).set(values[name])
                after[name] = _members(instance, name)
                if before[name] != after[name]:
                    changed.append(name)
        if changed:
            self._note(instance, {name: before[name] for name in changed}, {name: after[name] for name in changed})

    def create(self, instance: models.Model, **many: Iterable[models.Model]) -> None:
        instance.save(force_insert=True)
        for name, members in many.items():
            getattr(instance, name).set(members)
        self._note(instance, None, _whole(instance))

    def delete(self, instance: models.Model) -> None:
        self._note(instance, _whole(instance), None)
        instance.delete()

    def _note(self, instance: models.Model, before: State | None, after: State | None) -> None:
        self.rows.append({"model": _name(instance), "pk": instance.pk, "before": before, "after": after})


def undo(change: AuditEvent) -> None:
    """Put every row that `change` touched back as it was before.

    Raises UndoRefused when a row is not any more as the change left it, or is needed by something later.
    """
    rows: Sequence[State] = change.data["rows"]
    found = {(row["model"], row["pk"]): _found(row) for row in rows}
    for row in rows:
        _require_untouched(row, found[row["model"], row["pk"]])
    for row in reversed(rows):
        instance, model = found[row["model"], row["pk"]], MODELS[row["model"]]
        if row["before"] is None:
            assert instance is not None
            _remove(instance)
        elif row["after"] is None:
            _write(model(pk=row["pk"]), row["before"], is_new=True)
        else:
            assert instance is not None
            _write(instance, row["before"], is_new=False)


def _found(row: State) -> models.Model | None:
    found: models.Model | None = cast(Any, MODELS[row["model"]]).objects.filter(pk=row["pk"]).first()
    return found


def _require_untouched(row: State, instance: models.Model | None) -> None:
    if row["after"] is None and instance is None:
        return
    counted = COUNTED.get(row["model"], set())
    if row["after"] is not None and instance is not None:
        many = [name for name in MANY.get(row["model"], ()) if name in row["after"]]
        now = _state(instance, [name for name in row["after"] if name not in many])
        now |= {name: _members(instance, name) for name in many}
        if all(now[name] == value for name, value in row["after"].items() if name not in counted):
            return
    name = str(instance) if instance is not None else str((row["before"] or row["after"]).get("name", ""))
    raise UndoRefused(
        _("“%(name)s” was changed again since. Undo the later change first, or make the change by hand.")
        % {"name": name}
    )


def _remove(instance: models.Model) -> None:
    if isinstance(instance, Challenge) and (instance.aliases.exists() or instance.children.exists()):
        raise UndoRefused(_("“%(name)s” is in use by now, so it can't be taken away.") % {"name": instance})
    try:
        with transaction.atomic():
            instance.delete()
    except ProtectedError as error:
        raise UndoRefused(
            _("“%(name)s” is in use by now, so it can't be taken away.") % {"name": instance}
        ) from error


def _write(instance: models.Model, state: State, *, is_new: bool) -> None:
    many = [name for name in MANY.get(_name(instance), ()) if name in state]
    plain = [name for name in state if name not in many]
    for name in plain:
        field = cast("models.Field[Any, Any]", instance._meta.get_field(name))
        setattr(instance, name, field.to_python(state[name]))
    if is_new:
        instance.save(force_insert=True)
    elif plain:
        instance.save(update_fields=plain)
    for name in many:
        getattr(instance, name).set(state[name])


def _name(instance: models.Model) -> str:
    return instance._meta.model_name or ""


def _state(instance: models.Model, names: Iterable[str]) -> State:
    """The values of these fields as JSON has them."""
    state = {}
    for name in names:
        field = instance._meta.get_field(name)
        assert isinstance(field, models.Field)
        value = getattr(instance, field.attname)
        state[field.attname] = value.isoformat() if hasattr(value, "isoformat") else value
    return state


def _whole(instance: models.Model) -> State:
    skipped = {"path"} | COUNTED.get(_name(instance), set()) if instance.pk is None else {"path"}
    names = [
        field.attname
        for field in instance._meta.concrete_fields
        if not field.primary_key and field.attname not in skipped
    ]
    state = _state(instance, names)
    return state | {name: _members(instance, name) for name in MANY.get(_name(instance), ())}


def _members(instance: models.Model, name: str) -> list[int]:
    return sorted(getattr(instance, name).values_list("pk", flat=True))
