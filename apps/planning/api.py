"""Actions and events over the API."""

import django_filters
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.accounts.models import Role, Unit
from apps.accounts.permissions import person_of_request
from apps.core.etags import check_if_match, etag_of, is_unchanged
from apps.core.filters import CodeFilter, FilterSet, codes_of
from apps.core.idempotency import body_of, digest_of, once
from apps.core.serializers import CodeField
from apps.core.viewsets import CodedCollection, Collection
from apps.library.models import Solution
from apps.planning.api_input import ActionChange, ActionInput, change, log
from apps.planning.models import Action, ActionSolution, Event, Plan
from apps.planning.selectors import solutions_of, with_solutions
from apps.planning.states import OPEN
from apps.taxonomy.filters import ChallengeCodeFilter

IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description="The ETag you read: the change is refused (412) when somebody else was faster.",
)


class AppliedSolutionSerializer(serializers.ModelSerializer[ActionSolution]):
    solution = serializers.CharField(source="version.solution.code", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)

    class Meta:
        model = ActionSolution
        fields = ("solution", "version", "dose", "fidelity", "adaptation")
        read_only_fields = fields


class ActionSerializer(serializers.ModelSerializer[Action]):
    unit = CodeField()
    challenge = CodeField()
    solutions = serializers.SerializerMethodField()
    fidelity = serializers.SerializerMethodField()
    owner = serializers.SerializerMethodField()
    randomised = serializers.BooleanField(source="is_randomised", read_only=True)
    target_metric = CodeField(allow_null=True)
    plan = serializers.IntegerField(source="plan_id", read_only=True, allow_null=True)
    idea = serializers.IntegerField(source="idea_id", read_only=True, allow_null=True)
    applied = AppliedSolutionSerializer(source="solutions", many=True, read_only=True)

    class Meta:
        model = Action
        fields = (
            "external_id",
            "unit",
            "challenge",
            "solutions",
            "effective_on",
            "ended_on",
            "fidelity",
            "planned_on",
            "owner",
            "cost",
            "note",
            "randomised",
            "state",
            "stop_reason",
            "target_metric",
            "plan",
            "idea",
            "applied",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_solutions(self, action: Action) -> list[str]:
        return sorted(solution.code for solution in solutions_of(action))

    def get_fidelity(self, action: Action) -> int | None:
        """The fidelity when all solutions share it; else see `applied`."""
        given = {used.fidelity for used in action.solutions.all()}
        return given.pop() if len(given) == 1 else None

    def get_owner(self, action: Action) -> str:
        return action.owner.email if action.owner else action.owner_label


class ActionFilter(FilterSet):
    external_id = CodeFilter()
    unit = CodeFilter(field_name="unit__code")
    challenge = ChallengeCodeFilter(field_name="challenge")
    solutions = django_filters.CharFilter(method="filter_solutions")
    target_metric = CodeFilter(field_name="target_metric__code")
    state = django_filters.MultipleChoiceFilter(choices=Action.State.choices)
    owner = django_filters.CharFilter(field_name="owner__email", lookup_expr="iexact")
    plan = django_filters.NumberFilter(field_name="plan_id")
    idea = django_filters.NumberFilter(field_name="idea_id")
    randomised = django_filters.BooleanFilter(field_name="is_randomised")
    effective_on = django_filters.DateFilter()
    effective_from = django_filters.DateFilter(field_name="effective_on", lookup_expr="gte")
    effective_before = django_filters.DateFilter(field_name="effective_on", lookup_expr="lt")
    planned_on = django_filters.DateFilter()
    ended_on = django_filters.DateFilter()

    def filter_solutions(self, queryset: QuerySet[Action], name: str, value: str) -> QuerySet[Action]:
        """As applied, or before that as planned."""
        known = Solution.objects.alias(lowered=Lower("code")).filter(lowered__in=codes_of(value))
        applied = ActionSolution.objects.filter(action=OuterRef("pk"), version__solution__in=known)
        planned = Plan.objects.filter(pk=OuterRef("plan"), solutions__in=known)
        return queryset.filter(Q(Exists(applied)) | Q(Exists(planned), state__in=OPEN))


class ActionViewSet(CodedCollection[Action]):
    """Solutions as planned or applied in one unit; `ETag` and `If-Match` protect against lost updates."""

    queryset = Action.objects.none()
    serializer_class = ActionSerializer
    filterset_class = ActionFilter
    lookup_field = "external_id"
    read_role = Role.STAFF
    write_role = Role.MANAGER
    ordering_fields = {
        "external_id": "external_id",
        "unit": "unit__code",
        "challenge": "challenge__code",
        "state": "state",
        "effective_on": "effective_on",
        "planned_on": "planned_on",
        "created_at": "created_at",
        "updated_at": "updated_at",
    }
    ordering = ("external_id",)
    search_fields = ("external_id", "note", "challenge__name", "challenge__name_fr", "unit__name")

    def get_queryset(self) -> QuerySet[Action]:
        is_read = self.action in {"list", "retrieve"}
        scope = person_of_request(self.request).scope(self.read_role if is_read else self.write_role)
        return with_solutions(Action.objects.in_scope(scope)).select_related("target_metric")

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        shown = self._shown(self.get_object())
        if is_unchanged(request, shown["ETag"]):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": shown["ETag"]})
        return shown

    @extend_schema(request=ActionInput, responses={201: ActionSerializer})
    def create(self, request: Request) -> Response:
        """Log what was put in place, with `effective_on`; or plan it, with `planned_on`."""
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=lambda: self._create(request))

    @extend_schema(request=ActionChange, responses=ActionSerializer, parameters=[IF_MATCH])
    @transaction.atomic
    def partial_update(self, request: Request, external_id: str) -> Response:
        """Apply what is planned (`effective_on`), stop it (`ended_on`) or correct it, with a `reason`."""
        action = self._locked()
        check_if_match(request, self._shown(action)["ETag"])
        given = ActionChange(data=request.data, context={"person": person_of_request(request), "action": action})
        given.is_valid(raise_exception=True)
        change(action, given.validated_data, actor=person_of_request(request).user)
        return self._shown(self.get_object())

    def _create(self, request: Request) -> Response:
        person = person_of_request(request)
        units = Unit.objects.in_scope(person.scope(self.write_role))
        given = ActionInput(data=request.data, context={"person": person, "units": units})
        given.is_valid(raise_exception=True)
        action = log(given.validated_data, actor=person.user)
        shown = self._shown(self.get_queryset().get(pk=action.pk))
        shown.status_code = status.HTTP_201_CREATED
        shown["Location"] = reverse("action-detail", [action.external_id], request=request)
        return shown

    def _locked(self) -> Action:
        """The action as it stands, held until the change is done."""
        action = self.get_object()
        Action.objects.select_for_update(no_key=True).get(pk=action.pk)
        return self.get_object()

    def _shown(self, action: Action) -> Response:
        data = ActionSerializer(action).data
        return Response(data, headers={"ETag": etag_of(data)})


