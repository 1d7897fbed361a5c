"""What teams make of results, and whether a lead signed it, over the API."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Role
from apps.accounts.permissions import person_of_request
from apps.core.filters import CodeFilter, FilterSet
from apps.core.idempotency import body_of, digest_of, once
from apps.core.serializers import InputSerializer
from apps.core.viewsets import Collection
from apps.impact.models import Reading
from apps.impact.readings import settle_reading, write_reading
from apps.planning.models import Action


class ReadingSerializer(serializers.ModelSerializer[Reading]):
    action = serializers.CharField(source="action.external_id", read_only=True)
    author = serializers.EmailField(source="author.email", default=None, read_only=True, allow_null=True)
    decided_by = serializers.EmailField(source="decided_by.email", default=None, read_only=True, allow_null=True)

    class Meta:
        model = Reading
        fields = (
            "id",
            "action",
            "text",
            "verdict",
            "as_of",
            "state",
            "author",
            "written_at",
            "decided_by",
            "decided_at",
            "reason",
        )
        read_only_fields = fields


class ReadingInput(InputSerializer):
    action = serializers.CharField(max_length=64)
    text = serializers.CharField(max_length=2000)

    def validate_action(self, value: str) -> Action:
        found = self.context["actions"].filter(external_id__iexact=value).first()
        if found is None:
            raise serializers.ValidationError(gettext("There is no such action."), code="unknown_action")
        action: Action = found
        return action


class ReadingDecision(InputSerializer):
    state = serializers.ChoiceField(choices=[Reading.State.ACCEPTED.value, Reading.State.RETURNED.value])
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class ReadingFilter(FilterSet):
    action = CodeFilter(field_name="action__external_id")
    unit = CodeFilter(field_name="action__unit__code")
    state = django_filters.ChoiceFilter(choices=Reading.State.choices)


class ReadingViewSet(Collection[Reading]):
    """What teams make of results: managers write one, a lead accepts or returns it; the verdict stays computed."""

    queryset = Reading.objects.none()
    serializer_class = ReadingSerializer
    filterset_class = ReadingFilter
    read_role = Role.STAFF
    write_role = Role.MANAGER
    ordering_fields = {"id": "id", "written_at": "written_at", "state": "state"}
    search_fields = ("text", "reason")

    def get_queryset(self) -> QuerySet[Reading]:
        role = self.read_role if self.action in {"list", "retrieve"} else Role.LEAD
        scope = person_of_request(self.request).scope(role)
        return Reading.objects.in_scope(scope).select_related("action__unit", "author", "decided_by")

    @extend_schema(request=ReadingInput, responses={201: ReadingSerializer})
    def create(self, request: Request) -> Response:
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=lambda: self._create(request))

    def _create(self, request: Request) -> Response:
        person = person_of_request(request)
        actions = Action.objects.in_scope(person.scope(self.write_role)).select_related("unit")
        given = ReadingInput(data=request.data, context={"actions": actions})
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = dict(given.validated_data)
        made = write_reading(**values, at=timezone.now(), actor=person.user)
        return Response(ReadingSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ReadingDecision, responses=ReadingSerializer)
    def partial_update(self, request: Request, **_: object) -> Response:
        """Accept it, or return it with a `reason`."""
        reading = self.get_object()
        given = ReadingDecision(data=request.data)
        given.is_valid(raise_exception=True)
        settled = settle_reading(
            reading=reading,
            accept=given.validated_data["state"] == Reading.State.ACCEPTED,
            reason=given.validated_data["reason"],
            at=timezone.now(),
            actor=person_of_request(request).user,
        )
        return Response(ReadingSerializer(settled).data)
