"""What leads enter about challenges, and the words when something is wrong."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.errors import CxplanError
from apps.core.fields import CODE_PATTERN
from apps.taxonomy.models import Challenge, Metric, Touchpoint, UnmappedLabel
from apps.taxonomy.services import EditConflict, NewTerm
from apps.taxonomy.term_field import TermField

SEVERITIES = (
    (1, gettext_lazy("1 · a nuisance")),
    (2, gettext_lazy("2 · annoying")),
    (3, gettext_lazy("3 · serious")),
    (4, gettext_lazy("4 · very serious")),
    (5, gettext_lazy("5 · customers leave over it")),
)
PART = re.compile(r"^\s*(?P<code>[A-Za-z0-9][A-Za-z0-9._-]{0,63})\s*(?:[=:]\s*(?P<name>.+?))?\s*$")


@contextmanager
def refusals(form: forms.BaseForm) -> Iterator[None]:
    """Put into the form why a change was refused; what follows inside the block is skipped."""
    try:
        yield
    except CxplanError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        if isinstance(error, EditConflict):
            # Saving again is then a decision made in knowledge of the other person's change.
            entries = cast(QueryDict, form.data).copy()
            entries["seen"] = error.version
            form.data = entries


class CodeEntry(forms.RegexField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            CODE_PATTERN,
            label=gettext_lazy("Code"),
            max_length=64,
            error_messages={
                "invalid": gettext_lazy(
                    "Use letters, digits, dots, dashes and underscores; begin with a letter or digit."
                ),
                "required": gettext_lazy("Give it a code: files and other systems name it by that."),
            },
            **options,
        )


class DayField(forms.DateField):
    """A date, entered with the browser's own calendar."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            input_formats=["%Y-%m-%d"],
            **options,
        )