class EventSerializer(serializers.ModelSerializer[Event]):
    unit = serializers.SerializerMethodField()

    class Meta:
        model = Event
        fields = ("id", "unit", "starts_on", "ends_on", "name", "kind")
        read_only_fields = fields

    def get_unit(self, event: Event) -> str:
        """The unit's code, or "*" for all of them."""
        return event.unit.code if event.unit else "*"


class EventFilter(FilterSet):
    unit = CodeFilter(field_name="unit__code")
    kind = django_filters.ChoiceFilter(choices=Event.Kind.choices)
    name = django_filters.CharFilter(lookup_expr="iexact")
    starts_on = django_filters.DateFilter()
    ends_on = django_filters.DateFilter()


class EventViewSet(Collection[Event]):
    """Known disturbances in the units in scope and in all units."""

    queryset = Event.objects.none()
    serializer_class = EventSerializer
    filterset_class = EventFilter
    read_role = Role.STAFF
    ordering_fields = {"unit": "unit__code", "starts_on": "starts_on", "ends_on": "ends_on", "name": "name"}
    ordering = ("starts_on",)
    search_fields = ("name",)

    def get_queryset(self) -> QuerySet[Event]:
        scope = person_of_request(self.request).scope(self.read_role)
        return Event.objects.in_scope(scope).select_related("unit")
