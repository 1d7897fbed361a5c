"""What people enter about solutions and playbooks, and the words when something is wrong."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from django import forms
from django.core.validators import URLValidator
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.accounts.models import User
from apps.core.errors import CxplanError
from apps.library.models import Learning, Playbook, Solution, SolutionVersion
from apps.library.pages import text_in
from apps.library.playbooks import SOLUTIONS_MAX, PlaybookWords
from apps.library.services import Facts
from apps.library.texts import (
    HINTS,
    LABELS,
    LANGUAGES,
    LENGTH_MAX,
    LENGTHS,
    MAIN_LANGUAGE,
    NAMES,
    RecipeText,
)


class SolutionUnknown(CxplanError):
    code = "solution_unknown"


ROWS = {"summary": 2, "procedure": 6, "materials": 3, "body": 4}
LINKS_MAX = 20
COST_CHOICES = (
    ("", gettext_lazy("not stated")),
    ("1", pgettext_lazy("cost", "Very low")),
    ("2", pgettext_lazy("cost", "Low")),
    ("3", pgettext_lazy("cost", "Moderate")),
    ("4", pgettext_lazy("cost", "High")),
    ("5", pgettext_lazy("cost", "Very high")),
)


class SolutionFilterForm(forms.Form):
    COSTS = (
        ("", gettext_lazy("any cost")),
        ("1", gettext_lazy("very low")),
        ("2", gettext_lazy("low or less")),
        ("3", gettext_lazy("moderate or less")),
    )

    q = forms.CharField(required=False, max_length=200)
    kind = forms.ChoiceField(required=False, choices=[("", gettext_lazy("all kinds")), *Solution.Kind.choices])
    cost = forms.TypedChoiceField(required=False, choices=COSTS, coerce=int, empty_value=None)
    status = forms.ChoiceField(required=False, choices=[("", ""), *Solution.Status.choices])


class SeenField(forms.CharField):
    """When the person read what they change; a save on top of somebody else's is noticed by it."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput, required=False)

    def clean(self, value: Any) -> datetime | None:
        try:
            return datetime.fromisoformat(super().clean(value))
        except ValueError:
            return None


class LinksField(forms.CharField):
    """Addresses, one a line, each with its label behind it."""

    def clean(self, value: Any) -> list[tuple[str, str]]:
        check, found = URLValidator(schemes=["http", "https"]), []
        for line in (super().clean(value) or "").splitlines():
            address, _blank, label = line.strip().partition(" ")
            if not address:
                continue
            try:
                check(address)
            except forms.ValidationError as error:
                raise forms.ValidationError(
                    _("“%(value)s” is no link. Begin it with https://.") % {"value": address}
                ) from error
            found.append((address[:500], label.strip()[:200]))
        if len(found) > LINKS_MAX:
            raise forms.ValidationError(_("At most %(most)d links.") % {"most": LINKS_MAX})
        return found


class PersonField(forms.EmailField):
    """Somebody who may sign in, by e-mail address."""

    def clean(self, value: Any) -> User | None:
        address = super().clean(value)
        if not address:
            return None
        found = User.objects.filter(email__iexact=address, is_active=True).first()
        if found is None:
            raise forms.ValidationError(_("Nobody here has this address."))
        return found


def part_field(name: str, *, is_required: bool = False) -> forms.CharField:
    """The field of one part of a recipe, in any language."""
    if name == "title":
        return forms.CharField(
            label=LABELS[name], help_text=HINTS[name], max_length=LENGTHS[name], required=is_required
        )
    return forms.CharField(
        label=LABELS[name],
        help_text=HINTS[name],
        max_length=LENGTHS.get(name, LENGTH_MAX),
        required=False,
        widget=forms.Textarea(attrs={"rows": ROWS.get(name, 2)}),
    )