class ChallengeForm(forms.Form):
    """What a challenge says of itself."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        error_messages={"required": gettext_lazy("Give it a name in a few words.")},
    )
    name_fr = forms.CharField(label=gettext_lazy("Name in French"), max_length=200, required=False)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    description_fr = forms.CharField(
        label=gettext_lazy("Description in French"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    severity = forms.TypedChoiceField(
        label=gettext_lazy("Severity"), choices=SEVERITIES, coerce=int, initial=3, widget=forms.Select
    )
    metric = forms.ModelChoiceField(
        Metric.objects.none(),
        to_field_name="code",
        label=gettext_lazy("Outcome metric"),
        required=False,
        empty_label=gettext_lazy("None: it only holds others"),
        help_text=gettext_lazy("Actions that are applied keep the metric they were applied with."),
    )
    touchpoint = forms.ModelChoiceField(
        Touchpoint.objects.none(),
        to_field_name="code",
        label=gettext_lazy("Touchpoint"),
        required=False,
        empty_label=gettext_lazy("No single one"),
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        cast(Any, self.fields["metric"]).queryset = Metric.objects.order_by("name", "pk")
        touchpoints = Touchpoint.objects.filter(retired_on=None).select_related("journey")
        cast(Any, self.fields["touchpoint"]).queryset = touchpoints.order_by("journey", "position")

    @staticmethod
    def initial_of(challenge: Challenge, version: str) -> dict[str, Any]:
        return {
            "name": challenge.name,
            "name_fr": challenge.name_fr,
            "description": challenge.description,
            "description_fr": challenge.description_fr,
            "severity": challenge.severity,
            "metric": challenge.metric.code if challenge.metric else None,
            "touchpoint": challenge.touchpoint.code if challenge.touchpoint else None,
            "seen": version,
        }

    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name not in {"seen", "code", "parent"}}


class NewChallengeForm(ChallengeForm):
    code = CodeEntry(help_text=gettext_lazy("Short and stable, such as long-queue. It never changes."))
    parent = TermField(label=gettext_lazy("Under"), required=False, help_text=gettext_lazy("Empty: at the top."))
    field_order = ("name", "name_fr", "code", "parent")


class MoveForm(forms.Form):
    parent = TermField(
        label=gettext_lazy("Under"), required=False, help_text=gettext_lazy("Leave it empty to put it at the top.")
    )


class MergeForm(forms.Form):
    into = TermField(
        label=gettext_lazy("Into"), error_messages={"required": gettext_lazy("Choose the challenge that stays.")}
    )


class SplitForm(forms.Form):
    parts = forms.CharField(
        label=gettext_lazy("Parts, one a line"),
        widget=forms.Textarea(
            attrs={"rows": 4, "placeholder": "queue-at-counter = Queue at the counter\nlong-wait"}
        ),
        help_text=gettext_lazy(
            "The code of a challenge in use, or a new code and its name: code = Name | Nom en français."
        ),
        error_messages={"required": gettext_lazy("Name at least two parts.")},
    )

    def clean_parts(self) -> Sequence[Challenge | NewTerm]:
        """The parts in the order given: terms in use, and new ones with their names."""
        parts: list[Challenge | NewTerm] = []
        for line in self.cleaned_data["parts"].splitlines():
            if not line.strip():
                continue
            found = PART.match(line)
            if found is None:
                raise forms.ValidationError(
                    gettext_lazy("“%(line)s” has no code. Write code = Name."), params={"line": line.strip()[:80]}
                )
            parts.append(self._part(found["code"], found["name"] or ""))
        return parts

    def _part(self, code: str, named: str) -> Challenge | NewTerm:
        if named:
            name, _bar, name_fr = (text.strip() for text in named.partition("|"))
            return NewTerm(code=code, name=name[:200], name_fr=name_fr[:200])
        term = Challenge.objects.current().filter(code__iexact=code).first()
        if term is None:
            raise forms.ValidationError(
                gettext_lazy("No challenge in use has the code “%(code)s”. Add “= Name” to make a new one."),
                params={"code": code},
            )
        return term


class PlainForm(forms.Form):
    """Nothing to enter: the button says it all."""


class AliasForm(forms.Form):
    challenge = TermField(
        label=gettext_lazy("Means"), error_messages={"required": gettext_lazy("Choose what it means.")}
    )


class NewAliasForm(AliasForm):
    source = CodeEntry()
    label = forms.CharField(
        label=gettext_lazy("Label in that system"),
        max_length=300,
        error_messages={"required": gettext_lazy("Write the label as the other system does.")},
    )
    field_order = ("source", "label", "challenge")

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.fields["source"].label = _("Source")
        self.fields["source"].help_text = _("The system that uses it, such as helpdesk.")


class ChoiceRefused(CxplanError):
    code = "choice_refused"


class LabelsForm(forms.Form):
    """Labels with a tick, what each of them means, and what to do with them."""

    do = forms.ChoiceField(choices=[(name, name) for name in ("map", "sure", "ignore", "reopen")])
    least = forms.IntegerField(required=False, min_value=25, max_value=100)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.entries = data

    @property
    def is_for_setting_aside(self) -> bool:
        return self.cleaned_data["do"] in {"ignore", "reopen"}

    @property
    def sureness(self) -> int | None:
        """How sure a guess must be, in percent, when every such guess is accepted."""
        return (self.cleaned_data["least"] or 100) if self.cleaned_data["do"] == "sure" else None

    def require_valid(self) -> None:
        """Raises ChoiceRefused."""
        if not self.is_valid():
            raise ChoiceRefused(_("This can't be done. Load the page again and repeat it."))

    def labels(self) -> list[UnmappedLabel]:
        chosen = [int(pk) for pk in self.entries.getlist("label") if pk.isdecimal() and len(pk) < 18]
        return list(UnmappedLabel.objects.filter(pk__in=chosen).order_by("pk"))

    def meanings(self) -> list[tuple[UnmappedLabel, Challenge]]:
        """Each chosen label with the challenge beside it. Raises ChoiceRefused."""
        labels = self.labels()
        codes = {label.pk: self.entries.get(f"means-{label.pk}", "") for label in labels}
        terms = TermField(required=False)
        meanings = []
        for label in labels:
            try:
                term = terms.clean(codes[label.pk])
            except forms.ValidationError as error:
                message = f"{label.label}: {' '.join(error.messages)}"
                raise ChoiceRefused(message) from error
            if term is None:
                raise ChoiceRefused(_("Say what “%(label)s” means, or leave it out.") % {"label": label.label})
            meanings.append((label, term))
        return meanings
