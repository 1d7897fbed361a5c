"""Journeys, touchpoints and metrics over the API."""

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from apps.accounts.models import Role
from apps.core.filters import CodeFilter, FilterSet
from apps.core.serializers import CodeField
from apps.core.viewsets import CodedCollection
from apps.taxonomy.models import Journey, Metric, Touchpoint

NAMED_SEARCH = ("code", "name", "name_fr")


class JourneySerializer(serializers.ModelSerializer[Journey]):
    class Meta:
        model = Journey
        fields = ("code", "name", "name_fr")
        read_only_fields = fields


class JourneyFilter(FilterSet):
    code = CodeFilter()


class JourneyViewSet(CodedCollection[Journey]):
    """End-to-end experiences."""

    queryset = Journey.objects.none()
    serializer_class = JourneySerializer
    filterset_class = JourneyFilter
    read_role = Role.STAFF
    ordering_fields = {"code": "code", "name": "name"}
    ordering = ("code",)
    search_fields = NAMED_SEARCH

    def get_queryset(self) -> QuerySet[Journey]:
        return Journey.objects.all()


class TouchpointSerializer(serializers.ModelSerializer[Touchpoint]):
    journey = CodeField()

    class Meta:
        model = Touchpoint
        fields = ("code", "name", "name_fr", "journey", "position", "retired_on")
        read_only_fields = fields


class TouchpointFilter(FilterSet):
    code = CodeFilter()
    journey = CodeFilter(field_name="journey__code")


class TouchpointViewSet(CodedCollection[Touchpoint]):
    """The ordered moments of a journey."""

    queryset = Touchpoint.objects.none()
    serializer_class = TouchpointSerializer
    filterset_class = TouchpointFilter
    read_role = Role.STAFF
    ordering_fields = {"code": "code", "name": "name", "journey": "journey__code", "position": "position"}
    ordering = ("journey", "position")
    search_fields = NAMED_SEARCH

    def get_queryset(self) -> QuerySet[Touchpoint]:
        return Touchpoint.objects.select_related("journey")


class MetricSerializer(serializers.ModelSerializer[Metric]):
    touchpoint = CodeField(allow_null=True)
    journey = CodeField(allow_null=True)
    overall = serializers.BooleanField(source="is_overall", read_only=True)

    class Meta:
        model = Metric
        fields = (
            "code",
            "name",
            "name_fr",
            "kind",
            "touchpoint",
            "journey",
            "better",
            "scoring",
            "scale_min",
            "scale_max",
            "threshold",
            "unit_label",
            "overall",
        )
        read_only_fields = fields


class MetricFilter(FilterSet):
    code = CodeFilter()
    kind = django_filters.ChoiceFilter(choices=Metric.Kind.choices)
    better = django_filters.ChoiceFilter(choices=Metric.Better.choices)
    scoring = django_filters.ChoiceFilter(choices=Metric.Scoring.choices)
    touchpoint = CodeFilter(field_name="touchpoint__code")
    journey = CodeFilter(field_name="journey__code")
    overall = django_filters.BooleanFilter(field_name="is_overall")


class MetricViewSet(CodedCollection[Metric]):
    """Measured quantities: what customers perceive and what operations record."""

    queryset = Metric.objects.none()
    serializer_class = MetricSerializer
    filterset_class = MetricFilter
    read_role = Role.STAFF
    ordering_fields = {
        "code": "code",
        "name": "name",
        "kind": "kind",
        "touchpoint": "touchpoint__code",
        "journey": "journey__code",
    }
    ordering = ("code",)
    search_fields = NAMED_SEARCH

    def get_queryset(self) -> QuerySet[Metric]:
        return Metric.objects.select_related("touchpoint", "journey")
