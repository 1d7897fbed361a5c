"""Effects and rankings over the API, by the names and with the values of the commands."""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Role, Unit
from apps.accounts.permissions import person_of_request
from apps.core.filters import CodeFilter, FilterSet
from apps.core.serializers import CodeField
from apps.core.viewsets import Collection
from apps.impact import checking, plots
from apps.impact.models import Effect, RankedSolution, Run, SolutionClaim
from apps.library.models import Solution
from apps.planning.models import ActionSolution
from apps.taxonomy.filters import ChallengeCodeFilter


class EffectSerializer(serializers.ModelSerializer[Effect]):
    action = serializers.CharField(source="action.external_id", read_only=True)
    unit = CodeField(source="action.unit")
    challenge = CodeField(source="action.challenge.standing")
    solutions = serializers.SerializerMethodField()
    metric = CodeField()
    effective_on = serializers.DateField(source="action.effective_on", read_only=True)
    reason = serializers.SerializerMethodField()

    class Meta:
        model = Effect
        fields = (
            "id",
            "action",
            "unit",
            "challenge",
            "solutions",
            "metric",
            "role",
            "effective_on",
            "status",
            "reason",
            "effect",
            "se",
            "low",
            "high",
            "p_positive",
            "naive_change",
            "weeks_before",
            "weeks_after",
            "n_before",
            "n_after",
            "placebo_p",
            "quality",
            "method",
            "as_of",
        )
        read_only_fields = fields

    def get_solutions(self, effect: Effect) -> list[str]:
        return sorted(used.version.solution.code for used in effect.action.solutions.all())

    def get_reason(self, effect: Effect) -> str | None:
        return effect.reason or None


class WeekSerializer(serializers.Serializer[Any]):
    """A week around an action: levels on the metric's own scale, differences positive when better.

    A difference between `chance_low` and `chance_high` could be chance; `total` adds the differences up over all
    who responded since the start.
    """

    week = serializers.DateField()
    observed = serializers.FloatField(allow_null=True)
    without = serializers.FloatField(allow_null=True)
    without_low = serializers.FloatField(allow_null=True)
    without_high = serializers.FloatField(allow_null=True)
    n = serializers.FloatField()
    difference = serializers.FloatField(allow_null=True)
    chance_low = serializers.FloatField(allow_null=True)
    chance_high = serializers.FloatField(allow_null=True)
    total = serializers.FloatField(allow_null=True)
    total_chance_low = serializers.FloatField(allow_null=True)
    total_chance_high = serializers.FloatField(allow_null=True)


class EffectFilter(FilterSet):
    action = CodeFilter(field_name="action__external_id")
    unit = CodeFilter(field_name="action__unit__code")
    challenge = ChallengeCodeFilter(field_name="action__challenge")
    solutions = CodeFilter(field_name="action__solutions__version__solution__code", distinct=True)
    metric = CodeFilter(field_name="metric__code")
    role = django_filters.ChoiceFilter(choices=Effect.Role.choices)
    status = django_filters.ChoiceFilter(choices=Effect.Status.choices)
    reason = django_filters.CharFilter()
    method = django_filters.CharFilter()
    as_of = django_filters.DateFilter()
    effective_on = django_filters.DateFilter(field_name="action__effective_on")


class EffectViewSet(Collection[Effect]):
    """What actions changed, one row per action and metric; positive is better for the customer."""

    queryset = Effect.objects.none()
    serializer_class = EffectSerializer
    filterset_class = EffectFilter
    read_role = Role.STAFF
    ordering_fields = {
        "action": "action__external_id",
        "unit": "action__unit__code",
        "challenge": "action__challenge__code",
        "metric": "metric__code",
        "effective_on": "action__effective_on",
        "status": "status",
        "effect": "effect",
        "quality": "quality",
        "p_positive": "p_positive",
    }
    ordering = ("challenge", "effective_on", "action")
    search_fields = ("action__external_id", "action__challenge__name", "action__unit__name", "metric__name")

    def get_queryset(self) -> QuerySet[Effect]:
        scope = person_of_request(self.request).scope(self.read_role)
        used = ActionSolution.objects.select_related("version__solution")
        return (
            Effect.objects.in_scope(scope)
            .select_related("metric", "action__unit", "action__challenge__merged_into")
            .defer("series", "quality_parts")
            .prefetch_related(Prefetch("action__solutions", used))
        )

    @extend_schema(responses=WeekSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None, filter_backends=[])
    def weeks(self, request: Request, **_kwargs: str) -> Response:
        """The weeks around the action with and without it; empty where no effect is known."""
        effect = Effect.objects.select_related("metric", "run").get(pk=self.get_object().pk)
        return Response(WeekSerializer(plots.week_rows(effect), many=True).data)


