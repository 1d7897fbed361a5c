"""What people enter in the steps of a guided plan."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.models import Unit, User
from apps.library.models import Playbook, Solution
from apps.planning.drafts import Details
from apps.planning.forms import DayField, VersionField, words
from apps.planning.guide import PlaybookChoice
from apps.planning.models import Plan, ReadyItem, ReadyScore
from apps.planning.selectors import possible_owners, usable_solutions
from apps.planning.tasklist import TASKS_AT_MOST
from apps.taxonomy.models import Challenge

Aspect = ReadyScore.Aspect
RHYTHMS = (2, 4, 8)
ASPECT_QUESTIONS = {
    Aspect.NEED: gettext_lazy("How much do your customers need it?"),
    Aspect.FIT: gettext_lazy("How well does it fit the way you work?"),
    Aspect.RESOURCES: gettext_lazy("Are people, time and money there?"),
    Aspect.EVIDENCE: gettext_lazy("How sure are you that it helps?"),
    Aspect.READINESS: gettext_lazy("Is it worked out well enough to start?"),
    Aspect.CAPACITY: gettext_lazy("Can the team carry it, and keep it up?"),
}


class FocusForm(forms.Form):
    """The problem, where, and why one more when there are enough already."""

    units = forms.ModelMultipleChoiceField(
        Unit.objects.none(),
        to_field_name="code",
        label=gettext_lazy("Where?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose where: at least one unit.")},
    )
    challenge = forms.ModelChoiceField(
        Challenge.objects.current(),
        to_field_name="code",
        label=gettext_lazy("Which problem do you take on?"),
        empty_label=None,
        error_messages={"required": gettext_lazy("Choose a problem.")},
    )
    focus_reason = forms.CharField(
        label=gettext_lazy("Why one more now?"),
        help_text=gettext_lazy("Few things at a time get done; more of them get in each other's way."),
        widget=words(2),
        required=False,
    )

    def __init__(self, data: QueryDict | None = None, *, units: QuerySet[Unit], initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial)
        field = self.fields["units"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = units


class StepForm(forms.Form):
    """A step of a plan that may have been changed on another device meanwhile."""

    seen_at = VersionField()

    def __init__(self, data: Any = None, *, plan: Plan, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial={"seen_at": plan.updated_at.isoformat(), **(initial or {})})


class ChooseForm(StepForm):
    solutions = forms.ModelMultipleChoiceField(
        Solution.objects.none(),
        to_field_name="code",
        label=gettext_lazy("What will you do?"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    playbook = forms.ModelChoiceField(
        Playbook.objects.none(), to_field_name="code", required=False, label=gettext_lazy("Several together")
    )

    def __init__(
        self, data: Any = None, *, plan: Plan, playbooks: Sequence[PlaybookChoice], also: Sequence[str]
    ) -> None:
        chosen = [solution.code for solution in plan.solutions.all()]
        initial = {"solutions": [*chosen, *also], "playbook": plan.playbook.code if plan.playbook else ""}
        super().__init__(data, plan=plan, initial=initial)
        solutions, playbook = self.fields["solutions"], self.fields["playbook"]
        assert isinstance(solutions, forms.ModelMultipleChoiceField)
        assert isinstance(playbook, forms.ModelChoiceField)
        solutions.queryset = usable_solutions(challenge=plan.challenge, also=[*chosen, *also])
        playbook.queryset = Playbook.objects.filter(code__in=[one.code for one in playbooks])

    def clean(self) -> None:
        together = self.cleaned_data.get("playbook")
        if not together and not self.cleaned_data.get("solutions") and not self.errors:
            self.add_error("solutions", _("Choose at least one solution."))

    def choice(self) -> dict[str, Any]:
        """What `choose_solutions` takes: the solutions ticked, and those of the playbook."""
        playbook = self.cleaned_data["playbook"]
        solutions = list(self.cleaned_data["solutions"])
        if playbook is not None:
            solutions += [one for one in playbook.solutions.order_by("title", "pk") if one not in solutions]
        return {"solutions": solutions, "playbook": playbook, "seen_at": self.cleaned_data["seen_at"]}


class ConcreteForm(StepForm):
    owner = forms.ModelChoiceField(User.objects.none(), label=gettext_lazy("Who sees to it?"), empty_label=None)
    occasion = forms.CharField(
        label=gettext_lazy("When exactly?"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("Every day from 7 to 9")}),
    )
    place = forms.CharField(
        label=gettext_lazy("Where exactly?"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("At the head of the queue")}),
    )
    intention = forms.CharField(label=gettext_lazy("How exactly?"), widget=words(2), required=False)
    planned_on = DayField(label=gettext_lazy("Planned start"), required=False)
    lines = forms.MultipleChoiceField(
        label=gettext_lazy("What is to be done?"), required=False, widget=forms.CheckboxSelectMultiple
    )
    more = forms.CharField(
        label=gettext_lazy("What else?"),
        help_text=gettext_lazy("One task a line."),
        widget=words(2),
        required=False,
    )
    rhythm_weeks = forms.TypedChoiceField(
        label=gettext_lazy("When shall we ask how it goes?"),
        coerce=int,
        empty_value=None,
        required=False,
    )
    intended_effect = forms.DecimalField(
        label=gettext_lazy("Effect worth having"), required=False, max_digits=12, decimal_places=4, localize=True
    )

    def __init__(
        self,
        data: Any = None,
        *,
        plan: Plan,
        units: Sequence[Unit],
        lines: Sequence[str],
        tasks: Sequence[str],
        planned_on: date | None,
        person: User,
    ) -> None:
        names = ("owner", "occasion", "place", "intention", "rhythm_weeks", "intended_effect")
        initial = {name: getattr(plan, name) for name in names}
        is_new = plan.stage == Plan.Stage.CONCRETE and not tasks
        initial |= {"planned_on": planned_on, "lines": list(lines) if is_new else list(tasks)}
        super().__init__(data, plan=plan, initial=initial)
        owner, shown = self.fields["owner"], self.fields["lines"]
        assert isinstance(owner, forms.ModelChoiceField)
        assert isinstance(shown, forms.MultipleChoiceField)
        owner.queryset = possible_owners(units=units, person=person, also=plan.owner)
        shown.choices = [(line, line) for line in dict.fromkeys([*tasks, *lines])]
        rhythm = self.fields["rhythm_weeks"]
        assert isinstance(rhythm, forms.TypedChoiceField)
        rhythm.choices = [("", _("After 2, 6 and 12 weeks")), *((weeks, _every(weeks)) for weeks in RHYTHMS)]
        metric = plan.challenge.metric
        if metric is not None:
            unit = metric.display_unit or _("the measure")
            self.fields["intended_effect"].help_text = _(
                "In %(unit)s of “%(metric)s”. Leave it empty if you are not sure."
            ) % {"unit": unit, "metric": metric.display_name}

    def details(self) -> Details:
        entered = self.cleaned_data
        more = [line.strip() for line in entered["more"].splitlines() if line.strip()]
        return Details(
            occasion=entered["occasion"].strip(),
            place=entered["place"].strip(),
            intention=entered["intention"].strip(),
            planned_on=entered["planned_on"],
            owner=entered["owner"],
            intended_effect=entered["intended_effect"],
            rhythm_weeks=entered["rhythm_weeks"],
            tasks=[line[:300] for line in [*entered["lines"], *more]][:TASKS_AT_MOST],
        )


class ReadyForm(StepForm):
    items = forms.ModelMultipleChoiceField(
        ReadyItem.objects.none(),
        label=gettext_lazy("What only you can tell"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, data: Any = None, *, plan: Plan, items: Sequence[ReadyItem]) -> None:
        ticked = list(plan.ready_ticks.values_list("item", flat=True))
        scores = {f"score_{row.aspect}": row.score for row in plan.ready_scores.all()}
        super().__init__(data, plan=plan, initial={"items": ticked, **scores})
        for aspect in Aspect:
            self.fields[f"score_{aspect.value}"] = _scale(aspect)
        field = self.fields["items"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = ReadyItem.objects.filter(pk__in=[item.pk for item in items]).order_by("position", "pk")

    @property
    def talk(self) -> list[forms.BoundField]:
        """The scales, in the order in which they are talked about."""
        return [self[f"score_{aspect.value}"] for aspect in Aspect]

    @property
    def is_talked_about(self) -> bool:
        return any(field.value() or field.errors for field in self.talk)

    def scores(self) -> dict[str, int]:
        given = {aspect.value: self.cleaned_data[f"score_{aspect.value}"] for aspect in Aspect}
        return {aspect: score for aspect, score in given.items() if score is not None}


def _scale(aspect: Aspect) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=aspect.label,
        help_text=ASPECT_QUESTIONS[aspect],
        choices=[("", _("open")), *((score, str(score)) for score in range(1, 6))],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )


def _every(weeks: int) -> str:
    return ngettext("Every week", "Every %(weeks)s weeks", weeks) % {"weeks": weeks}
