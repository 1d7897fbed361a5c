"""Units over the API."""

import django_filters
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api_changes import (
    INPUTS,
    UnitDayInput,
    UnitMergeInput,
    UnitMoveInput,
    UnitRenameInput,
    UnitSplitInput,
    change_unit,
)
from apps.accounts.models import Role, Unit, UnitPlacement
from apps.accounts.permissions import person_of_request
from apps.core.filters import CodeFilter, FilterSet
from apps.core.idempotency import body_of, digest_of, once
from apps.core.serializers import CodeField
from apps.core.viewsets import CodedCollection


class UnitSerializer(serializers.ModelSerializer[Unit]):
    parent = serializers.CharField(  # type: ignore[assignment]  # a field of that name
        source="parent_code", read_only=True, allow_null=True
    )

    successor = CodeField(allow_null=True)

    class Meta:
        model = Unit
        fields = (
            "code",
            "name",
            "name_fr",
            "kind",
            "parent",
            "region",
            "timezone",
            "opened_on",
            "closed_on",
            "successor",
            "attributes",
            "updated_at",
        )
        read_only_fields = fields


class UnitFilter(FilterSet):
    code = CodeFilter()
    kind = django_filters.CharFilter(lookup_expr="iexact")
    region = django_filters.CharFilter(lookup_expr="iexact")
    parent = CodeFilter(field_name="parent_code")
    timezone = django_filters.CharFilter()


class UnitViewSet(CodedCollection[Unit]):
    """Places where customers are served, and groups of them."""

    queryset = Unit.objects.none()
    serializer_class = UnitSerializer
    filterset_class = UnitFilter
    read_role = Role.STAFF
    write_role = Role.LEAD
    ordering_fields = {
        "code": "code",
        "name": "name",
        "kind": "kind",
        "region": "region",
        "updated_at": "updated_at",
    }
    ordering = ("code",)
    search_fields = ("code", "name", "name_fr")

    def get_queryset(self) -> QuerySet[Unit]:
        today = timezone.now().date()
        placements = UnitPlacement.objects.filter(unit=OuterRef("pk"), valid__contains=today)
        is_read = self.request.method in SAFE_METHODS
        scope = person_of_request(self.request).scope(self.read_role if is_read else self.write_role)
        units = Unit.objects.in_scope(scope).select_related("successor")
        return units.annotate(parent_code=Subquery(placements.values("parent__code")[:1]))

    @extend_schema(request=UnitRenameInput, responses=UnitSerializer)
    @action(detail=True, methods=["post"])
    def rename(self, request: Request, code: str) -> Response:
        """Another name; the code stays."""
        return self._change(request, "rename")

    @extend_schema(request=UnitMoveInput, responses=UnitSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, code: str) -> Response:
        """Under another unit from a day on, with all that is below it."""
        return self._change(request, "move")

    @extend_schema(request=UnitMergeInput, responses=UnitSerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, code: str) -> Response:
        """Close it on a day; another unit takes over its people and what is below it."""
        return self._change(request, "merge")

    @extend_schema(request=UnitSplitInput, responses=UnitSerializer)
    @action(detail=True, methods=["post"])
    def split(self, request: Request, code: str) -> Response:
        """Close it on a day and open its parts beside it, with the same people."""
        return self._change(request, "split")

    @extend_schema(request=UnitDayInput, responses=UnitSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, code: str) -> Response:
        """The first day on which nobody is served."""
        return self._change(request, "close")

    @extend_schema(request=None, responses=UnitSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, code: str) -> Response:
        """As if it had not closed."""
        return self._change(request, "reopen")

    def _change(self, request: Request, change: str) -> Response:
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=lambda: self._changed(request, change))

    @transaction.atomic
    def _changed(self, request: Request, change: str) -> Response:
        unit, person = self.get_object(), person_of_request(request)
        units = Unit.objects.in_scope(person.scope(self.write_role))
        given = INPUTS[change](data=request.data, context={"units": units})
        given.is_valid(raise_exception=True)
        change_unit(unit, change, given.validated_data, as_of=timezone.localdate(), actor=person.user)
        return Response(UnitSerializer(self.get_object()).data)
