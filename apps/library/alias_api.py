"""What other systems call a solution, over the API."""

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.accounts.models import Role, User
from apps.accounts.permissions import person_of_request
from apps.core.etags import check_if_match, etag_of
from apps.core.filters import CodeFilter, FilterSet
from apps.core.idempotency import body_of, digest_of, once
from apps.core.serializers import CodeField, InputSerializer, ReferenceField
from apps.core.viewsets import Collection
from apps.library.models import Solution, SolutionAlias
from apps.library.solution_aliases import change_solution_alias, create_solution_alias, remove_solution_alias

IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description="The ETag you read: the change is refused (412) when somebody else was faster.",
)


def lead_of_all(request: Request) -> User:
    """The caller, who must lead a unit that lies under no other: what solutions are called is everybody's."""
    person = person_of_request(request)
    if not person.leads_from_the_top:
        raise PermissionDenied
    return person.user


class SolutionAliasSerializer(serializers.ModelSerializer[SolutionAlias]):
    solution = CodeField()

    class Meta:
        model = SolutionAlias
        fields = ("id", "source", "label", "solution")
        read_only_fields = fields


class SolutionAliasChange(InputSerializer):
    solution = ReferenceField(queryset=Solution.objects.all())


class SolutionAliasInput(SolutionAliasChange):
    source = serializers.CharField(max_length=64, allow_blank=True)  # type: ignore[assignment]  # a field of that name
    label = serializers.CharField(max_length=200)  # type: ignore[assignment]  # a field of that name


class SolutionAliasFilter(FilterSet):
    source = django_filters.CharFilter(lookup_expr="iexact")
    label = django_filters.CharFilter(lookup_expr="iexact")
    solution = CodeFilter(field_name="solution__code")


class SolutionAliasViewSet(Collection[SolutionAlias]):
    """What other systems call a solution; `ETag` and `If-Match` protect against lost updates."""

    queryset = SolutionAlias.objects.none()
    serializer_class = SolutionAliasSerializer
    filterset_class = SolutionAliasFilter
    read_role = Role.STAFF
    write_role = Role.LEAD
    ordering_fields = {"source": "source", "label": "label", "solution": "solution__code"}
    ordering = ("source", "label")
    search_fields = ("source", "label")

    def get_queryset(self) -> QuerySet[SolutionAlias]:
        # A draft is for leads alone, its other names too.
        is_lead = person_of_request(self.request).has(Role.LEAD)
        solutions = Solution.objects.seen_by(is_lead=is_lead)
        return SolutionAlias.objects.filter(solution__in=solutions).select_related("solution")

    @extend_schema(request=SolutionAliasInput, responses={201: SolutionAliasSerializer})
    def create(self, request: Request) -> Response:
        """Say which solution a source means by a label; a file that was refused for it can come in again."""
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=lambda: self._create(request))

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        return self._shown(self.get_object())

    @extend_schema(request=SolutionAliasChange, responses=SolutionAliasSerializer, parameters=[IF_MATCH])
    @transaction.atomic
    def partial_update(self, request: Request, id: str) -> Response:  # noqa: A002  # the name in the address
        """Let the label mean another solution from now on."""
        actor, alias = lead_of_all(request), self._locked(request)
        given = SolutionAliasChange(data=request.data)
        given.is_valid(raise_exception=True)
        change_solution_alias(alias=alias, actor=actor, **given.validated_data)
        return self._shown(self.get_object())

    @extend_schema(responses={204: None}, parameters=[IF_MATCH])
    @transaction.atomic
    def destroy(self, request: Request, id: str) -> Response:  # noqa: A002  # the name in the address
        actor, alias = lead_of_all(request), self._locked(request)
        remove_solution_alias(alias=alias, actor=actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _create(self, request: Request) -> Response:
        actor = lead_of_all(request)
        given = SolutionAliasInput(data=request.data)
        given.is_valid(raise_exception=True)
        made = create_solution_alias(**given.validated_data, actor=actor)
        shown = self._shown(self.get_queryset().get(pk=made.pk))
        shown.status_code = status.HTTP_201_CREATED
        shown["Location"] = reverse("solution-alias-detail", [made.pk], request=request)
        return shown

    def _locked(self, request: Request) -> SolutionAlias:
        alias = self.get_object()
        SolutionAlias.objects.select_for_update(no_key=True).get(pk=alias.pk)
        alias = self.get_object()
        check_if_match(request, self._shown(alias)["ETag"])
        return alias

    def _shown(self, alias: SolutionAlias) -> Response:
        data = SolutionAliasSerializer(alias).data
        return Response(data, headers={"ETag": etag_of(data)})
