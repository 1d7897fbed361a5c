"""Imports over the API: a file of any size comes in as a stream, and its fate can be followed."""

from functools import partial
from typing import IO, Any, ClassVar

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.accounts.models import ApiToken, Role
from apps.accounts.permissions import person_of_request
from apps.core.filters import FilterSet
from apps.core.idempotency import check_key, digest_of, once
from apps.core.mapping import read_mapping
from apps.core.serializers import InputSerializer
from apps.core.viewsets import Collection
from apps.imports import tasks
from apps.imports.models import ImportBatch, Kind
from apps.imports.selectors import importable_kinds
from apps.imports.services import receive_import
from apps.imports.upload import MEDIA_TYPES, MULTIPART, kept, parts_of


class ImportSerializer(serializers.ModelSerializer[ImportBatch]):
    file = serializers.CharField(source="file_name", read_only=True)
    bytes = serializers.IntegerField(source="file_bytes", read_only=True)
    strict = serializers.BooleanField(source="is_strict", read_only=True)
    dry_run = serializers.BooleanField(source="is_dry_run", read_only=True)
    progress = serializers.SerializerMethodField()
    rows = serializers.IntegerField(source="row_count", read_only=True)
    accepted = serializers.IntegerField(source="accepted_count", read_only=True)
    duplicates = serializers.IntegerField(source="duplicate_count", read_only=True)
    corrected = serializers.IntegerField(source="corrected_count", read_only=True)
    rejected = serializers.IntegerField(source="rejected_count", read_only=True)
    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)
    rejected_rows = serializers.ListField(source="reject_sample", child=serializers.DictField(), read_only=True)
    rejects = serializers.SerializerMethodField()
    error = serializers.DictField(read_only=True, allow_null=True)
    actor = serializers.EmailField(source="actor.email", default=None, read_only=True, allow_null=True)
    seconds = serializers.SerializerMethodField()

    class Meta:
        model = ImportBatch
        fields = (
            "id",
            "kind",
            "source",
            "file",
            "bytes",
            "strict",
            "dry_run",
            "state",
            "phase",
            "progress",
            "rows",
            "accepted",
            "duplicates",
            "corrected",
            "rejected",
            "warnings",
            "rejected_rows",
            "rejects",
            "error",
            "actor",
            "created_at",
            "started_at",
            "finished_at",
            "seconds",
        )
        read_only_fields = fields

    def get_progress(self, batch: ImportBatch) -> int:
        """Percent of the file that was read; checking and storing come after."""
        if batch.is_over:
            return 100
        return 100 * batch.read_bytes // batch.file_bytes if batch.file_bytes else 0

    @extend_schema_field({"type": ["string", "null"], "format": "uri"})
    def get_rejects(self, batch: ImportBatch) -> str | None:
        """Where the file of all rejected rows is."""
        if not batch.rejects:
            return None
        return reverse("import-rejects", [batch.pk], request=self.context.get("request"))

    def get_seconds(self, batch: ImportBatch) -> float | None:
        if batch.started_at is None or batch.finished_at is None:
            return None
        return round((batch.finished_at - batch.started_at).total_seconds(), 3)


class ImportFilter(FilterSet):
    kind = django_filters.ChoiceFilter(choices=Kind.choices)
    state = django_filters.ChoiceFilter(choices=ImportBatch.State.choices)
    source = django_filters.CharFilter(lookup_expr="iexact")
    file = django_filters.CharFilter(field_name="file_name")
    actor = django_filters.CharFilter(field_name="actor__email", lookup_expr="iexact")
    dry_run = django_filters.BooleanFilter(field_name="is_dry_run")


class ImportInput(InputSerializer):
    kind = serializers.ChoiceField(choices=Kind.choices)
    source = serializers.CharField(  # type: ignore[assignment]  # a field of that name
        required=False, default="", allow_blank=True, max_length=64
    )
    strict = serializers.BooleanField(required=False, default=False)
    dry_run = serializers.BooleanField(required=False, default=False)
    map = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=1024 * 1024, help_text="A mapping, as TOML."
    )
    file_name = serializers.CharField(
        required=False, max_length=255, help_text="Its ending tells the format when the content type does not."
    )