class SolutionForm(forms.Form):
    """A recipe in each language, and the facts beside it."""

    seen_at = SeenField()
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Solution.Kind.choices)
    cost = forms.TypedChoiceField(
        label=gettext_lazy("Cost"), choices=COST_CHOICES, coerce=int, empty_value=None, required=False
    )
    effort_hours = forms.DecimalField(
        label=gettext_lazy("Effort, in hours"),
        help_text=gettext_lazy("To put it in place once, all people together."),
        min_value=0,
        max_digits=8,
        decimal_places=1,
        required=False,
        localize=True,
    )
    lag_days = forms.IntegerField(
        label=gettext_lazy("Days until customers notice"), min_value=0, max_value=3_650, required=False
    )
    links = LinksField(
        label=gettext_lazy("Further reading"),
        help_text=gettext_lazy("One address a line, what it is behind it."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    owner = PersonField(
        label=gettext_lazy("Owner, by e-mail address"),
        help_text=gettext_lazy("Is asked when something is unclear, and told when a review is due."),
        required=False,
    )
    review_every_months = forms.IntegerField(
        label=gettext_lazy("Review every so many months"), min_value=1, max_value=60, required=False
    )
    source = forms.CharField(label=gettext_lazy("System it comes from"), max_length=64, required=False)
    external_ref = forms.CharField(label=gettext_lazy("Its reference there"), max_length=200, required=False)
    note = forms.CharField(
        label=gettext_lazy("What changed, and why"),
        help_text=gettext_lazy("Colleagues who use it read this."),
        max_length=1_000,
        required=False,
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        solution: Solution | None = None,
        version: SolutionVersion | None = None,
    ) -> None:
        super().__init__(data, initial=_initial(solution, version))
        for language in LANGUAGES:
            for name in NAMES:
                is_required = name == "title" and language == MAIN_LANGUAGE
                self.fields[f"{language}_{name}"] = part_field(name, is_required=is_required)

    def parts(self, language: str) -> list[forms.BoundField]:
        return [self[f"{language}_{name}"] for name in NAMES]

    @property
    def main_parts(self) -> list[forms.BoundField]:
        return self.parts(MAIN_LANGUAGE)

    @property
    def translated(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """Code, name and fields of every other language."""
        return [
            (language, str(label), self.parts(language))
            for language, label in LANGUAGES.items()
            if language != MAIN_LANGUAGE
        ]

    def text(self) -> RecipeText:
        return _text(self.cleaned_data, MAIN_LANGUAGE)

    def translations(self) -> dict[str, RecipeText]:
        return {one: _text(self.cleaned_data, one) for one in LANGUAGES if one != MAIN_LANGUAGE}

    def facts(self) -> Facts:
        entered = self.cleaned_data
        return Facts(
            kind=entered["kind"],
            cost=entered["cost"],
            effort_hours=entered["effort_hours"],
            lag_days=entered["lag_days"] or 0,
            source=entered["source"],
            external_ref=entered["external_ref"],
            owner=entered["owner"],
            review_every_months=entered["review_every_months"],
        )


class ChangeRequestForm(forms.Form):
    """What a colleague would write instead, part by part."""

    reason = forms.CharField(
        label=gettext_lazy("Why should it change?"),
        help_text=gettext_lazy("What did you see when you used it?"),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why, so that the lead can decide.")},
    )

    def __init__(self, data: Any = None, *, version: SolutionVersion, language: str) -> None:
        super().__init__(data, initial=text_in(version, language).as_dict())
        for name in NAMES:
            self.fields[name] = part_field(name)

    @property
    def parts(self) -> list[forms.BoundField]:
        return [self[name] for name in NAMES]

    def changes(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in NAMES}


class PlaybookForm(forms.Form):
    """A playbook; the solutions come as lines of a code and, behind it, the part the solution plays."""

    seen_at = SeenField()
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200)
    title_fr = forms.CharField(label=gettext_lazy("Title in French"), max_length=200, required=False)
    rationale = forms.CharField(
        label=gettext_lazy("Why together"),
        help_text=gettext_lazy("What one does for the other, and what goes wrong with one alone."),
        max_length=LENGTH_MAX,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    rationale_fr = forms.CharField(
        label=gettext_lazy("Why together, in French"),
        max_length=LENGTH_MAX,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, data: QueryDict | None = None, *, playbook: Playbook | None = None) -> None:
        initial: dict[str, Any] = {}
        if playbook is not None:
            names = ("title", "title_fr", "rationale", "rationale_fr")
            initial = {name: getattr(playbook, name) for name in names}
            initial["seen_at"] = playbook.updated_at.isoformat()
        super().__init__(data, initial=initial)

    def words(self) -> PlaybookWords:
        entered = self.cleaned_data
        return PlaybookWords(
            title=entered["title"],
            title_fr=entered["title_fr"],
            rationale=entered["rationale"],
            rationale_fr=entered["rationale_fr"],
        )


class LearningForm(forms.Form):
    statement = forms.CharField(
        label=gettext_lazy("What did the uses teach?"),
        help_text=gettext_lazy("One sentence, such as “It needs the whole shift, not one person.”"),
        max_length=500,
    )


class UseForm(forms.Form):
    action_id = forms.RegexField(
        r"^\s*[A-Za-z0-9][A-Za-z0-9._-]{0,63}\s*$",
        label=gettext_lazy("Id of the action"),
        max_length=64,
        error_messages={"invalid": gettext_lazy("This is no id of an action.")},
    )
    is_supporting = forms.TypedChoiceField(
        choices=[("yes", gettext_lazy("supports it")), ("no", gettext_lazy("contradicts it"))],
        coerce=lambda value: value == "yes",
    )


class LearningStateForm(forms.Form):
    state = forms.ChoiceField(choices=Learning.State.choices)


def steps_of(data: QueryDict) -> list[tuple[str, str]]:
    """Codes of solutions and their parts, in the order that was entered; empty rows are left out."""
    codes, notes, places = data.getlist("code"), data.getlist("step_note"), data.getlist("position")
    rows = []
    for at, code in enumerate(codes[: SOLUTIONS_MAX * 2]):
        place = places[at] if at < len(places) else ""
        order = int(place) if re.fullmatch(r"\d{1,3}", place) else 999
        if code.strip() and f"drop-{code}" not in data:
            rows.append((order, at, code.strip(), notes[at] if at < len(notes) else ""))
    return [(code, note) for _order, _at, code, note in sorted(rows)]


@contextmanager
def refusals(form: forms.BaseForm) -> Iterator[None]:
    """Put into the form why a change was refused; what follows inside the block is skipped."""
    try:
        yield
    except CxplanError as error:
        name = f"{MAIN_LANGUAGE}_{error.field}" if f"{MAIN_LANGUAGE}_{error.field}" in form.fields else error.field
        form.add_error(name if name in form.fields else None, error.message)
        changed_at = getattr(error, "changed_at", None)
        if changed_at is not None:
            # Saving again is then a decision made in knowledge of the other person's change.
            entries = cast(QueryDict, form.data).copy()
            entries["seen_at"] = changed_at.isoformat()
            form.data = entries


def _text(entered: Mapping[str, str], language: str) -> RecipeText:
    return replace(RecipeText(), **{name: entered[f"{language}_{name}"] for name in NAMES})


def _initial(solution: Solution | None, version: SolutionVersion | None) -> dict[str, Any]:
    initial: dict[str, Any] = {}
    if solution is not None:
        names: Sequence[str] = tuple(Facts.__annotations__)
        initial = {name: getattr(solution, name) for name in names if name != "owner"}
        initial["owner"] = solution.owner.email if solution.owner else ""
        initial["seen_at"] = solution.updated_at.isoformat()
        first = [(solution.url, "")] if solution.url else []
        more = solution.web_links.order_by("position").values_list("url", "label")
        initial["links"] = "\n".join(f"{url} {label}".strip() for url, label in (*first, *more))
        initial[f"{MAIN_LANGUAGE}_title"] = solution.title
        initial["fr_title"] = solution.title_fr
    if version is not None:
        for language in LANGUAGES:
            for name, value in text_in(version, language).as_dict().items():
                initial[f"{language}_{name}"] = value or initial.get(f"{language}_{name}", "")
    return initial


class MeaningForm(forms.Form):
    """Which solution a label means, by its code or its title."""

    means = forms.CharField(required=False, max_length=200)

    def solution(self) -> Solution:
        """Raises SolutionUnknown."""
        text = self.cleaned_data["means"] if self.is_valid() else ""
        named = Q(code__iexact=text) | Q(title__iexact=text) | Q(title_fr__iexact=text)
        found = list(Solution.objects.filter(named).order_by("pk")[:2]) if text else []
        exact = [one for one in found if one.code.lower() == text.lower()]
        if not exact and len(found) != 1:
            raise SolutionUnknown(_("No solution has this code or title, or several do. Choose one by its code."))
        return (exact or found)[0]
