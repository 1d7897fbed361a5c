"""What people enter about ideas and calls, and the words when something is wrong."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Scope, Unit
from apps.accounts.unit_field import UnitField, set_units
from apps.core.errors import CxplanError
from apps.core.uploads import IMAGES, MEBIBYTE, Upload, check_upload
from apps.ideas.models import Call, Idea
from apps.ideas.services import IdeaChanged, IdeaChanges, Trial
from apps.library.models import Solution
from apps.library.services import Facts
from apps.library.texts import HINTS, LABELS, LENGTH_MAX, LENGTHS, NAMES, PARTS, RecipeText
from apps.taxonomy.choosing import entry_of, kept_entry
from apps.taxonomy.models import Challenge
from apps.taxonomy.term_field import TermField, keep_term

PHOTO_LIMIT = 12 * MEBIBYTE
TEXT_MOST = 5_000


class DayField(forms.DateField):
    """A date, entered with the browser's own calendar."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            input_formats=["%Y-%m-%d"],
            error_messages={
                "required": gettext_lazy("Enter a date."),
                "invalid": gettext_lazy("Enter a date such as 2026-03-31."),
            },
            **options,
        )


class VersionField(forms.CharField):
    """When the person read the idea; a save on top of somebody else's is noticed by it."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput, required=False)

    def clean(self, value: Any) -> datetime | None:
        try:
            return datetime.fromisoformat(super().clean(value))
        except ValueError:
            return None


def words(rows: int, **attrs: str) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, **attrs})


def part_field(part: str) -> forms.CharField:
    """The field of one part of a recipe, in any language."""
    return forms.CharField(
        label=LABELS[part],
        help_text=HINTS[part],
        max_length=LENGTHS.get(part, LENGTH_MAX),
        required=False,
        widget=forms.TextInput if part == "title" else words(3),
    )


def choices_of(form: forms.Form, name: str) -> "forms.ModelChoiceField[Any]":
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    return field


class IdeaForm(forms.Form):
    """Four things: the problem, the idea, whether it was tried, a photo."""

    problem = forms.CharField(
        label=gettext_lazy("What is the problem?"),
        help_text=gettext_lazy("In your own words; the challenges it may belong to appear below."),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    challenge = forms.ModelChoiceField(Challenge.objects.none(), to_field_name="code", required=False)
    listed = TermField(
        label=gettext_lazy("Look the challenge up"),
        help_text=gettext_lazy("A few letters of its name; leave it empty if you are not sure."),
        required=False,
    )
    text = forms.CharField(
        label=gettext_lazy("What would you do?"),
        help_text=gettext_lazy("The first sentence becomes the title."),
        max_length=TEXT_MOST,
        widget=words(4),
        error_messages={"required": gettext_lazy("Say in a sentence what you would do.")},
    )
    is_tried = forms.BooleanField(label=gettext_lazy("We have tried it already"), required=False)
    tried_on = DayField(label=gettext_lazy("Since when?"), required=False)
    tried_unit = UnitField(
        label=gettext_lazy("Where?"), help_text=gettext_lazy("A few letters of its name."), required=False
    )
    photo = forms.FileField(
        label=gettext_lazy("A photo, if it helps"),
        help_text=gettext_lazy("Take care that no customer can be recognised."),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}),
    )
    is_anonymous = forms.BooleanField(
        label=gettext_lazy("Leave my name out"),
        help_text=gettext_lazy(
            "Nobody sees who you are. You can still be asked something, and answer here without your name."
        ),
        required=False,
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        files: "MultiValueDict[str, UploadedFile[bytes]] | None" = None,
        *,
        units: QuerySet[Unit],
        initial: dict[str, Any],
    ) -> None:
        super().__init__(data, files, initial=initial)
        choices_of(self, "challenge").queryset = Challenge.objects.current()
        set_units(self, "tried_unit", units)

    def clean_photo(self) -> Upload | None:
        file = self.cleaned_data.get("photo")
        if not file:
            return None
        try:
            return check_upload(file, kinds=IMAGES, limit=PHOTO_LIMIT)
        except CxplanError as error:
            raise forms.ValidationError(error.message) from error

    def clean(self) -> None:
        entered = self.cleaned_data
        if entered.get("is_tried"):
            for name, message in (
                ("tried_on", _("Say since when you have tried it.")),
                ("tried_unit", _("Say where you have tried it.")),
            ):
                if not entered.get(name) and name not in self.errors:
                    self.add_error(name, message)

    @property
    def chosen(self) -> Challenge | None:
        return self.cleaned_data.get("challenge") or self.cleaned_data.get("listed")

    @property
    def trial(self) -> Trial | None:
        entered = self.cleaned_data
        if not entered["is_tried"]:
            return None
        return Trial(since=entered["tried_on"], unit=entered["tried_unit"])


class EditForm(forms.Form):
    seen_at = VersionField()
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200)
    problem = forms.CharField(label=gettext_lazy("What is the problem?"), max_length=300, required=False)
    text = forms.CharField(label=gettext_lazy("What would you do?"), max_length=TEXT_MOST, widget=words(6))
    challenge = TermField(
        label=gettext_lazy("Challenge"),
        help_text=gettext_lazy("A few letters of its name; leave it empty if it is not clear yet."),
        required=False,
    )

    def __init__(self, data: QueryDict | None = None, *, idea: Idea) -> None:
        initial = {name: getattr(idea, name) for name in ("title", "problem", "text")}
        initial |= {"challenge": kept_entry(idea.challenge), "seen_at": idea.updated_at.isoformat()}
        super().__init__(data, initial=initial)
        keep_term(self, "challenge", idea.challenge)

    def changes(self) -> IdeaChanges:
        entered = self.cleaned_data
        return {
            "title": entered["title"],
            "problem": entered["problem"],
            "text": entered["text"],
            "challenge": entered["challenge"],
        }


class CommentForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Your comment"),
        max_length=TEXT_MOST,
        widget=words(3),
        error_messages={"required": gettext_lazy("Write something first.")},
    )
    is_experience = forms.BooleanField(
        label=gettext_lazy("I have tried this: it is my experience"), required=False
    )


class ReasonForm(forms.Form):
    """One text that the other person will read."""

    reason = forms.CharField(max_length=TEXT_MOST, widget=words(3))

    def __init__(self, data: QueryDict | None = None, *, label: str) -> None:
        super().__init__(data)
        self.fields["reason"].label = label
        self.fields["reason"].error_messages["required"] = _("Say why in a few words: the author reads it.")


class DeclineForm(forms.Form):
    reason = forms.ChoiceField(
        label=gettext_lazy("Which reason fits best?"),
        choices=Idea.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose the reason that fits best.")},
    )
    text = forms.CharField(
        label=gettext_lazy("In your own words, to the author"),
        max_length=TEXT_MOST,
        widget=words(3),
        error_messages={"required": gettext_lazy("Say why in a few words: the author reads it.")},
    )


class PilotForm(forms.Form):
    units = forms.ModelMultipleChoiceField(
        Unit.objects.none(),
        to_field_name="code",
        label=gettext_lazy("Who tries it first?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose where it is to be tried: at least one unit.")},
    )
    reason = forms.CharField(
        label=gettext_lazy("What should they know?"), max_length=TEXT_MOST, widget=words(3), required=False
    )

    def __init__(self, data: QueryDict | None = None, *, units: QuerySet[Unit], shown: Sequence[Unit]) -> None:
        super().__init__(data)
        choices_of(self, "units").queryset = units
        self.fields["units"].widget.choices = [(unit.code, unit.display_name) for unit in shown]


class MergeForm(forms.Form):
    into = forms.ModelChoiceField(
        Idea.objects.none(),
        label=gettext_lazy("Join it with"),
        error_messages={"required": gettext_lazy("Choose the idea it goes on as.")},
    )

    def __init__(self, data: QueryDict | None = None, *, others: QuerySet[Idea]) -> None:
        super().__init__(data)
        choices_of(self, "into").queryset = others


class RecipeForm(forms.Form):
    """An idea written down as a recipe, so that others can do the same."""

    title = forms.CharField(label=LABELS["title"], help_text=HINTS["title"], max_length=200)
    summary = forms.CharField(
        label=LABELS["summary"], help_text=HINTS["summary"], max_length=2000, widget=words(2)
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Solution.Kind.choices)
    challenge = TermField(
        label=gettext_lazy("Which challenge does it answer?"),
        help_text=gettext_lazy("A few letters of its name."),
        error_messages={"required": gettext_lazy("Choose the challenge it answers.")},
    )
    cost = forms.TypedChoiceField(
        label=gettext_lazy("Cost"),
        choices=[("", gettext_lazy("Not known")), *((str(n), str(n)) for n in range(1, 6))],
        help_text=gettext_lazy("From 1, very low, to 5, very high."),
        coerce=int,
        empty_value=None,
        required=False,
    )
    effort_hours = forms.DecimalField(
        label=gettext_lazy("Hours of work for a unit"), min_value=0, max_digits=8, decimal_places=1, required=False
    )
    lag_days = forms.IntegerField(
        label=gettext_lazy("Days until it shows"), min_value=0, max_value=730, initial=28
    )

    def __init__(self, data: QueryDict | None = None, *, idea: Idea, text: RecipeText, french: RecipeText) -> None:
        super().__init__(data, initial=self.initial_of(idea, text, french))
        for part in PARTS:
            self.fields[part] = part_field(part)
        for part in NAMES:
            self.fields[f"{part}_fr"] = part_field(part)

    @staticmethod
    def initial_of(idea: Idea, text: RecipeText, french: RecipeText) -> dict[str, Any]:
        solution = idea.solution
        facts = ("kind", "cost", "effort_hours", "lag_days")
        return {
            **text.as_dict(),
            **{f"{name}_fr": value for name, value in french.as_dict().items()},
            "challenge": entry_of(idea.challenge.code) if idea.challenge else "",
            **({name: getattr(solution, name) for name in facts} if solution else {"kind": "sop"}),
        }

    @property
    def parts(self) -> list[Any]:
        return [self[part] for part in PARTS]

    @property
    def french_parts(self) -> list[Any]:
        return [self[f"{part}_fr"] for part in NAMES]

    @property
    def has_french(self) -> bool:
        """Whether something is written in French, or wrong with it."""
        return any(field.value() or field.errors for field in self.french_parts)

    def text(self) -> RecipeText:
        return RecipeText(**{name: self.cleaned_data[name] for name in NAMES})

    def french(self) -> RecipeText:
        return RecipeText(**{name: self.cleaned_data[f"{name}_fr"] for name in NAMES})

    def facts(self) -> Facts:
        entered = self.cleaned_data
        return {
            "kind": entered["kind"],
            "cost": entered["cost"],
            "effort_hours": entered["effort_hours"],
            "lag_days": entered["lag_days"],
        }


class CallForm(forms.Form):
    """`everywhere` is offered to those who answer for the whole company."""

    title = forms.CharField(
        label=gettext_lazy("What do you ask for?"),
        help_text=gettext_lazy("A question works best: What would make the wait shorter?"),
        max_length=200,
    )
    title_fr = forms.CharField(label=gettext_lazy("The same in French"), max_length=200, required=False)
    text = forms.CharField(
        label=gettext_lazy("What people should know"), max_length=TEXT_MOST, widget=words(4), required=False
    )
    text_fr = forms.CharField(
        label=gettext_lazy("What people should know, in French"),
        max_length=TEXT_MOST,
        widget=words(4),
        required=False,
    )
    challenge = TermField(
        label=gettext_lazy("Challenge"),
        help_text=gettext_lazy("A few letters of its name."),
        error_messages={"required": gettext_lazy("Choose the challenge it is about.")},
    )
    unit = UnitField(label=gettext_lazy("Who is asked?"), help_text=gettext_lazy("A few letters of its name."))
    opens_on = DayField(label=gettext_lazy("First day"))
    closes_on = DayField(label=gettext_lazy("Last day"))

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        call: Call | None = None,
        scope: Scope,
        everywhere: bool,
        challenge: str = "",
        as_of: date,
    ) -> None:
        initial: dict[str, Any] = {
            "challenge": entry_of(challenge),
            "opens_on": as_of,
            "closes_on": as_of + timedelta(days=21),
        }
        if call is not None:
            names = ("title", "title_fr", "text", "text_fr", "closes_on")
            initial = {name: getattr(call, name) for name in names}
        super().__init__(data, initial=initial)
        if call is not None:
            for name in ("challenge", "unit", "opens_on"):
                del self.fields[name]
            return
        unit = set_units(self, "unit", Unit.objects.in_scope(scope))
        if everywhere:
            unit.required, unit.help_text = False, _("A unit with all below it; leave it empty to ask everybody.")


@contextmanager
def refusals(form: forms.BaseForm) -> Iterator[None]:
    """Put into the form why a change was refused; what follows inside the block is skipped."""
    try:
        yield
    except CxplanError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        if isinstance(error, IdeaChanged):
            # Saving again is then a decision made in knowledge of the other person's change.
            entries = cast(QueryDict, form.data).copy()
            entries["seen_at"] = error.changed_at.isoformat()
            form.data = entries
