"""Plans over the API: started as drafts, made concrete, agreed, their order drawn by lot."""

from collections.abc import Callable
from datetime import date

import django_filters
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action as extra_action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.accounts.models import Role
from apps.accounts.permissions import person_of_request
from apps.core.etags import check_if_match, etag_of, is_unchanged
from apps.core.filters import CodeFilter, FilterSet
from apps.core.idempotency import body_of, digest_of, once
from apps.core.serializers import CodeField
from apps.core.viewsets import Collection
from apps.planning.api_plan_input import DrawInput, PlanChange, PlanInput, change_draft, draw, start
from apps.planning.drafts import agree_plan
from apps.planning.models import Action, Draw, DrawnUnit, Plan
from apps.planning.pages import today_in
from apps.planning.rollout_rows import plans_managed
from apps.planning.selectors import plannable_units
from apps.taxonomy.filters import ChallengeCodeFilter

IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description="The ETag you read: the change is refused (412) when somebody else was faster.",
)


class PlanSerializer(serializers.ModelSerializer[Plan]):
    challenge = CodeField()
    solutions = serializers.SerializerMethodField()
    playbook = CodeField(allow_null=True)
    target_metric = CodeField(allow_null=True)
    owner = serializers.EmailField(source="owner.email", default=None, read_only=True, allow_null=True)
    randomised = serializers.BooleanField(source="is_randomised", read_only=True)
    planned_on = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()
    idea = serializers.SerializerMethodField()
    ready = serializers.SerializerMethodField()
    talk = serializers.SerializerMethodField()

    class Meta:
        model = Plan
        fields = (
            "id",
            "challenge",
            "solutions",
            "playbook",
            "target_metric",
            "owner",
            "intention",
            "intended_effect",
            "randomised",
            "stage",
            "occasion",
            "place",
            "planned_on",
            "rhythm_weeks",
            "focus_reason",
            "idea",
            "ready",
            "talk",
            "actions",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_solutions(self, plan: Plan) -> list[str]:
        return sorted(solution.code for solution in plan.solutions.all())

    def get_actions(self, plan: Plan) -> list[str]:
        return [action.external_id for action in plan.actions.all()]

    def get_idea(self, plan: Plan) -> int | None:
        """The idea that it tries out."""
        return next((action.idea_id for action in plan.actions.all() if action.idea_id), None)

    def get_ready(self, plan: Plan) -> list[int]:
        """Ids of the questions before a start that are answered with yes."""
        return sorted(tick.item_id for tick in plan.ready_ticks.all())

    def get_talk(self, plan: Plan) -> dict[str, int]:
        """From 1 to 5, how the team sees it before the start."""
        return {row.aspect: row.score for row in sorted(plan.ready_scores.all(), key=lambda row: row.aspect)}

    @extend_schema_field({"type": ["string", "null"], "format": "date"})
    def get_planned_on(self, plan: Plan) -> date | None:
        """The first planned start."""
        return min((action.planned_on for action in plan.actions.all() if action.planned_on), default=None)


class DrawnUnitSerializer(serializers.ModelSerializer[DrawnUnit]):
    unit = CodeField()

    class Meta:
        model = DrawnUnit
        fields = ("unit", "region", "step", "starts_on", "breach")
        read_only_fields = fields


class DrawSerializer(serializers.ModelSerializer[Draw]):
    drawn_by = serializers.EmailField(source="drawn_by.email", default=None, read_only=True, allow_null=True)
    units = DrawnUnitSerializer(many=True, read_only=True)

    class Meta:
        model = Draw
        fields = (
            "id",
            "seed",
            "steps",
            "gap_weeks",
            "first_on",
            "drawn_at",
            "drawn_by",
            "reason",
            "reads_on",
            "units",
        )
        read_only_fields = fields


class PlanFilter(FilterSet):
    challenge = ChallengeCodeFilter(field_name="challenge")
    target_metric = CodeFilter(field_name="target_metric__code")
    owner = django_filters.CharFilter(field_name="owner__email", lookup_expr="iexact")
    randomised = django_filters.BooleanFilter(field_name="is_randomised")


class PlanViewSet(Collection[Plan]):
    """Decisions to apply solutions to a challenge, with their actions in the units in scope."""

    queryset = Plan.objects.none()
    serializer_class = PlanSerializer
    filterset_class = PlanFilter
    read_role = Role.STAFF
    write_role = Role.MANAGER
    ordering_fields = {
        "id": "id",
        "challenge": "challenge__code",
        "created_at": "created_at",
        "updated_at": "updated_at",
    }
    search_fields = ("intention", "challenge__name", "challenge__name_fr")

    def get_queryset(self) -> QuerySet[Plan]:
        person = person_of_request(self.request)
        scope = person.scope(self.read_role if self.request.method in SAFE_METHODS else self.write_role)
        actions = Action.objects.in_scope(scope)
        if self.request.method in SAFE_METHODS:
            plans = Plan.objects.filter(Q(Exists(actions.filter(plan=OuterRef("pk")))) | Q(owner=person.user))
        else:
            plans = plans_managed(scope)
        return plans.select_related("challenge", "target_metric", "owner", "playbook").prefetch_related(
            "solutions", "ready_ticks", "ready_scores", Prefetch("actions", actions.order_by("external_id"))
        )

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        shown = self._shown(self.get_object())
        if is_unchanged(request, shown["ETag"]):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": shown["ETag"]})
        return shown

    @extend_schema(request=PlanInput, responses={201: PlanSerializer})
    def create(self, request: Request) -> Response:
        """Start a draft for a challenge in some units, with solutions or a playbook if they are chosen."""
        return self._once(request, lambda: self._create(request))

    @extend_schema(request=PlanChange, responses=PlanSerializer, parameters=[IF_MATCH])
    @transaction.atomic
    def partial_update(self, request: Request, **_: object) -> Response:
        """Choose the solutions of a draft, make it concrete, answer what is asked before a start.

        What is not given stays as it is.
        """
        plan = self._locked(request)
        person = person_of_request(request)
        given = PlanChange(data=request.data, context={"person": person, "plan": plan})
        given.is_valid(raise_exception=True)
        change_draft(plan, given.validated_data, actor=person.user)
        return self._shown(self.get_object())

    @extend_schema(request=None, responses=PlanSerializer, parameters=[IF_MATCH])
    @extra_action(detail=True, methods=["post"])
    def agree(self, request: Request, **_: object) -> Response:
        """The draft becomes a plan in each of its units."""
        return self._once(request, lambda: self._agree(request))

    @extend_schema(responses=DrawSerializer, filters=False)
    @extra_action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def draw(self, request: Request, **_: object) -> Response:
        """The order of starts that was drawn by lot, with its seed, for the units in scope."""
        standing = self.get_object().draws.filter(replaced_at=None).first()
        if standing is None:
            raise Http404
        return self._drawn(standing)

    @extend_schema(request=DrawInput, responses={201: DrawSerializer}, filters=False)
    @draw.mapping.post
    def draw_by_lot(self, request: Request, **_: object) -> Response:
        """Draw in which order the waiting units start; another draw takes a reason and keeps the first."""
        return self._once(request, lambda: self._draw(request))

    def _once(self, request: Request, produce: Callable[[], Response]) -> Response:
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=produce)

    def _create(self, request: Request) -> Response:
        person = person_of_request(request)
        units = plannable_units(scope=person.scope(self.write_role))
        given = PlanInput(data=request.data, context={"person": person, "units": units})
        given.is_valid(raise_exception=True)
        as_of = today_in(given.validated_data["units"][0])
        plan = start(given.validated_data, as_of=as_of, person=person)
        shown = self._shown(self.get_queryset().get(pk=plan.pk))
        shown.status_code = status.HTTP_201_CREATED
        shown["Location"] = reverse("plan-detail", [plan.pk], request=request)
        return shown

    @transaction.atomic
    def _agree(self, request: Request) -> Response:
        plan = self._locked(request)
        day = min(today_in(action.unit) for action in plan.actions.select_related("unit"))
        agree_plan(plan=plan, as_of=day, actor=person_of_request(request).user)
        return self._shown(self.get_object())

    @transaction.atomic
    def _draw(self, request: Request) -> Response:
        plan = self._locked(request)
        given = DrawInput(data=request.data)
        given.is_valid(raise_exception=True)
        drawn = draw(plan, given.validated_data, at=timezone.now(), actor=person_of_request(request).user)
        shown = self._drawn(drawn)
        shown.status_code = status.HTTP_201_CREATED
        return shown

    def _locked(self, request: Request) -> Plan:
        """The plan as it stands and as the caller read it, held until the change is done."""
        plan = self.get_object()
        Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
        plan = self.get_object()
        check_if_match(request, self._shown(plan)["ETag"])
        return plan

    def _shown(self, plan: Plan) -> Response:
        data = PlanSerializer(plan).data
        return Response(data, headers={"ETag": etag_of(data)})

    def _drawn(self, drawn: Draw) -> Response:
        scope = person_of_request(self.request).scope(self.read_role)
        units = DrawnUnit.objects.filter(scope.condition("unit__")).select_related("unit")
        rows = Draw.objects.select_related("drawn_by").prefetch_related(
            Prefetch("units", units.order_by("starts_on", "unit__code"))
        )
        return Response(DrawSerializer(rows.get(pk=drawn.pk)).data)