class RankingSerializer(serializers.ModelSerializer[RankedSolution]):
    challenge = CodeField()
    solution = CodeField()
    kind = serializers.CharField(source="solution.kind", read_only=True)
    actions = serializers.IntegerField(source="action_count", read_only=True)
    units = serializers.IntegerField(source="unit_count", read_only=True)
    cost = serializers.IntegerField(source="solution.cost", read_only=True, allow_null=True)

    class Meta:
        model = RankedSolution
        fields = (
            "id",
            "challenge",
            "solution",
            "kind",
            "rank",
            "tier",
            "effect",
            "se",
            "low",
            "high",
            "p_positive",
            "p_best",
            "expected_rank",
            "actions",
            "units",
            "heterogeneity",
            "evidence",
            "verdict",
            "cost",
            "naive_change",
            "method",
            "as_of",
        )
        read_only_fields = fields


class PairSerializer(serializers.Serializer[Any]):
    """The chance that the solution of the address is better than `solution`."""

    solution = serializers.CharField()
    better = serializers.FloatField()


class RankingFilter(FilterSet):
    challenge = CodeFilter(field_name="challenge__code")
    solution = CodeFilter(field_name="solution__code")
    kind = django_filters.CharFilter(field_name="solution__kind")
    unit = django_filters.CharFilter(method="filter_unit")
    tier = django_filters.NumberFilter()
    evidence = django_filters.NumberFilter()
    verdict = django_filters.ChoiceFilter(choices=RankedSolution.Verdict.choices)
    method = django_filters.CharFilter()
    as_of = django_filters.DateFilter()

    def filter_queryset(self, queryset: QuerySet[RankedSolution]) -> QuerySet[RankedSolution]:
        """Places for all kinds of unit together, unless one unit is asked for."""
        filtered: QuerySet[RankedSolution] = super().filter_queryset(queryset)
        return filtered if self.form.cleaned_data.get("unit") else filtered.filter(context="")

    def filter_unit(self, queryset: QuerySet[RankedSolution], name: str, value: str) -> QuerySet[RankedSolution]:
        """Places for the unit's kind, and those for all kinds where its kind has none."""
        units = Unit.objects.in_scope(person_of_request(self.request).scope())
        unit = units.alias(lowered=Lower("code")).filter(lowered=value.lower()).first()
        if unit is None:
            message = _("There is no unit %(code)s.") % {"code": value}
            raise ValidationError({name: [message]}, code="unknown_code")
        own = RankedSolution.objects.filter(
            challenge=OuterRef("challenge"), solution=OuterRef("solution"), context=unit.kind
        )
        return queryset.filter(Q(context=unit.kind) | Q(~Exists(own), context=""))


