"""Responses over the API, without anything that tells who the customer is."""

import django_filters
from django.db.models import Prefetch, QuerySet
from rest_framework import serializers

from apps.accounts.models import Role
from apps.accounts.permissions import person_of_request
from apps.core.filters import CodeFilter, FilterSet
from apps.core.serializers import CodeField
from apps.core.viewsets import Collection
from apps.feedback.models import Response, ResponseChallenge, Score


class ScoreSerializer(serializers.ModelSerializer[Score]):
    metric = CodeField()

    class Meta:
        model = Score
        fields = ("metric", "value")
        read_only_fields = fields


class ResponseSerializer(serializers.ModelSerializer[Response]):
    source = CodeField()  # type: ignore[assignment]  # a field of that name
    unit = CodeField()
    scores = ScoreSerializer(many=True, read_only=True)
    challenges = serializers.SerializerMethodField()

    class Meta:
        model = Response
        fields = (
            "id",
            "source",
            "external_id",
            "unit",
            "occurred_at",
            "week",
            "segment",
            "weight",
            "channel",
            "language",
            "comment",
            "scores",
            "challenges",
        )
        read_only_fields = fields

    def get_challenges(self, response: Response) -> list[str]:
        return [coding.challenge.code for coding in response.codings.all()]


class ResponseFilter(FilterSet):
    source = CodeFilter(field_name="source__code")
    external_id = django_filters.CharFilter()
    unit = CodeFilter(field_name="unit__code")
    week = django_filters.DateFilter()
    occurred_from = django_filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_before = django_filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="lt")
    segment = django_filters.CharFilter(lookup_expr="iexact")
    channel = django_filters.CharFilter(lookup_expr="iexact")
    language = django_filters.CharFilter(lookup_expr="iexact")


class ResponseViewSet(Collection[Response]):
    """Submissions and records of the units in scope, with their scores."""

    queryset = Response.objects.none()
    serializer_class = ResponseSerializer
    filterset_class = ResponseFilter
    read_role = Role.STAFF
    ordering_fields = {
        "id": "id",
        "occurred_at": "occurred_at",
        "week": "week",
        "unit": "unit__code",
        "external_id": "external_id",
    }
    search_fields = ("comment", "external_id")

    def get_queryset(self) -> QuerySet[Response]:
        scope = person_of_request(self.request).scope(self.read_role)
        return (
            Response.objects.in_scope(scope)
            .select_related("source", "unit")
            .prefetch_related(
                Prefetch("scores", Score.objects.select_related("metric").order_by("metric__code")),
                Prefetch(
                    "codings", ResponseChallenge.objects.select_related("challenge").order_by("challenge__code")
                ),
            )
        )
