"""Challenges, aliases and labels that wait, over the API."""

from collections.abc import Callable
from typing import Any

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.accounts.models import AuditEvent, Role, User
from apps.accounts.permissions import person_of_request
from apps.core.etags import check_if_match, etag_of, is_unchanged
from apps.core.filters import CodeFilter, FilterSet
from apps.core.idempotency import body_of, digest_of, once
from apps.core.serializers import CodeField, InputSerializer
from apps.core.viewsets import CodedCollection, Collection
from apps.taxonomy import aliases, services
from apps.taxonomy.api import NAMED_SEARCH
from apps.taxonomy.api_input import (
    AliasChange,
    AliasInput,
    ChallengeChange,
    ChallengeInput,
    MergeInput,
    MoveInput,
    NothingInput,
    SplitInput,
)
from apps.taxonomy.inbox import IGNORED, MAPPED, WAITING, labels_in
from apps.taxonomy.models import Alias, Challenge, UnmappedLabel
from apps.taxonomy.services import TooLateToUndo

IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description="The ETag you read: the change is refused (412) when somebody else was faster.",
)


def lead_of_all(request: Request) -> User:
    """The caller, who must lead a unit that lies under no other: the vocabulary is everybody's."""
    person = person_of_request(request)
    if not person.leads_from_the_top:
        raise PermissionDenied
    return person.user


class ChallengeSerializer(serializers.ModelSerializer[Challenge]):
    parent = CodeField(allow_null=True)  # type: ignore[assignment]  # a field of that name
    touchpoint = CodeField(allow_null=True)
    metric = CodeField(allow_null=True)
    merged_into = CodeField(allow_null=True)
    parts = serializers.SerializerMethodField()

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
            "parts",
        )
        read_only_fields = fields

    def get_parts(self, challenge: Challenge) -> list[str]:
        """What a split made of it."""
        return sorted(part.code for part in challenge.parts.all())


class ChallengeFilter(FilterSet):
    code = CodeFilter()
    parent = CodeFilter(field_name="parent__code")
    touchpoint = CodeFilter(field_name="touchpoint__code")
    metric = CodeFilter(field_name="metric__code")
    severity = django_filters.NumberFilter()


