"""What the API takes to start, change and draw a plan, and the services it leads to."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.accounts.models import Unit, User
from apps.accounts.person import Person
from apps.core.serializers import InputSerializer, ReferenceField
from apps.ideas.api_input import IdeaReference
from apps.library.models import Playbook, Solution
from apps.planning.drafts import Details, choose_solutions, make_concrete, start_plan, tick_ready
from apps.planning.drawing import draw_plan
from apps.planning.draws import MOST_STEPS, MOST_WEEKS, SEEDS
from apps.planning.focuses import FocusLimit, planning_rules
from apps.planning.guide import open_task_titles, planned_start, units_of
from apps.planning.models import Draw, Plan, ReadyItem, ReadyScore
from apps.planning.rules import PlanIncomplete, require_solutions
from apps.planning.selectors import possible_owners
from apps.taxonomy.models import Challenge

UNITS_AT_MOST = 1_000
SOLUTIONS_AT_MOST = 50
TASKS_AT_MOST = 100
# What the service changes besides the choice of solutions.
CONCRETE = ("occasion", "place", "intention", "planned_on", "owner", "intended_effect", "rhythm_weeks", "tasks")


class PlanFields(InputSerializer):
    solutions = serializers.ListField(
        child=ReferenceField(queryset=Solution.objects.exclude(status=Solution.Status.DRAFT)),
        max_length=SOLUTIONS_AT_MOST,
        required=False,
    )
    playbook = ReferenceField(queryset=Playbook.objects.published(), required=False, allow_null=True)
    owner = serializers.EmailField(required=False, allow_null=True)

    def owner_among(self, email: str | None, units: list[Unit]) -> User | None:
        if email is None:
            return None
        people = possible_owners(units=units, person=self.context["person"].user)
        owner: User | None = people.filter(email__iexact=email).first()
        if owner is None:
            message = _("Nobody with this address works in this unit or above it.")
            raise serializers.ValidationError({"owner": [message]}, code="unknown_person")
        return owner


class PlanInput(PlanFields):
    challenge = ReferenceField(queryset=Challenge.objects.all())
    idea = IdeaReference(
        required=False,
        allow_null=True,
        help_text="Id of the idea that is tried out by one of the solutions.",
    )
    units = serializers.ListField(
        child=serializers.CharField(max_length=64),
        allow_empty=False,
        max_length=UNITS_AT_MOST,
        help_text="Codes of open units that hold no other unit.",
    )
    focus_reason = serializers.CharField(required=False, allow_blank=True, max_length=10_000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["units"] = self._units(attrs["units"])
        if "owner" in attrs:
            attrs["owner"] = self.owner_among(attrs["owner"], attrs["units"])
        return attrs

    def _units(self, codes: list[str]) -> list[Unit]:
        usable: QuerySet[Unit] = self.context["units"]
        lowered = usable.alias(lowered=Lower("code")).filter(lowered__in=[code.lower() for code in codes])
        by_code = {unit.code.lower(): unit for unit in lowered}
        message = _("There is no open unit of yours with the code “%(code)s”.")
        unknown: dict[Any, list[serializers.ErrorDetail]] = {
            place: [serializers.ErrorDetail(message % {"code": code}, code="unknown_code")]
            for place, code in enumerate(codes)
            if code.lower() not in by_code
        }
        if unknown:
            raise serializers.ValidationError({"units": unknown})
        return [by_code[code.lower()] for code in codes]


class PlanChange(PlanFields):
    occasion = serializers.CharField(required=False, allow_blank=True, max_length=200, help_text="When exactly.")
    place = serializers.CharField(required=False, allow_blank=True, max_length=200, help_text="Where exactly.")
    intention = serializers.CharField(
        required=False, allow_blank=True, max_length=10_000, help_text="How exactly."
    )
    planned_on = serializers.DateField(required=False, allow_null=True, help_text="The start in every unit.")
    intended_effect = serializers.DecimalField(required=False, allow_null=True, max_digits=12, decimal_places=4)
    rhythm_weeks = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=26)
    tasks = serializers.ListField(
        child=serializers.CharField(max_length=300),
        required=False,
        max_length=TASKS_AT_MOST,
        help_text="What is to be done in every unit: replaces the open tasks.",
    )
    ready = serializers.ListField(
        child=serializers.PrimaryKeyRelatedField(queryset=ReadyItem.objects.filter(retired_at=None)),
        required=False,
        help_text="Ids of the questions before a start that are answered with yes: replaces the former.",
    )
    talk = serializers.DictField(
        child=serializers.IntegerField(min_value=1, max_value=5),
        required=False,
        help_text="How the team sees it, from 1 to 5, by need, fit, resources, evidence, readiness and capacity: "
        "replaces what was said before.",
    )

    def validate_talk(self, talk: dict[str, int]) -> dict[str, int]:
        unknown = sorted(set(talk) - set(ReadyScore.Aspect.values))
        if unknown:
            message = _("There is no such question: %(names)s.") % {"names": ", ".join(unknown)}
            raise serializers.ValidationError(message, code="unknown_aspect")
        return talk

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        plan: Plan = self.context["plan"]
        if "owner" in attrs:
            attrs["owner"] = self.owner_among(attrs["owner"], units_of(plan))
        if "planned_on" in attrs and plan.actions.values("planned_on").distinct().count() > 1:
            message = _("The units of this plan start on different days. Change the day of one unit at a time.")
            raise serializers.ValidationError({"planned_on": [message]}, code="not_now")
        return attrs


class DrawInput(InputSerializer):
    steps = serializers.IntegerField(min_value=2, max_value=MOST_STEPS, help_text="How many start dates.")
    gap_weeks = serializers.IntegerField(min_value=1, max_value=MOST_WEEKS)
    first_on = serializers.DateField()
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=10_000, help_text="Why it is drawn again."
    )


@transaction.atomic
def start(values: Mapping[str, Any], *, as_of: date, person: Person) -> Plan:
    """Start a draft; with solutions or a playbook it waits at the step after their choice."""
    plan = start_plan(
        challenge=values["challenge"],
        units=values["units"],
        owner=values.get("owner", person.user),
        focus_reason=values.get("focus_reason", ""),
        focus=FocusLimit(at_most=planning_rules().focus_limit, as_of=as_of),
        idea=values.get("idea"),
        actor=person.user,
    )
    if values.get("solutions") or values.get("playbook"):
        _choose(plan, values, actor=person.user)
    return plan


@transaction.atomic
def change_draft(plan: Plan, values: Mapping[str, Any], *, actor: User) -> None:
    """Change what is given; all else stays as it is."""
    if "solutions" in values or "playbook" in values:
        _choose(plan, values, actor=actor)
    if set(CONCRETE) & set(values):
        _make_concrete(plan, values, actor=actor)
    if {"ready", "talk"} & set(values):
        _tick(plan, values, actor=actor)


def _tick(plan: Plan, values: Mapping[str, Any], *, actor: User) -> None:
    """What is not given stays as it is; a plan that does not say who and when is not ready to be asked."""
    plan.refresh_from_db(fields=["stage"])
    if plan.stage not in (Plan.Stage.READY, Plan.Stage.AGREE):
        raise PlanIncomplete(_("Make the plan concrete first: who, when, where and how."), field="ready")
    kept = ReadyItem.objects.filter(pk__in=plan.ready_ticks.values("item"), retired_at=None)
    items = values["ready"] if "ready" in values else list(kept)
    tick_ready(plan=plan, items=items, scores=values.get("talk"), actor=actor)


def _make_concrete(plan: Plan, values: Mapping[str, Any], *, actor: User) -> None:
    require_solutions(list(plan.solutions.all()))
    details = Details(
        occasion=plan.occasion,
        place=plan.place,
        intention=plan.intention,
        planned_on=planned_start(plan),
        owner=plan.owner,
        intended_effect=plan.intended_effect,
        rhythm_weeks=plan.rhythm_weeks,
        tasks=open_task_titles(plan),
    )
    for name in CONCRETE:
        if name in values:
            details[name] = values[name]  # type: ignore[literal-required]  # the names are its keys
    make_concrete(plan=plan, details=details, actor=actor)


def draw(plan: Plan, values: Mapping[str, Any], *, at: datetime, actor: User) -> Draw:
    """Nobody chooses the seed: who could would try orders until one pleases."""
    return draw_plan(plan=plan, **values, seed=secrets.randbelow(SEEDS), at=at, actor=actor)


def _choose(plan: Plan, values: Mapping[str, Any], *, actor: User) -> None:
    """The solutions given and those of the playbook; a playbook alone brings only its own."""
    playbook = values.get("playbook") if "playbook" in values else plan.playbook
    kept = [] if values.get("playbook") else list(plan.solutions.all())
    solutions = list(dict.fromkeys(values.get("solutions", kept)))
    if values.get("playbook"):
        together = values["playbook"].solutions.order_by("title", "pk")
        solutions += [one for one in together if one not in solutions]
    choose_solutions(plan=plan, solutions=solutions, playbook=playbook, actor=actor)
