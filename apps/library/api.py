"""Solutions over the API."""

import django_filters
from django.db.models import Prefetch, QuerySet
from rest_framework import serializers

from apps.accounts.models import Role
from apps.accounts.permissions import person_of_request
from apps.core.filters import CodeFilter, FilterSet
from apps.core.viewsets import CodedCollection
from apps.library.models import Solution, SolutionVersion
from apps.taxonomy.filters import ChallengeCodeFilter
from apps.taxonomy.models import Challenge


class SolutionSerializer(serializers.ModelSerializer[Solution]):
    challenges = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField()
    summary = serializers.SerializerMethodField()
    body = serializers.SerializerMethodField()
    # Empty when there is none, which a URI field could not say.
    url = serializers.CharField(read_only=True)

    class Meta:
        model = Solution
        fields = (
            "code",
            "title",
            "title_fr",
            "kind",
            "challenges",
            "version",
            "summary",
            "body",
            "cost",
            "effort_hours",
            "lag_days",
            "url",
            "external_ref",
            "status",
            "origin",
            "updated_at",
        )
        read_only_fields = fields

    def get_challenges(self, solution: Solution) -> list[str]:
        return sorted({challenge.standing.code for challenge in solution.challenges.all()})

    def get_version(self, solution: Solution) -> int | None:
        newest = _newest(solution)
        return newest.number if newest else None

    def get_summary(self, solution: Solution) -> str:
        newest = _newest(solution)
        return newest.summary if newest else ""

    def get_body(self, solution: Solution) -> str:
        newest = _newest(solution)
        return newest.body if newest else ""


def _newest(solution: Solution) -> SolutionVersion | None:
    versions: list[SolutionVersion] = solution.newest_versions  # type: ignore[attr-defined]  # prefetched by the view
    return versions[0] if versions else None


class SolutionFilter(FilterSet):
    code = CodeFilter()
    kind = django_filters.ChoiceFilter(choices=Solution.Kind.choices)
    status = django_filters.ChoiceFilter(choices=Solution.Status.choices)
    origin = django_filters.ChoiceFilter(choices=Solution.Origin.choices)
    cost = django_filters.NumberFilter()
    challenges = ChallengeCodeFilter(field_name="challenges", distinct=True)
    external_ref = django_filters.CharFilter()


class SolutionViewSet(CodedCollection[Solution]):
    """Known remedies with their newest text; drafts are for CX leads."""

    queryset = Solution.objects.none()
    serializer_class = SolutionSerializer
    filterset_class = SolutionFilter
    read_role = Role.STAFF
    ordering_fields = {
        "code": "code",
        "title": "title",
        "kind": "kind",
        "cost": "cost",
        "effort_hours": "effort_hours",
        "lag_days": "lag_days",
        "status": "status",
        "updated_at": "updated_at",
    }
    ordering = ("code",)
    search_fields = ("code", "title", "title_fr", "versions__summary")

    def get_queryset(self) -> QuerySet[Solution]:
        newest = SolutionVersion.objects.order_by("solution", "-number").distinct("solution")
        solutions = Solution.objects.prefetch_related(
            Prefetch("challenges", Challenge.objects.select_related("merged_into")),
            Prefetch("versions", newest, to_attr="newest_versions"),
        )
        if person_of_request(self.request).has(Role.LEAD):
            return solutions
        return solutions.exclude(status=Solution.Status.DRAFT)
