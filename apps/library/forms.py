"""What a list of solutions can be narrowed by."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.library.models import Solution


class SolutionFilterForm(forms.Form):
    COSTS = (("", _("any cost")), ("1", _("very low")), ("2", _("low or less")), ("3", _("moderate or less")))

    q = forms.CharField(required=False, max_length=200)
    kind = forms.ChoiceField(required=False, choices=[("", _("all kinds")), *Solution.Kind.choices])
    cost = forms.TypedChoiceField(required=False, choices=COSTS, coerce=int, empty_value=None)
