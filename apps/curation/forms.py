"""The forms by which packs come in and go out, and by which curators decide."""

import json
from typing import Any, TypedDict

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.blocks import MEBIBYTE
from apps.core.errors import CxplanError
from apps.core.widgets import PlainSelectMultiple
from apps.curation.packs import Pack, PackInvalid, read_pack
from apps.curation.queue import Kind
from apps.ideas.models import Idea
from apps.taxonomy.models import Challenge

MOST_BYTES = 5 * MEBIBYTE


class ChoiceRefused(CxplanError):
    code = "choice_refused"


class Asked(TypedDict):
    """What is to be decided, on which entries."""

    kind: Kind
    decision: str
    pks: list[int]
    text: str
    reason: str


class PackForm(forms.Form):
    file = forms.FileField(
        label=_("Pack"), help_text=_("A .json file in the format of solution packs, up to 5 MB.")
    )
    as_drafts = forms.BooleanField(
        label=_("Bring the solutions in as drafts, to be read before anybody plans them"), required=False
    )

    def clean_file(self) -> Pack:
        upload = self.cleaned_data["file"]
        assert isinstance(upload, UploadedFile)
        if (upload.size or 0) > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than 5 MB. Split it into smaller packs."))
        try:
            return read_pack(json.loads(upload.read().decode("utf-8-sig")))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise forms.ValidationError(
                _("The file is not valid JSON in UTF-8. Export it again, or have it checked.")
            ) from error
        except PackInvalid as error:
            raise forms.ValidationError(
                [f"{place or '/'}: {message}" for place, message in error.problems]
            ) from error


class ExportForm(forms.Form):
    title = forms.CharField(label=_("Title of the pack"), max_length=200)
    code = forms.RegexField(
        label=_("Code"),
        regex=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        error_messages={"invalid": _("Up to 64 letters, digits, dots, dashes or underscores.")},
    )
    challenges = forms.ModelMultipleChoiceField(
        label=_("Challenges"),
        required=False,
        queryset=Challenge.objects.none(),
        widget=PlainSelectMultiple,
        help_text=_("With everything below them. None chosen: the whole library."),
    )
    with_evidence = forms.BooleanField(
        label=_("With what was measured, without naming a unit or a person"), required=False, initial=True
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["challenges"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = Challenge.objects.current().only("code", "name", "name_fr").order_by("path")


class QueueForm(forms.Form):
    """A decision on one entry (`one`), or on those that are ticked (`item` and `do`), of one kind."""

    text = forms.CharField(required=False, max_length=2_000)
    reason = forms.ChoiceField(required=False, choices=[("", ""), *Idea.Reason.choices])

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.entries = data

    def decision(self) -> Asked:
        """Raises ChoiceRefused."""
        if not self.is_valid():
            raise ChoiceRefused(gettext("This can't be done. Load the page again and repeat it."))
        if "one" in self.entries:
            entry, _between, do = str(self.entries["one"]).rpartition(":")
            entries = [entry]
        else:
            entries, do = self.entries.getlist("item"), self.entries.get("do", "")
        if not entries:
            raise ChoiceRefused(gettext("Nothing was chosen. Tick entries first."))
        parts = [entry.partition(":") for entry in entries]
        kinds = {kind for kind, _between, _pk in parts}
        pks = [int(pk) for _kind, _between, pk in parts if pk.isascii() and pk.isdecimal() and len(pk) < 18]
        if len(kinds) != 1 or not kinds <= set(Kind) or not pks:
            raise ChoiceRefused(gettext("Decide on entries of one kind at a time."))
        return Asked(
            kind=Kind(kinds.pop()),
            decision=do,
            pks=pks,
            text=self.cleaned_data["text"],
            reason=self.cleaned_data["reason"],
        )
