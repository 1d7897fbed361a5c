"""Solutions, their versions and files, and playbooks over the API."""

from typing import Any

import django_filters
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import FileResponse, Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.accounts.models import Role
from apps.accounts.permissions import person_of_request
from apps.core.etags import check_if_match, etag_of, is_unchanged
from apps.core.filters import CodeFilter, FilterSet
from apps.core.idempotency import body_of, digest_of, once
from apps.core.uploads import send_upload
from apps.core.viewsets import CodedCollection
from apps.library.api_input import (
    LinksInput,
    PlaybookChange,
    PlaybookInput,
    ReferencedInput,
    SolutionChange,
    SolutionInput,
    change_playbook,
    change_solution,
    set_links,
    solution_referenced,
    write_playbook,
    write_solution,
)
from apps.library.files import add_file, delete_file
from apps.library.models import (
    Playbook,
    PlaybookSolution,
    Solution,
    SolutionFile,
    SolutionLink,
    SolutionVersion,
)
from apps.library.texts import NAMES
from apps.taxonomy.models import Challenge

IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description="The ETag you read: the change is refused (412) when somebody else was faster.",
)
FILE_ID = OpenApiParameter("file_id", OpenApiTypes.INT, location=OpenApiParameter.PATH)


class VersionSerializer(serializers.ModelSerializer[SolutionVersion]):
    author = serializers.EmailField(source="author.email", default=None, read_only=True, allow_null=True)
    translations = serializers.SerializerMethodField()

    class Meta:
        model = SolutionVersion
        fields = ("number", *NAMES, "lag_days", "note", "author", "translations", "created_at")
        read_only_fields = fields

    def get_translations(self, version: SolutionVersion) -> dict[str, dict[str, str]]:
        return {one.language: one.text.as_dict() for one in version.translations.all()}


class SolutionSerializer(serializers.ModelSerializer[Solution]):
    challenges = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField()
    body = serializers.SerializerMethodField()
    recipe = serializers.SerializerMethodField()
    translations = serializers.SerializerMethodField()
    owner = serializers.EmailField(source="owner.email", default=None, read_only=True, allow_null=True)
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
            "recipe",
            "translations",
            "source",
            "owner",
            "review_every_months",
            "reviewed_on",
            "review_due_on",
            "updated_at",
        )
        read_only_fields = fields

    def get_challenges(self, solution: Solution) -> list[str]:
        return [challenge.code for challenge in solution.challenges.all()]

    def get_version(self, solution: Solution) -> int | None:
        newest = _newest(solution)
        return newest.number if newest else None

    def get_body(self, solution: Solution) -> str:
        newest = _newest(solution)
        return newest.body if newest else ""

    def get_recipe(self, solution: Solution) -> dict[str, str]:
        """The parts of the newest version, in the main language."""
        newest = _newest(solution)
        return newest.text.as_dict() if newest else {}

    def get_translations(self, solution: Solution) -> dict[str, dict[str, str]]:
        newest = _newest(solution)
        return {one.language: one.text.as_dict() for one in newest.translations.all()} if newest else {}


def _newest(solution: Solution) -> SolutionVersion | None:
    versions: list[SolutionVersion] = solution.newest_versions  # type: ignore[attr-defined]  # prefetched by the view
    return versions[0] if versions else None


class LinkSerializer(serializers.ModelSerializer[SolutionLink]):
    challenge = serializers.CharField(source="challenge.code", read_only=True)
    seen_in_use = serializers.BooleanField(source="is_seen_in_use", read_only=True)

    class Meta:
        model = SolutionLink
        fields = ("challenge", "rationale", "seen_in_use")
        read_only_fields = fields


class FileSerializer(serializers.ModelSerializer[SolutionFile]):
    class Meta:
        model = SolutionFile
        fields = ("id", "name", "content_type", "size", "created_at")
        read_only_fields = fields


class FileInput(serializers.Serializer[Any]):
    file = serializers.FileField(max_length=300)


class SolutionFilter(FilterSet):
    code = CodeFilter()
    kind = django_filters.ChoiceFilter(choices=Solution.Kind.choices)
    status = django_filters.ChoiceFilter(choices=Solution.Status.choices)
    origin = django_filters.ChoiceFilter(choices=Solution.Origin.choices)
    cost = django_filters.NumberFilter()
    challenges = CodeFilter(field_name="challenges__code", distinct=True)
    source = django_filters.CharFilter(lookup_expr="iexact")
    external_ref = django_filters.CharFilter()
    owner = django_filters.CharFilter(field_name="owner__email", lookup_expr="iexact")
    review_due_before = django_filters.DateFilter(field_name="review_due_on", lookup_expr="lt")


