"""What the API takes to log, plan and change an action, and the services it leads to."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.accounts.models import Role, Unit, User
from apps.accounts.person import Person
from apps.core.serializers import InputSerializer, ReferenceField
from apps.core.viewsets import CODE_IN_PATH
from apps.ideas.api_input import IdeaReference
from apps.library.models import Solution
from apps.planning.applying import apply_action, log_action
from apps.planning.corrections import ActionChanges, correct_action, stop_action
from apps.planning.freezing import AppliedSolution
from apps.planning.models import Action
from apps.planning.pilots import is_tried_with
from apps.planning.plans import PlanChanges, change_plan, create_plan
from apps.planning.rules import BACKDATED_DAYS
from apps.planning.selectors import possible_owners, solutions_of
from apps.planning.states import IN_EFFECT, OPEN
from apps.taxonomy.models import Challenge

SOLUTIONS_AT_MOST = 50
# What a plan holds that an applied action no longer has, and the other way round.
ONLY_PLANNED = ("planned_on", "intention")


def today_in(unit: Unit) -> date:
    return timezone.localdate(timezone=ZoneInfo(unit.timezone))


class UnitReference(ReferenceField):
    """A unit in which the caller may act."""

    def rows(self) -> Any:
        return self.context["units"]


class ActionFields(InputSerializer):
    challenge = ReferenceField(queryset=Challenge.objects.all())
    solutions = serializers.ListField(
        child=ReferenceField(queryset=Solution.objects.exclude(status=Solution.Status.DRAFT)),
        allow_empty=False,
        max_length=SOLUTIONS_AT_MOST,
    )
    effective_on = serializers.DateField(required=False)
    ended_on = serializers.DateField(required=False, allow_null=True)
    planned_on = serializers.DateField(required=False, allow_null=True)
    fidelity = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=100)
    owner = serializers.EmailField(required=False, allow_null=True)
    cost = serializers.DecimalField(required=False, allow_null=True, max_digits=14, decimal_places=2)
    note = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    intention = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    confirmed = serializers.BooleanField(
        required=False, default=False, help_text="True for a date of more than 90 days ago that is no slip."
    )

    def check_backdating(self, effective_on: date | None, unit: Unit, *, is_sure: bool) -> None:
        """An old date is taken from CX leads, and from managers who say that it is no slip."""
        person: Person = self.context["person"]
        earliest = today_in(unit) - timedelta(days=BACKDATED_DAYS)
        is_old = effective_on is not None and effective_on < earliest
        if is_old and not is_sure and not person.holds(Role.LEAD, unit.path):
            message = _("This is more than %(days)s days ago. If the date is right, set confirmed to true.")
            raise serializers.ValidationError(
                {"effective_on": [message % {"days": BACKDATED_DAYS}]}, code="too_long_ago"
            )

    def owner_among(self, email: str | None, unit: Unit) -> User | None:
        if email is None:
            return None
        people = possible_owners(units=[unit], person=self.context["person"].user)
        owner: User | None = people.filter(email__iexact=email).first()
        if owner is None:
            message = _("Nobody with this address works in this unit or above it.")
            raise serializers.ValidationError({"owner": [message]}, code="unknown_person")
        return owner


class ActionInput(ActionFields):
    external_id = serializers.RegexField(f"^{CODE_IN_PATH}$", required=False)
    unit = UnitReference()
    randomised = serializers.BooleanField(required=False, default=False)
    idea = IdeaReference(
        required=False,
        allow_null=True,
        help_text="Id of the idea that is tried out; the solution made of it is among those given.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "effective_on" not in attrs and not attrs.get("planned_on"):
            message = _("Say since when it is in effect, or with planned_on when it is to be.")
            raise serializers.ValidationError({"effective_on": [message]}, code="required")
        if "effective_on" not in attrs:
            _refuse(attrs, "external_id", "ended_on", "fidelity", "cost", "note")
        else:
            _refuse(attrs, "intention")
        self.check_backdating(attrs.get("effective_on"), attrs["unit"], is_sure=attrs["confirmed"])
        if "owner" in attrs:
            attrs["owner"] = self.owner_among(attrs["owner"], attrs["unit"])
        if attrs.get("idea") and not is_tried_with(attrs["idea"], attrs["solutions"]):
            message = _("None of these solutions was made of this idea, so they don't try it out.")
            raise serializers.ValidationError({"idea": [message]}, code="not_tried")
        return attrs


class ActionChange(ActionFields):
    challenge = ReferenceField(queryset=Challenge.objects.all(), required=False)
    solutions = serializers.ListField(
        child=ReferenceField(queryset=Solution.objects.exclude(status=Solution.Status.DRAFT)),
        allow_empty=False,
        max_length=SOLUTIONS_AT_MOST,
        required=False,
    )
    reason = serializers.CharField(required=False, allow_blank=True, max_length=10_000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        action: Action = self.context["action"]
        if action.state not in OPEN:
            _refuse(attrs, *ONLY_PLANNED)
        elif "effective_on" in attrs:
            _refuse(attrs, "challenge", "ended_on", "owner", *ONLY_PLANNED)
        else:
            _refuse(attrs, "challenge", "ended_on", "fidelity", "cost", "note")
        if attrs.get("effective_on") != action.effective_on:
            self.check_backdating(attrs.get("effective_on"), action.unit, is_sure=attrs.get("confirmed", False))
        if "owner" in attrs:
            attrs["owner"] = self.owner_among(attrs["owner"], action.unit)
        return attrs


def log(values: Mapping[str, Any], *, actor: User) -> Action:
    """Log what is in effect already, or plan what is to be."""
    shared = {"challenge": values["challenge"], "owner": values.get("owner"), "idea": values.get("idea")}
    if "effective_on" not in values:
        plan = create_plan(
            units=[values["unit"]],
            solutions=values["solutions"],
            intention=values.get("intention", ""),
            planned_on=values["planned_on"],
            is_randomised=values["randomised"],
            actor=actor,
            **shared,
        )
        return plan.actions.get()
    return log_action(
        external_id=values.get("external_id"),
        unit=values["unit"],
        solutions=[AppliedSolution(solution=s, fidelity=values.get("fidelity")) for s in values["solutions"]],
        effective_on=values["effective_on"],
        ended_on=values.get("ended_on"),
        planned_on=values.get("planned_on"),
        cost=values.get("cost"),
        note=values.get("note", ""),
        is_randomised=values["randomised"],
        as_of=today_in(values["unit"]),
        actor=actor,
        **shared,
    )


def change(action: Action, values: Mapping[str, Any], *, actor: User) -> None:
    """Apply, re-plan, stop or correct the action, whichever its state and the values ask for."""
    as_of = today_in(action.unit)
    if action.state in OPEN:
        if "effective_on" in values:
            apply_action(
                action=action,
                effective_on=values["effective_on"],
                solutions=_applied(action, values),
                note=values.get("note", ""),
                cost=values.get("cost"),
                as_of=as_of,
                actor=actor,
            )
        else:
            planned: PlanChanges = {}
            for name in ("solutions", "owner", "intention", "planned_on"):
                if name in values:
                    planned[name] = values[name]
            change_plan(action=action, changes=planned, actor=actor)
        return
    reason, values = values.get("reason", ""), {name: v for name, v in values.items() if name != "reason"}
    if action.state in IN_EFFECT and values.get("ended_on"):
        stop_action(action=action, ended_on=values.pop("ended_on"), reason=reason, as_of=as_of, actor=actor)
    corrections: ActionChanges = {}
    for name in ("effective_on", "ended_on", "challenge", "owner", "cost", "note"):
        if name in values:
            corrections[name] = values[name]  # type: ignore[literal-required]  # the names are its keys
    if "solutions" in values or "fidelity" in values:
        corrections["solutions"] = _applied(action, values)
    if corrections:
        correct_action(action=action, changes=corrections, reason=reason, as_of=as_of, actor=actor)


def _applied(action: Action, values: Mapping[str, Any]) -> list[AppliedSolution]:
    """The solutions after the change; what is not given stays as it was for those that stay."""
    before = {used.version.solution_id: used for used in action.solutions.all()}
    applied = []
    for solution in values.get("solutions", solutions_of(action)):
        used = before.get(solution.pk)
        applied.append(
            AppliedSolution(
                solution=solution,
                dose=used.dose if used else "",
                fidelity=values.get("fidelity", used.fidelity if used else None),
                adaptation=used.adaptation if used else "",
            )
        )
    return applied


def _refuse(given: Mapping[str, Any], *names: str) -> None:
    misplaced = [name for name in names if name in given]
    if misplaced:
        message = _("This can't be set in the state the action is in.")
        raise serializers.ValidationError({name: [message] for name in misplaced}, code="not_now")
