"""Reads what is asked from an address; what makes no sense is left out, as if it had not been asked."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.impact.models import RankedSolution
from apps.library.models import Solution
from apps.search.choices import COSTS, EVIDENCE, LANGUAGES, ORDERS, STATES, WHATS
from apps.search.question import BUBBLES, MOST_PINS, TABLE, Question


class SearchForm(forms.Form):
    q = forms.CharField(required=False, max_length=200, label=_("Words"))
    what = forms.ChoiceField(required=False, choices=WHATS)
    challenge = forms.CharField(required=False, max_length=64, label=_("Challenge"))
    touchpoint = forms.CharField(required=False, max_length=64, label=_("Touchpoint"))
    kind = forms.ChoiceField(required=False, choices=Solution.Kind.choices, label=_("Kind"))
    evidence = forms.TypedChoiceField(
        required=False, choices=EVIDENCE, coerce=int, empty_value=None, label=_("Evidence")
    )
    verdict = forms.ChoiceField(required=False, choices=RankedSolution.Verdict.choices, label=_("Verdict"))
    cost = forms.TypedChoiceField(required=False, choices=COSTS, coerce=int, empty_value=None, label=_("Cost"))
    unit_kind = forms.CharField(required=False, max_length=64, label=_("Kind of unit"))
    language = forms.ChoiceField(required=False, choices=LANGUAGES, label=pgettext_lazy("of a text", "Language"))
    status = forms.ChoiceField(required=False, choices=Solution.Status.choices, label=_("Status"))
    state = forms.ChoiceField(required=False, choices=STATES, label=_("State"))
    order = forms.ChoiceField(required=False, choices=ORDERS, label=_("Order"))
    view = forms.ChoiceField(required=False, choices=((TABLE, _("Table")), (BUBBLES, _("Bubbles"))))
    metric = forms.CharField(required=False, max_length=64, label=_("Outcome"))
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000)


def question_of(data: QueryDict) -> Question:
    form = SearchForm(data)
    form.is_valid()
    asked = {
        name: form.cleaned_data[name] for name in form.fields if form.cleaned_data.get(name) not in ("", None)
    }
    return Question(**asked, pin=tuple(dict.fromkeys(data.getlist("pin")))[:MOST_PINS])