class SolutionViewSet(CodedCollection[Solution]):
    """Known remedies with their newest text; drafts are for CX leads, who also write."""

    queryset = Solution.objects.none()
    serializer_class = SolutionSerializer
    filterset_class = SolutionFilter
    read_role = Role.STAFF
    write_role = Role.LEAD
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
    search_fields = ("code", "title", "title_fr", "summary", "summary_fr")

    def get_queryset(self) -> QuerySet[Solution]:
        newest = SolutionVersion.objects.order_by("solution", "-number").distinct("solution")
        solutions = Solution.objects.select_related("owner").prefetch_related(
            Prefetch("challenges", Challenge.objects.order_by("code")),
            Prefetch("versions", newest.prefetch_related("translations"), to_attr="newest_versions"),
        )
        return solutions.seen_by(is_lead=person_of_request(self.request).has(Role.LEAD))

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        shown = self._shown(self.get_object())
        if is_unchanged(request, shown["ETag"]):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": shown["ETag"]})
        return shown

    @extend_schema(request=SolutionInput, responses={201: SolutionSerializer})
    def create(self, request: Request) -> Response:
        """Write down a solution; a draft unless `status` says otherwise."""
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(
            request, digest=digest, produce=lambda: self._create(request, SolutionInput(data=request.data))
        )

    @extend_schema(request=SolutionChange, responses=SolutionSerializer, parameters=[IF_MATCH])
    @transaction.atomic
    def partial_update(self, request: Request, code: str) -> Response:
        """Other words make a new version; `status` publishes or retires."""
        return self._change(request, self.get_object(), SolutionChange(data=request.data))

    @extend_schema(
        request=ReferencedInput,
        responses={200: SolutionSerializer, 201: SolutionSerializer},
        parameters=[IF_MATCH],
    )
    @action(detail=False, methods=["put"], url_path="by-reference")
    @transaction.atomic
    def by_reference(self, request: Request) -> Response:
        """Bring in what another system knows by `source` and `external_ref`: new, or updated in place."""
        given = ReferencedInput(data=request.data)
        given.is_valid(raise_exception=True)
        known = solution_referenced(given.validated_data)
        # A solution that is known keeps its code.
        return self._create(request, given) if known is None else self._change(request, known, given)

    @extend_schema(responses=VersionSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None, filter_backends=[])
    def versions(self, request: Request, code: str) -> Response:
        """Every version with its text, the newest first."""
        rows = self.get_object().versions.select_related("author").prefetch_related("translations")
        return Response(VersionSerializer(rows.order_by("-number"), many=True).data)

    @extend_schema(responses=LinkSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None, filter_backends=[])
    def links(self, request: Request, code: str) -> Response:
        """The challenges it answers, and why."""
        return self._links(self.get_object())

    @extend_schema(request=LinksInput, responses=LinkSerializer(many=True), filters=False)
    @links.mapping.put
    def replace_links(self, request: Request, code: str) -> Response:
        """These challenges and no others, but for those it was only seen in use for."""
        solution = self.get_object()
        given = LinksInput(data=request.data)
        given.is_valid(raise_exception=True)
        set_links(solution, given.validated_data["links"], actor=person_of_request(request).user)
        return self._links(solution)

    @extend_schema(responses=FileSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None, filter_backends=[])
    def files(self, request: Request, code: str) -> Response:
        """The files that go with the recipe."""
        return Response(FileSerializer(self.get_object().files.order_by("pk"), many=True).data)

    @extend_schema(request={"multipart/form-data": FileInput}, responses={201: FileSerializer}, filters=False)
    @files.mapping.post
    def upload(self, request: Request, code: str) -> Response:
        """Add a file, as the part `file` of a multipart body."""
        solution = self.get_object()
        given = FileInput(data=request.data)
        given.is_valid(raise_exception=True)
        kept = add_file(
            solution=solution, file=given.validated_data["file"], actor=person_of_request(request).user
        )
        return Response(FileSerializer(kept).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[FILE_ID],
        responses={200: OpenApiResponse(OpenApiTypes.BINARY, description="The file")},
        filters=False,
    )
    @action(detail=True, url_path="files/(?P<file_id>[0-9]{1,18})", pagination_class=None, filter_backends=[])
    def file(self, request: Request, code: str, file_id: str) -> FileResponse:
        """One file, as a download."""
        kept = self._file(file_id)
        return send_upload(kept.file, name=kept.name, content_type=kept.content_type)

    @extend_schema(parameters=[FILE_ID], responses={204: None}, filters=False)
    @file.mapping.delete
    def remove_file(self, request: Request, code: str, file_id: str) -> Response:
        """Delete a file for good."""
        delete_file(file=self._file(file_id), actor=person_of_request(request).user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_parsers(self) -> list[Any]:
        is_upload = getattr(self, "action_map", {}).get("post") == "upload"
        return [MultiPartParser()] if is_upload else super().get_parsers()

    def _file(self, file_id: str) -> SolutionFile:
        kept = self.get_object().files.select_related("solution").filter(pk=file_id).first()
        if kept is None:
            raise Http404
        return kept

    def _create(self, request: Request, given: "serializers.Serializer[Any]") -> Response:
        given.is_valid(raise_exception=True)
        made = write_solution(
            given.validated_data, as_of=timezone.now().date(), actor=person_of_request(request).user
        )
        shown = self._shown(self.get_queryset().get(pk=made.pk))
        shown.status_code = status.HTTP_201_CREATED
        shown["Location"] = reverse("solution-detail", [made.code], request=request)
        return shown

    def _change(self, request: Request, solution: Solution, given: SolutionChange) -> Response:
        Solution.objects.select_for_update().get(pk=solution.pk)
        solution = self.get_queryset().get(pk=solution.pk)
        check_if_match(request, self._shown(solution)["ETag"])
        given.is_valid(raise_exception=True)
        change_solution(solution, given.validated_data, actor=person_of_request(request).user)
        return self._shown(self.get_queryset().get(pk=solution.pk))

    def _links(self, solution: Solution) -> Response:
        rows = SolutionLink.objects.filter(solution=solution).select_related("challenge")
        return Response(LinkSerializer(rows.order_by("challenge__code"), many=True).data)

    def _shown(self, solution: Solution) -> Response:
        data = SolutionSerializer(solution).data
        return Response(data, headers={"ETag": etag_of(data)})


class StepSerializer(serializers.ModelSerializer[PlaybookSolution]):
    solution = serializers.CharField(source="solution.code", read_only=True)

    class Meta:
        model = PlaybookSolution
        fields = ("solution", "note")
        read_only_fields = fields


class PlaybookSerializer(serializers.ModelSerializer[Playbook]):
    solutions = StepSerializer(source="steps", many=True, read_only=True)

    class Meta:
        model = Playbook
        fields = (
            "code",
            "title",
            "title_fr",
            "rationale",
            "rationale_fr",
            "status",
            "solutions",
            "updated_at",
        )
        read_only_fields = fields


class PlaybookFilter(FilterSet):
    code = CodeFilter()
    status = django_filters.ChoiceFilter(choices=Playbook.Status.choices)
    solutions = CodeFilter(field_name="steps__solution__code", distinct=True)


class PlaybookViewSet(CodedCollection[Playbook]):
    """Solutions meant to be applied together, in their order; drafts are for CX leads, who also write."""

    queryset = Playbook.objects.none()
    serializer_class = PlaybookSerializer
    filterset_class = PlaybookFilter
    read_role = Role.STAFF
    write_role = Role.LEAD
    ordering_fields = {"code": "code", "title": "title", "status": "status", "updated_at": "updated_at"}
    ordering = ("code",)
    search_fields = ("code", "title", "title_fr", "rationale", "rationale_fr")

    def get_queryset(self) -> QuerySet[Playbook]:
        is_lead = person_of_request(self.request).has(Role.LEAD)
        known = Solution.objects.seen_by(is_lead=is_lead)
        steps = PlaybookSolution.objects.filter(solution__in=known).select_related("solution").order_by("position")
        return Playbook.objects.prefetch_related(Prefetch("steps", steps)).seen_by(is_lead=is_lead)

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        shown = self._shown(self.get_object())
        if is_unchanged(request, shown["ETag"]):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": shown["ETag"]})
        return shown

    @extend_schema(request=PlaybookInput, responses={201: PlaybookSerializer})
    def create(self, request: Request) -> Response:
        """Put solutions together; a draft unless `status` says otherwise."""
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=lambda: self._create(request))

    @extend_schema(request=PlaybookChange, responses=PlaybookSerializer, parameters=[IF_MATCH])
    @transaction.atomic
    def partial_update(self, request: Request, code: str) -> Response:
        """What is not given stays; `solutions` replaces them all."""
        Playbook.objects.select_for_update().get(pk=self.get_object().pk)
        playbook = self.get_object()
        check_if_match(request, self._shown(playbook)["ETag"])
        given = PlaybookChange(data=request.data)
        given.is_valid(raise_exception=True)
        change_playbook(playbook, given.validated_data, actor=person_of_request(request).user)
        return self._shown(self.get_object())

    def _create(self, request: Request) -> Response:
        given = PlaybookInput(data=request.data)
        given.is_valid(raise_exception=True)
        made = write_playbook(given.validated_data, actor=person_of_request(request).user)
        shown = self._shown(self.get_queryset().get(pk=made.pk))
        shown.status_code = status.HTTP_201_CREATED
        shown["Location"] = reverse("playbook-detail", [made.code], request=request)
        return shown

    def _shown(self, playbook: Playbook) -> Response:
        data = PlaybookSerializer(playbook).data
        return Response(data, headers={"ETag": etag_of(data)})