class RankingViewSet(Collection[RankedSolution]):
    """Solutions of each challenge in the order of their proven effect."""

    queryset = RankedSolution.objects.none()
    serializer_class = RankingSerializer
    filterset_class = RankingFilter
    read_role = Role.STAFF
    ordering_fields = {
        "challenge": "challenge__code",
        "solution": "solution__code",
        "kind": "solution__kind",
        "rank": "rank",
        "tier": "tier",
        "effect": "effect",
        "evidence": "evidence",
        "p_positive": "p_positive",
        "p_best": "p_best",
        "cost": "solution__cost",
    }
    ordering = ("challenge", "rank", "solution")
    search_fields = ("challenge__name", "challenge__name_fr", "solution__title", "solution__title_fr")

    def get_queryset(self) -> QuerySet[RankedSolution]:
        return RankedSolution.objects.select_related("challenge", "solution")

    @extend_schema(responses=PairSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None, filter_backends=[])
    def pairs(self, request: Request, **_kwargs: str) -> Response:
        """How likely the solution is better than each other one that is ranked for the challenge."""
        better = self.get_object().better
        codes = dict(Solution.objects.filter(pk__in=better).order_by("code").values_list("pk", "code"))
        pairs = [{"solution": code, "better": better[str(pk)]} for pk, code in codes.items()]
        return Response(PairSerializer(pairs, many=True).data)


class CheckSerializer(serializers.Serializer[Any]):
    """A check that did not pass without a value could not be run."""

    code = serializers.CharField()
    passed = serializers.BooleanField()
    value = serializers.FloatField(allow_null=True)
    limit = serializers.CharField(allow_blank=True)


class MetricChecksSerializer(serializers.ModelSerializer[Run]):
    """The checks of a metric's newest measurement; `inflation` is the factor on its standard errors."""

    metric = CodeField()
    reason = serializers.SerializerMethodField()
    inflation = serializers.SerializerMethodField()
    checks = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = ("id", "metric", "as_of", "reason", "inflation", "checks", "method")
        read_only_fields = fields

    def get_reason(self, run: Run) -> str | None:
        return run.reason or None

    def get_inflation(self, run: Run) -> float:
        return checking.inflation_of(run)

    @extend_schema_field(CheckSerializer(many=True))
    def get_checks(self, run: Run) -> list[dict[str, object]]:
        return list(CheckSerializer(run.checks or [], many=True).data)


class CheckFilter(FilterSet):
    metric = CodeFilter(field_name="metric__code")
    reason = django_filters.CharFilter()
    as_of = django_filters.DateFilter()


class CheckViewSet(Collection[Run]):
    """Whether each metric's measurement holds, one row per metric."""

    queryset = Run.objects.none()
    serializer_class = MetricChecksSerializer
    filterset_class = CheckFilter
    read_role = Role.LEAD
    ordering_fields = {"metric": "metric__code", "as_of": "as_of"}
    ordering = ("metric",)
    search_fields = ("metric__name", "metric__name_fr")

    def get_queryset(self) -> QuerySet[Run]:
        return Run.objects.filter(pk__in=checking.newest_runs().values("pk")).select_related("metric")


class ClaimSerializer(serializers.ModelSerializer[SolutionClaim]):
    solution = CodeField()
    metric = CodeField()
    actions = serializers.IntegerField(source="action_count", read_only=True)
    units = serializers.IntegerField(source="unit_count", read_only=True)

    class Meta:
        model = SolutionClaim
        fields = (
            "id",
            "solution",
            "metric",
            "as_of",
            "verdict",
            "effect",
            "se",
            "low",
            "high",
            "p_positive",
            "heterogeneity",
            "actions",
            "units",
            "evidence",
            "method",
            "made_at",
        )
        read_only_fields = fields


class ClaimFilter(FilterSet):
    solution = CodeFilter(field_name="solution__code")
    metric = CodeFilter(field_name="metric__code")
    verdict = django_filters.ChoiceFilter(choices=RankedSolution.Verdict.choices)
    as_of = django_filters.DateFilter()


class ClaimViewSet(Collection[SolutionClaim]):
    """What was said of each solution when: a new row whenever something else is said."""

    queryset = SolutionClaim.objects.none()
    serializer_class = ClaimSerializer
    filterset_class = ClaimFilter
    read_role = Role.LEAD
    ordering_fields = {
        "solution": "solution__code",
        "metric": "metric__code",
        "as_of": "as_of",
        "verdict": "verdict",
    }
    ordering = ("solution", "metric", "as_of")
    search_fields = ("solution__title", "solution__title_fr", "metric__name")

    def get_queryset(self) -> QuerySet[SolutionClaim]:
        return SolutionClaim.objects.select_related("solution", "metric")