class AnyRenderer(JSONRenderer):
    """A file answers in its own type, whatever the caller accepts; errors stay JSON."""

    media_type = "*/*"


BINARY = {"type": "string", "format": "binary"}
BODIES: dict[str, Any] = {
    **dict.fromkeys(MEDIA_TYPES, BINARY),
    MULTIPART: {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": BINARY,
            **{name: {"type": "string"} for name in ("kind", "source", "strict", "dry_run", "map", "file_name")},
        },
    },
}


class ImportViewSet(Collection[ImportBatch]):
    """Files that came in: how far each one is, its counts, and the rows that were rejected."""

    queryset = ImportBatch.objects.none()
    serializer_class = ImportSerializer
    filterset_class = ImportFilter
    read_role = Role.LEAD
    write_role = Role.LEAD
    read_scopes = (ApiToken.Access.READ, ApiToken.Access.IMPORT)
    write_scopes = (ApiToken.Access.IMPORT,)
    ordering_fields: ClassVar = {
        "id": "id",
        "kind": "kind",
        "state": "state",
        "created_at": "created_at",
        "finished_at": "finished_at",
    }
    ordering = ("-id",)
    search_fields = ("file_name", "source")

    def get_queryset(self) -> QuerySet[ImportBatch]:
        return ImportBatch.objects.visible_to(person_of_request(self.request)).select_related("actor")

    @extend_schema(
        request=BODIES,
        responses={202: ImportSerializer},
        parameters=[
            OpenApiParameter("kind", enum=Kind.values, description="May also come as a form field."),
            OpenApiParameter("source", description="The source of rows that do not name one."),
            OpenApiParameter("strict", OpenApiTypes.BOOL, description="Refuse a file with unknown columns."),
            OpenApiParameter("dry_run", OpenApiTypes.BOOL, description="Check everything and store nothing."),
            OpenApiParameter("map", description="A mapping, as TOML."),
            OpenApiParameter("file_name", description="Its ending tells the format."),
        ],
    )
    def create(self, request: Request) -> Response:
        """Take a file in; it is imported in the background, and its own address shows how that goes."""
        fields, file, name = parts_of(request)
        given = ImportInput(data={**request.query_params.dict(), **fields})
        given.is_valid(raise_exception=True)
        values = given.validated_data
        if values["kind"] not in importable_kinds(person_of_request(request)):
            raise PermissionDenied
        if not check_key(request):
            return self._receive(request, file, name, values)
        with kept(file) as (copy, digest):
            whole = digest_of(repr(sorted(values.items())).encode(), digest)
            return once(request, digest=whole, produce=partial(self._receive, request, copy, name, values))

    @extend_schema(responses={(200, "*/*"): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True, renderer_classes=[AnyRenderer], pagination_class=None)
    def rejects(self, request: Request, id: str) -> FileResponse:  # noqa: A002  # the name in the address
        """The rejected rows in the columns they came in, with line, field, code and message."""
        batch = self.get_object()
        if not batch.rejects:
            raise Http404
        return FileResponse(batch.rejects.open("rb"), as_attachment=True)

    def _receive(self, request: Request, file: IO[bytes], name: str, values: dict[str, Any]) -> Response:
        batch = receive_import(
            kind=values["kind"],
            file=file,
            file_name=values.get("file_name", name),
            source=values["source"],
            mapping=read_mapping(values["map"]) if values["map"].strip() else None,
            is_strict=values["strict"],
            is_dry_run=values["dry_run"],
            actor=person_of_request(request).user,
        )
        # Robust: without a broker the file is imported by the beat's next round instead.
        transaction.on_commit(lambda: tasks.run.delay(batch_id=batch.pk), robust=True)
        return Response(
            self.get_serializer(batch).data,
            status.HTTP_202_ACCEPTED,
            headers={"Location": reverse("import-detail", [batch.pk], request=request)},
        )
