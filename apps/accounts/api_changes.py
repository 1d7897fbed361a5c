"""What the API takes to change the tree of units, and the services it leads to."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from rest_framework import serializers

from apps.accounts.models import Unit, User
from apps.accounts.regrouping import (
    MOST_PARTS,
    Part,
    close_unit,
    merge_units,
    move_unit,
    rename_unit,
    reopen_unit,
    split_unit,
)
from apps.core.serializers import InputSerializer, ReferenceField
from apps.core.viewsets import CODE_IN_PATH


class OtherUnit(ReferenceField):
    """Another unit of which the caller is the lead."""

    def rows(self) -> Any:
        return self.context["units"]


class UnitRenameInput(InputSerializer):
    name = serializers.CharField(max_length=200)
    name_fr = serializers.CharField(required=False, allow_blank=True, max_length=200)


class UnitDayInput(InputSerializer):
    on = serializers.DateField(help_text="The first day on which it holds.")


class UnitMoveInput(UnitDayInput):
    parent = OtherUnit()  # type: ignore[assignment]  # a field of that name


class UnitMergeInput(UnitDayInput):
    into = OtherUnit()


class UnitPartInput(InputSerializer):
    code = serializers.RegexField(f"^{CODE_IN_PATH}$")
    name = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)


class UnitSplitInput(UnitDayInput):
    parts = serializers.ListField(child=UnitPartInput(), min_length=2, max_length=MOST_PARTS)


class UnitNothingInput(InputSerializer):
    """A change that needs no word."""


INPUTS: Mapping[str, type[InputSerializer]] = {
    "rename": UnitRenameInput,
    "move": UnitMoveInput,
    "merge": UnitMergeInput,
    "split": UnitSplitInput,
    "close": UnitDayInput,
    "reopen": UnitNothingInput,
}


def change_unit(unit: Unit, change: str, values: Mapping[str, Any], *, as_of: date, actor: User) -> None:
    """One change by its name. Raises ChangeNotPossible."""
    match change:
        case "rename":
            name_fr = values.get("name_fr", unit.name_fr)
            rename_unit(unit=unit, name=values["name"], name_fr=name_fr, actor=actor)
        case "move":
            move_unit(unit=unit, parent=values["parent"], on=values["on"], as_of=as_of, actor=actor)
        case "merge":
            merge_units(units=[unit], into=values["into"], on=values["on"], as_of=as_of, actor=actor)
        case "split":
            parts = [Part(code=part["code"], name=part["name"]) for part in values["parts"]]
            split_unit(unit=unit, parts=parts, on=values["on"], as_of=as_of, actor=actor)
        case "close":
            close_unit(unit=unit, on=values["on"], as_of=as_of, actor=actor)
        case "reopen":
            reopen_unit(unit=unit, actor=actor)
        case _:
            raise ValueError(change)
