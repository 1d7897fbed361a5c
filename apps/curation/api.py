"""Solution packs over the API: the shipped ones, one to bring in, one to take along."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from apps.accounts.models import Role
from apps.accounts.permissions import person_of_request
from apps.core.idempotency import body_of, digest_of, once
from apps.core.viewsets import CODE_IN_PATH
from apps.curation.packs import CODE, Pack, PackInvalid, read_pack, write_pack
from apps.curation.selectors import pack_of, view_packs
from apps.curation.services import import_pack
from apps.curation.shipped import shipped_packs
from apps.library.models import Status


class PackSerializer(serializers.Serializer[Any]):
    """A shipped pack beside the library: `there` of its `solutions` are in it already."""

    code = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    challenges = serializers.IntegerField()
    solutions = serializers.IntegerField(source="total")
    there = serializers.IntegerField()


class PackOutcomeSerializer(serializers.Serializer[Any]):
    pack = serializers.CharField()
    challenges = serializers.IntegerField()
    solutions = serializers.IntegerField()
    links = serializers.IntegerField()
    playbooks = serializers.IntegerField()
    kept = serializers.IntegerField()


class PackViewSet(ViewSet):
    """Packs in the documented format; only a lead of everything brings one in."""

    read_role = Role.LEAD
    write_role = Role.LEAD
    metadata_class = None
    lookup_field = "code"
    lookup_value_regex = CODE_IN_PATH

    @extend_schema(responses=PackSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The packs that come with cxplan."""
        return Response(PackSerializer(view_packs(list(shipped_packs().values())), many=True).data)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, code: str) -> Response:
        """A shipped pack as a file."""
        pack = shipped_packs().get(code)
        if pack is None:
            raise NotFound
        return Response(write_pack(pack))

    @extend_schema(request=OpenApiTypes.OBJECT, responses={201: PackOutcomeSerializer})
    def create(self, request: Request) -> Response:
        """Bring a pack in, all of it or nothing; what the library has already stays as it is."""
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=lambda: self._create(request))

    @extend_schema(
        responses=OpenApiTypes.OBJECT,
        parameters=[
            OpenApiParameter("code", str, description="the code of the new pack", default="library"),
            OpenApiParameter("title", str, description="its title", default="Library"),
            OpenApiParameter("challenge", str, many=True, description="codes; all challenges when none is given"),
            OpenApiParameter("evidence", bool, description="with what was measured", default=True),
        ],
    )
    @action(detail=False)
    def export(self, request: Request) -> Response:
        """A part of the library as a pack; evidence names no unit and no person."""
        given = request.query_params
        code = given.get("code", "library")
        if not CODE.fullmatch(code):
            raise serializers.ValidationError(
                {"code": ["A code has up to 64 letters, digits, dots, dashes or underscores."]}
            )
        pack = pack_of(
            code=code,
            title=given.get("title", "Library")[:200] or "Library",
            challenges=_codes(given.getlist("challenge")),
            with_evidence=given.get("evidence", "true").lower() != "false",
        )
        return Response(write_pack(pack))

    def _create(self, request: Request) -> Response:
        person = person_of_request(request)
        if not person.leads_from_the_top:
            raise PermissionDenied
        pack = self._read(request)
        as_drafts = request.query_params.get("as_drafts", "").lower() == "true"
        outcome = import_pack(pack=pack, status=Status.DRAFT if as_drafts else Status.PUBLISHED, actor=person.user)
        return Response({"pack": pack.code, **asdict(outcome)}, status=status.HTTP_201_CREATED)

    def _read(self, request: Request) -> Pack:
        try:
            return read_pack(request.data)
        except PackInvalid as error:
            raise serializers.ValidationError(
                {place or "/": [message] for place, message in error.problems}, code=error.code
            ) from error


def _codes(given: Sequence[str]) -> Sequence[str]:
    """The codes of challenges as asked for; what can't be a code is told, not passed over."""
    if not all(CODE.fullmatch(code) for code in given):
        raise serializers.ValidationError(
            {"challenge": ["A code has up to 64 letters, digits, dots, dashes or underscores."]}
        )
    return given
