"""Units over the API."""

import django_filters
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from rest_framework import serializers

from apps.accounts.models import Role, Unit, UnitPlacement
from apps.accounts.permissions import person_of_request
from apps.core.filters import CodeFilter, FilterSet
from apps.core.viewsets import CodedCollection


class UnitSerializer(serializers.ModelSerializer[Unit]):
    parent = serializers.CharField(  # type: ignore[assignment]  # a field of that name
        source="parent_code", read_only=True, allow_null=True
    )

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
        scope = person_of_request(self.request).scope(self.read_role)
        return Unit.objects.in_scope(scope).annotate(parent_code=Subquery(placements.values("parent__code")[:1]))
