"""A field in which a unit is looked up by a few letters, for the forms of any app."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy

from apps.accounts.models import Unit
from apps.accounts.selectors import unit_entries

# The page holds the list by this name; it is filled when somebody goes there or types.
OFFERS = {
    "list": "units",
    "autocomplete": "off",
    "hx-get": reverse_lazy("accounts:unit-offers"),
    "hx-trigger": "focus once, input changed delay:200ms",
    "hx-target": "#units",
}


class UnitField(forms.CharField):
    """One of `units`, which the form sets, by its code or name; what is alike is offered while somebody types.

    The page includes `accounts/_units.html`.
    """

    default_error_messages = {
        "unknown": gettext_lazy("No unit of yours has this code or name. Choose one of the list."),
        "ambiguous": gettext_lazy("Several units have this name. Choose one by its code."),
    }

    def __init__(self, **options: Any) -> None:
        self.units: QuerySet[Unit] = Unit.objects.none()
        super().__init__(widget=forms.TextInput(attrs=OFFERS), max_length=200, **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        named = Q(code__iexact=text) | Q(name__iexact=text) | Q(name_fr__iexact=text)
        found = list(self.units.filter(named).order_by("pk")[:3])
        exact = [unit for unit in found if unit.code.lower() == text.lower()]
        if not found:
            raise forms.ValidationError(self.error_messages["unknown"], code="unknown")
        if len(found) > 1 and not exact:
            raise forms.ValidationError(self.error_messages["ambiguous"], code="ambiguous")
        return (exact or found)[0]


def set_units(form: forms.Form, name: str, units: QuerySet[Unit]) -> UnitField:
    """Say among which units the field looks; where it stands on one of them, it shows its name."""
    field = form.fields[name]
    assert isinstance(field, UnitField)
    field.units = units
    unit = form.initial.get(name)
    if isinstance(unit, Unit):
        form.initial[name] = unit_entries({unit.code: unit.display_name}, units=units)[unit.code]
    return field
