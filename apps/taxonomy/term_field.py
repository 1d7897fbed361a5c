"""A field in which a challenge is looked up by a few letters, for the forms of any app."""

from typing import Any

from django import forms
from django.db.models import Q
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy

from apps.taxonomy.models import Challenge

# The page holds the list by this name; it is filled when somebody goes there or types.
OFFERS = {
    "list": "terms",
    "autocomplete": "off",
    "hx-get": reverse_lazy("taxonomy:terms"),
    "hx-trigger": "focus once, input changed delay:200ms",
    "hx-target": "#terms",
}


class TermField(forms.CharField):
    """A current challenge by its code or its name; what is alike is offered while somebody types.

    `also` may be entered, too: the challenge that stands there already, though it is no longer in use. The page
    includes `taxonomy/_terms.html`.
    """

    also: Challenge | None = None

    default_error_messages = {
        "unknown": gettext_lazy("No challenge in use has this code or name. Choose one of the list."),
        "ambiguous": gettext_lazy("Several challenges have this name. Choose one by its code."),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs=OFFERS), max_length=200, **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        if self.also is not None and text.lower() in {self.also.code.lower(), self.also.display_name.lower()}:
            return self.also
        named = Q(code__iexact=text) | Q(name__iexact=text) | Q(name_fr__iexact=text)
        found = list(Challenge.objects.current().filter(named).order_by("pk")[:3])
        exact = [challenge for challenge in found if challenge.code.lower() == text.lower()]
        if not found:
            raise forms.ValidationError(self.error_messages["unknown"], code="unknown")
        if len(found) > 1 and not exact:
            raise forms.ValidationError(self.error_messages["ambiguous"], code="ambiguous")
        return (exact or found)[0]


def keep_term(form: forms.Form, name: str, term: Challenge | None) -> None:
    """Let the field be saved with the challenge it had before, though that is no longer in use."""
    field = form.fields[name]
    assert isinstance(field, TermField)
    field.also = term
