"""Changes that colleagues ask for in a recipe, and what leads decide, over the API."""

from collections.abc import Callable
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.accounts.models import Role
from apps.accounts.permissions import person_of_request
from apps.core.filters import CodeFilter, FilterSet
from apps.core.idempotency import body_of, digest_of, once
from apps.core.serializers import CodeField, InputSerializer, ReferenceField
from apps.core.viewsets import Collection
from apps.library.api_input import TextInput
from apps.library.models import ChangeRequest, Solution
from apps.library.requests import accept_request, decline_request, request_change
from apps.library.texts import LANGUAGES, MAIN_LANGUAGE


class ChangeRequestSerializer(serializers.ModelSerializer[ChangeRequest]):
    solution = CodeField()
    version = serializers.IntegerField(source="version.number", read_only=True)
    changes = serializers.DictField(child=serializers.CharField(), read_only=True)
    author = serializers.EmailField(source="author.email", read_only=True)
    decided_by = serializers.EmailField(source="decided_by.email", default=None, read_only=True, allow_null=True)
    # The version it became.
    result = serializers.IntegerField(source="result.number", default=None, read_only=True, allow_null=True)

    class Meta:
        model = ChangeRequest
        fields = (
            "id",
            "solution",
            "version",
            "language",
            "changes",
            "reason",
            "state",
            "author",
            "created_at",
            "decision",
            "decided_by",
            "decided_at",
            "result",
        )
        read_only_fields = fields


class SolutionSeen(ReferenceField):
    """A solution that the caller may read."""

    def rows(self) -> Any:
        return self.context["solutions"]


class ChangeRequestInput(InputSerializer):
    solution = SolutionSeen()
    language = serializers.ChoiceField(choices=list(LANGUAGES), default=MAIN_LANGUAGE)
    changes = TextInput()
    reason = serializers.CharField(max_length=2_000)


class AcceptInput(InputSerializer):
    decision = serializers.CharField(max_length=2_000, required=False, allow_blank=True, default="")


class DeclineInput(InputSerializer):
    decision = serializers.CharField(max_length=2_000)


class ChangeRequestFilter(FilterSet):
    solution = CodeFilter(field_name="solution__code")
    state = django_filters.ChoiceFilter(choices=ChangeRequest.State.choices)
    language = django_filters.ChoiceFilter(choices=[(one, one) for one in LANGUAGES])


class ChangeRequestViewSet(Collection[ChangeRequest]):
    """Other words that colleagues ask for; leads see and decide all of them, others see their own."""

    queryset = ChangeRequest.objects.none()
    serializer_class = ChangeRequestSerializer
    filterset_class = ChangeRequestFilter
    read_role = Role.STAFF
    write_role = Role.STAFF
    ordering_fields = {"id": "id", "solution": "solution__code", "state": "state", "created_at": "created_at"}
    ordering = ("id",)
    search_fields = ("reason", "decision", "solution__title")

    def get_queryset(self) -> QuerySet[ChangeRequest]:
        person = person_of_request(self.request)
        rows = ChangeRequest.objects.select_related("solution", "version", "author", "decided_by", "result")
        return rows if person.has(Role.LEAD) else rows.filter(author=person.user)

    @extend_schema(request=ChangeRequestInput, responses={201: ChangeRequestSerializer})
    def create(self, request: Request) -> Response:
        """Ask for other words in some parts of a recipe; its owner, or else the leads, are told."""
        return self._once(request, lambda: self._create(request))

    @extend_schema(request=AcceptInput, responses=ChangeRequestSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, id: str) -> Response:  # noqa: A002  # the name in the address
        """Take the words over as a new version that names its author."""
        return self._once(request, lambda: self._decide(request, AcceptInput, accept_request))

    @extend_schema(request=DeclineInput, responses=ChangeRequestSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, id: str) -> Response:  # noqa: A002  # the name in the address
        """Leave the recipe as it is; the author is told why."""
        return self._once(request, lambda: self._decide(request, DeclineInput, decline_request))

    def _create(self, request: Request) -> Response:
        person = person_of_request(request)
        seen = Solution.objects.seen_by(is_lead=person.has(Role.LEAD))
        given = ChangeRequestInput(data=request.data, context={"solutions": seen})
        given.is_valid(raise_exception=True)
        made = request_change(**given.validated_data, at=timezone.now(), actor=person.user)
        shown = Response(ChangeRequestSerializer(made).data, status=status.HTTP_201_CREATED)
        shown["Location"] = reverse("change-request-detail", [made.pk], request=request)
        return shown

    def _decide(
        self, request: Request, form: type[InputSerializer], decide: Callable[..., ChangeRequest]
    ) -> Response:
        person, asked = person_of_request(request), self.get_object()
        if not person.has(Role.LEAD):
            raise PermissionDenied
        given = form(data=request.data)
        given.is_valid(raise_exception=True)
        decide(request=asked, at=timezone.now(), actor=person.user, **given.validated_data)
        return Response(ChangeRequestSerializer(self.get_object()).data)

    def _once(self, request: Request, produce: Callable[[], Response]) -> Response:
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=produce)
