"""What leads enter about planning."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from apps.planning.forms import VersionField
from apps.planning.models import PlanningRules

NAMES = ("focus_limit", "slip_days", "draft_days", "task_days")


class RulesForm(forms.Form):
    seen_at = VersionField()
    focus_limit = forms.IntegerField(
        label=gettext_lazy("Problems at a time in one unit"),
        help_text=gettext_lazy("For one more, people are asked why; nothing is blocked."),
        min_value=1,
        max_value=20,
    )
    slip_days = forms.IntegerField(
        label=gettext_lazy("A start may slip by, in days"),
        help_text=gettext_lazy("After that its owner is asked: stop, or a new day?"),
        min_value=1,
        max_value=365,
    )
    draft_days = forms.IntegerField(label=gettext_lazy("A draft may rest, in days"), min_value=1, max_value=365)
    task_days = forms.IntegerField(label=gettext_lazy("A task may stay open, in days"), min_value=1, max_value=730)

    def __init__(self, data: Any = None, *, rules: PlanningRules) -> None:
        initial = {name: getattr(rules, name) for name in NAMES}
        super().__init__(
            data, initial=initial | {"seen_at": rules.updated_at.isoformat() if rules.updated_at else ""}
        )


class ReadyItemForm(forms.Form):
    label = forms.CharField(
        label=gettext_lazy("Question"),
        help_text=gettext_lazy("One that “yes” is a good reply to: “Does everybody on shift know?”"),
        max_length=200,
    )
    label_fr = forms.CharField(label=gettext_lazy("Question in French"), max_length=200, required=False)
