"""Journeys, touchpoints, metrics, challenges and aliases over the API."""

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from apps.accounts.models import Role
from apps.core.filters import CodeFilter, FilterSet
from apps.core.serializers import CodeField
from apps.core.viewsets import CodedCollection, Collection
from apps.taxonomy.models import Alias, Challenge, Journey, Metric, Touchpoint

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
        fields = ("code", "name", "name_fr", "journey", "position")
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


class ChallengeSerializer(serializers.ModelSerializer[Challenge]):
    parent = CodeField(allow_null=True)  # type: ignore[assignment]  # a field of that name
    touchpoint = CodeField(allow_null=True)
    metric = CodeField(allow_null=True)
    merged_into = CodeField(allow_null=True)

    class Meta:
        model = Challenge
        fields = (
            "code",
            "name",
            "name_fr",
            "parent",
            "touchpoint",
            "metric",
            "description",
            "description_fr",
            "severity",
            "merged_into",
            "retired_on",
        )
        read_only_fields = fields


class ChallengeFilter(FilterSet):
    code = CodeFilter()
    parent = CodeFilter(field_name="parent__code")
    touchpoint = CodeFilter(field_name="touchpoint__code")
    metric = CodeFilter(field_name="metric__code")
    severity = django_filters.NumberFilter()


class ChallengeViewSet(CodedCollection[Challenge]):
    """Recurring problems of customer experience, in a tree."""

    queryset = Challenge.objects.none()
    serializer_class = ChallengeSerializer
    filterset_class = ChallengeFilter
    read_role = Role.STAFF
    ordering_fields = {
        "code": "code",
        "name": "name",
        "parent": "parent__code",
        "touchpoint": "touchpoint__code",
        "metric": "metric__code",
        "severity": "severity",
    }
    ordering = ("code",)
    search_fields = (*NAMED_SEARCH, "description", "description_fr", "aliases__label")

    def get_queryset(self) -> QuerySet[Challenge]:
        return Challenge.objects.select_related("parent", "touchpoint", "metric", "merged_into")


class AliasSerializer(serializers.ModelSerializer[Alias]):
    challenge = CodeField()

    class Meta:
        model = Alias
        fields = ("id", "source", "label", "challenge")
        read_only_fields = fields


class AliasFilter(FilterSet):
    source = django_filters.CharFilter(lookup_expr="iexact")
    label = django_filters.CharFilter(lookup_expr="iexact")
    challenge = CodeFilter(field_name="challenge__code")


class AliasViewSet(Collection[Alias]):
    """What other systems call a challenge."""

    queryset = Alias.objects.none()
    serializer_class = AliasSerializer
    filterset_class = AliasFilter
    read_role = Role.STAFF
    ordering_fields = {"source": "source", "label": "label", "challenge": "challenge__code"}
    ordering = ("source", "label")
    search_fields = ("source", "label")

    def get_queryset(self) -> QuerySet[Alias]:
        return Alias.objects.select_related("challenge")
