"""The form by which a file comes in."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from apps.accounts.person import Person
from apps.core.blocks import MEBIBYTE
from apps.core.errors import CxplanError
from apps.core.mapping import read_mapping
from apps.imports.models import ImportBatch
from apps.imports.selectors import importable_kinds

EARLIER_MAPPINGS = 20


class ImportForm(forms.Form):
    kind = forms.ChoiceField(label=_("What the file holds"))
    file = forms.FileField(
        label=_("File"),
        help_text=_("A .csv, .csv.gz, .ndjson or .xlsx file with a header row, of any size."),
        allow_empty_file=True,
    )
    source = forms.CharField(
        label=_("Source"),
        required=False,
        max_length=64,
        help_text=_("The system the file comes from, when its rows do not name one; for feedback and aliases."),
    )
    mapping = forms.FileField(
        label=_("Mapping"),
        required=False,
        help_text=_("A .toml file that says which column stands for which field. Our own columns need none."),
    )
    earlier = forms.ModelChoiceField(
        label=_("Or the mapping of an earlier import"), required=False, queryset=ImportBatch.objects.none()
    )
    is_strict = forms.BooleanField(label=_("Refuse the file if it has columns we don't know"), required=False)
    is_dry_run = forms.BooleanField(label=_("Only check it, store nothing"), required=False)

    def __init__(self, *args: Any, person: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        kinds = importable_kinds(person)
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in kinds]  # type: ignore[attr-defined]  # a ChoiceField
        mapped = ImportBatch.objects.visible_to(person).exclude(mapping=None)
        newest = list(mapped.order_by("-pk").values_list("pk", flat=True)[:EARLIER_MAPPINGS])
        earlier = self.fields["earlier"]
        assert isinstance(earlier, forms.ModelChoiceField)
        earlier.queryset = ImportBatch.objects.filter(pk__in=newest).order_by("-pk")
        if not newest:
            del self.fields["earlier"]

    def clean_mapping(self) -> dict[str, Any] | None:
        file = self.cleaned_data["mapping"]
        if not isinstance(file, UploadedFile):
            return None
        try:
            return read_mapping(file.read(MEBIBYTE).decode("utf-8-sig", "replace"))
        except CxplanError as error:
            raise forms.ValidationError(error.message, code=error.code) from error

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        earlier = values.pop("earlier", None)
        if earlier is not None and not values.get("mapping"):
            values["mapping"] = earlier.mapping
        return values
