"""The form into which a table of past actions is pasted."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.imports.pasted import table_of


class PastedForm(forms.Form):
    table = forms.CharField(
        label=gettext_lazy("Paste the rows here, with their header"),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        required=False,
        strip=False,
    )
    file = forms.FileField(label=gettext_lazy("Or choose a file"), required=False)

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if not values.get("file") and not values.get("table", "").strip():
            self.add_error("table", _("Paste at least a header and one row."))
        elif values.get("file"):
            values |= {"content": values["file"].read(), "name": values["file"].name}
        else:
            values |= {"content": table_of(values["table"]), "name": "pasted.csv"}
        return values