class ChallengeViewSet(CodedCollection[Challenge]):
    """Recurring problems of customer experience, in a tree; nothing done to it touches what was recorded."""

    queryset = Challenge.objects.none()
    serializer_class = ChallengeSerializer
    filterset_class = ChallengeFilter
    read_role = Role.STAFF
    write_role = Role.LEAD
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
        terms = Challenge.objects.select_related("parent", "touchpoint", "metric", "merged_into")
        return terms.prefetch_related("parts")

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        shown = self._shown(self.get_object())
        if is_unchanged(request, shown["ETag"]):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": shown["ETag"]})
        return shown

    @extend_schema(request=ChallengeInput, responses={201: ChallengeSerializer})
    def create(self, request: Request) -> Response:
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=lambda: self._create(request))

    @extend_schema(request=ChallengeChange, responses=ChallengeSerializer, parameters=[IF_MATCH])
    @transaction.atomic
    def partial_update(self, request: Request, code: str) -> Response:
        """Rename it, describe it, or give it another severity, outcome or touchpoint."""
        return self._change(
            request,
            ChallengeChange,
            lambda term, given, actor: services.change_challenge(
                challenge=term, changes=given.validated_data, actor=actor
            ),
        )

    @extend_schema(request=MoveInput, responses=ChallengeSerializer, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def move(self, request: Request, code: str) -> Response:
        """Put it under another one, with all that stands under it; null is the top."""
        return self._once(
            request,
            MoveInput,
            lambda term, given, actor: services.move_challenge(
                challenge=term, actor=actor, **given.validated_data
            ),
        )

    @extend_schema(request=MergeInput, responses=ChallengeSerializer, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, code: str) -> Response:
        """Let another challenge stand for it from now on."""
        return self._once(
            request,
            MergeInput,
            lambda term, given, actor: services.merge_challenge(
                challenge=term, actor=actor, **given.validated_data
            ),
        )

    @extend_schema(request=SplitInput, responses=ChallengeSerializer, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def split(self, request: Request, code: str) -> Response:
        """Let several challenges follow it; those with a name are made."""
        return self._once(
            request,
            SplitInput,
            lambda term, given, actor: services.split_challenge(
                challenge=term, parts=given.terms(), on=timezone.localdate(), actor=actor
            ),
        )

    @extend_schema(request=NothingInput, responses=ChallengeSerializer, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, code: str) -> Response:
        """Take it out of use; its past stays."""
        return self._once(
            request,
            NothingInput,
            lambda term, given, actor: services.retire_challenge(
                challenge=term, on=timezone.localdate(), actor=actor
            ),
        )

    @extend_schema(request=NothingInput, responses=ChallengeSerializer, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, code: str) -> Response:
        """Bring a retired one back."""
        return self._once(
            request,
            NothingInput,
            lambda term, given, actor: services.restore_challenge(challenge=term, actor=actor),
        )

    @extend_schema(request=NothingInput, responses=ChallengeSerializer, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, code: str) -> Response:
        """Take the newest change of it back, within a day."""
        return self._once(request, NothingInput, _undo_newest)

    def _create(self, request: Request) -> Response:
        actor = lead_of_all(request)
        given = ChallengeInput(data=request.data)
        given.is_valid(raise_exception=True)
        made = services.create_challenge(**given.validated_data, actor=actor)
        shown = self._shown(self.get_queryset().get(pk=made.pk))
        shown.status_code = status.HTTP_201_CREATED
        shown["Location"] = reverse("challenge-detail", [made.code], request=request)
        return shown

    def _once(
        self, request: Request, form: type[InputSerializer], act: Callable[[Challenge, Any, User], object]
    ) -> Response:
        # The data is parsed only afterwards: a parsed body has no bytes left.
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=lambda: self._change(request, form, act))

    @transaction.atomic
    def _change(
        self, request: Request, form: type[InputSerializer], act: Callable[[Challenge, Any, User], object]
    ) -> Response:
        actor, challenge = lead_of_all(request), self.get_object()
        Challenge.objects.select_for_update(no_key=True).get(pk=challenge.pk)
        challenge = self.get_object()
        check_if_match(request, self._shown(challenge)["ETag"])
        given = form(data=request.data)
        given.is_valid(raise_exception=True)
        act(challenge, given, actor)
        return self._shown(self.get_object())

    def _shown(self, challenge: Challenge) -> Response:
        data = ChallengeSerializer(challenge).data
        return Response(data, headers={"ETag": etag_of(data)})


def _undo_newest(challenge: Challenge, _given: InputSerializer, actor: User) -> None:
    changes = AuditEvent.objects.about(challenge).filter(event__startswith="taxonomy.challenge.")
    undone = (
        AuditEvent.objects.about(challenge).filter(event=services.UNDONE).values_list("data__undoes", flat=True)
    )
    newest = changes.exclude(pk__in=list(undone)).order_by("-pk").first()
    if newest is None or newest.event == "taxonomy.challenge.created":
        raise TooLateToUndo(_("There is no change of the last day to undo."))
    services.undo_change(change=newest, at=timezone.now(), actor=actor)


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
    """What other systems call a challenge; `ETag` and `If-Match` protect against lost updates."""

    queryset = Alias.objects.none()
    serializer_class = AliasSerializer
    filterset_class = AliasFilter
    read_role = Role.STAFF
    write_role = Role.LEAD
    ordering_fields = {"source": "source", "label": "label", "challenge": "challenge__code"}
    ordering = ("source", "label")
    search_fields = ("source", "label")

    def get_queryset(self) -> QuerySet[Alias]:
        return Alias.objects.select_related("challenge")

    @extend_schema(request=AliasInput, responses={201: AliasSerializer})
    def create(self, request: Request) -> Response:
        """Say what a source means by a label; responses that waited for it are coded soon after."""
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=lambda: self._create(request))

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        return self._shown(self.get_object())

    @extend_schema(request=AliasChange, responses=AliasSerializer, parameters=[IF_MATCH])
    @transaction.atomic
    def partial_update(self, request: Request, id: str) -> Response:  # noqa: A002  # the name in the address
        """Let the label mean another challenge from now on."""
        actor, alias = lead_of_all(request), self._locked(request)
        given = AliasChange(data=request.data)
        given.is_valid(raise_exception=True)
        aliases.change_alias(alias=alias, actor=actor, **given.validated_data)
        return self._shown(self.get_object())

    @extend_schema(responses={204: None}, parameters=[IF_MATCH])
    @transaction.atomic
    def destroy(self, request: Request, id: str) -> Response:  # noqa: A002  # the name in the address
        actor, alias = lead_of_all(request), self._locked(request)
        aliases.remove_alias(alias=alias, actor=actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _create(self, request: Request) -> Response:
        actor = lead_of_all(request)
        given = AliasInput(data=request.data)
        given.is_valid(raise_exception=True)
        made = aliases.create_alias(**given.validated_data, actor=actor)
        shown = self._shown(self.get_queryset().get(pk=made.pk))
        shown.status_code = status.HTTP_201_CREATED
        shown["Location"] = reverse("alias-detail", [made.pk], request=request)
        return shown

    def _locked(self, request: Request) -> Alias:
        alias = self.get_object()
        Alias.objects.select_for_update(no_key=True).get(pk=alias.pk)
        alias = self.get_object()
        check_if_match(request, self._shown(alias)["ETag"])
        return alias

    def _shown(self, alias: Alias) -> Response:
        data = AliasSerializer(alias).data
        return Response(data, headers={"ETag": etag_of(data)})


class UnmappedLabelSerializer(serializers.ModelSerializer[UnmappedLabel]):
    coded_as = CodeField(allow_null=True)
    ignored = serializers.BooleanField(source="is_ignored", read_only=True)

    class Meta:
        model = UnmappedLabel
        fields = (
            "id",
            "source",
            "label",
            "first_seen_at",
            "last_seen_at",
            "response_count",
            "rejected_count",
            "ignored",
            "coded_as",
        )
        read_only_fields = fields


class UnmappedLabelFilter(FilterSet):
    source = django_filters.CharFilter(lookup_expr="iexact")
    label = django_filters.CharFilter(lookup_expr="iexact")
    ignored = django_filters.BooleanFilter(field_name="is_ignored")
    state = django_filters.ChoiceFilter(
        choices=[(name, name) for name in (WAITING, MAPPED, IGNORED)], method="filter_state"
    )

    def filter_state(self, queryset: QuerySet[UnmappedLabel], name: str, value: str) -> QuerySet[UnmappedLabel]:
        return queryset.filter(pk__in=labels_in(value).values("pk"))


class UnmappedLabelViewSet(Collection[UnmappedLabel]):
    """Labels that files used for a challenge before anybody said what they mean; create an alias to map one."""

    queryset = UnmappedLabel.objects.none()
    serializer_class = UnmappedLabelSerializer
    filterset_class = UnmappedLabelFilter
    read_role = Role.LEAD
    ordering_fields = {
        "source": "source",
        "label": "label",
        "response_count": "response_count",
        "last_seen_at": "last_seen_at",
    }
    ordering = ("source", "label")
    search_fields = ("source", "label")

    def get_queryset(self) -> QuerySet[UnmappedLabel]:
        lead_of_all(self.request)
        return UnmappedLabel.objects.select_related("coded_as")
