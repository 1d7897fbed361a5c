"""Tasks, check-ins and proofs of actions over the API."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse
from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action as extra_action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.accounts.models import Role, User
from apps.accounts.permissions import person_of_request
from apps.core.etags import check_if_match, etag_of
from apps.core.filters import CodeFilter, FilterSet
from apps.core.idempotency import body_of, digest_of, once
from apps.core.serializers import InputSerializer
from apps.core.uploads import send_upload
from apps.core.viewsets import Collection
from apps.planning.following import add_proof, check_in
from apps.planning.models import Action, CheckIn, Proof, Task
from apps.planning.pages import today_in
from apps.planning.selectors import possible_owners
from apps.planning.tasklist import TaskChanges, add_task, change_task, finish_task, remove_task, reopen_task

IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description="The ETag you read: the change is refused (412) when somebody else was faster.",
)


@extend_schema_field(OpenApiTypes.STR)
class ActionReference(serializers.Field[Any, Any, str, Any]):
    """An action of a unit in which the caller may act, by its external id."""

    def to_internal_value(self, data: Any) -> Action:
        external_id = serializers.CharField(max_length=64).run_validation(data)
        found = self.context["actions"].filter(external_id__iexact=external_id).first()
        if found is None:
            raise serializers.ValidationError(gettext("There is no such action."), code="unknown_action")
        action: Action = found
        return action


class TaskSerializer(serializers.ModelSerializer[Task]):
    action = serializers.CharField(source="action.external_id", read_only=True)
    assignee = serializers.EmailField(source="assignee.email", default=None, read_only=True, allow_null=True)
    done_by = serializers.EmailField(source="done_by.email", default=None, read_only=True, allow_null=True)

    class Meta:
        model = Task
        fields = ("id", "action", "title", "assignee", "due_on", "position", "done_at", "done_by", "updated_at")
        read_only_fields = fields


class TaskFields(InputSerializer):
    title = serializers.CharField(max_length=300)
    assignee = serializers.EmailField(required=False, allow_null=True)
    due_on = serializers.DateField(required=False, allow_null=True)

    def assignee_among(self, email: str | None, action: Action) -> User | None:
        if email is None:
            return None
        people = possible_owners(units=[action.unit], person=self.context["person"].user)
        found: User | None = people.filter(email__iexact=email).first()
        if found is None:
            message = gettext("Nobody with this address works in this unit or above it.")
            raise serializers.ValidationError({"assignee": [message]}, code="unknown_person")
        return found


class TaskInput(TaskFields):
    action = ActionReference()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["assignee"] = self.assignee_among(attrs.get("assignee"), attrs["action"])
        return attrs


class TaskChange(TaskFields):
    title = serializers.CharField(max_length=300, required=False)
    position = serializers.IntegerField(min_value=0, required=False)
    done = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "assignee" in attrs:
            attrs["assignee"] = self.assignee_among(attrs["assignee"], self.context["action"])
        return attrs


class TaskFilter(FilterSet):
    action = CodeFilter(field_name="action__external_id")
    unit = CodeFilter(field_name="action__unit__code")
    assignee = django_filters.CharFilter(field_name="assignee__email", lookup_expr="iexact")
    due_on = django_filters.DateFilter()
    due_before = django_filters.DateFilter(field_name="due_on", lookup_expr="lt")
    open = django_filters.BooleanFilter(field_name="done_at", lookup_expr="isnull")


class TaskViewSet(Collection[Task]):
    """What is to be done for an action, by whom, until when."""

    queryset = Task.objects.none()
    serializer_class = TaskSerializer
    filterset_class = TaskFilter
    read_role = Role.STAFF
    write_role = Role.MANAGER
    ordering_fields = {"id": "id", "due_on": "due_on", "position": "position", "updated_at": "updated_at"}
    search_fields = ("title",)

    def get_queryset(self) -> QuerySet[Task]:
        is_read = self.action in {"list", "retrieve"}
        scope = person_of_request(self.request).scope(self.read_role if is_read else self.write_role)
        return Task.objects.in_scope(scope).select_related("action__unit", "assignee", "done_by")

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        return self._shown(self.get_object())

    @extend_schema(request=TaskInput, responses={201: TaskSerializer})
    def create(self, request: Request) -> Response:
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=lambda: self._create(request))

    @extend_schema(request=TaskChange, responses=TaskSerializer, parameters=[IF_MATCH])
    @transaction.atomic
    def partial_update(self, request: Request, **_: object) -> Response:
        """Change it, move it (`position`), tick it off or take it up again (`done`)."""
        task = self._locked()
        check_if_match(request, self._shown(task)["ETag"])
        context = {"person": person_of_request(request), "action": task.action}
        given = TaskChange(data=request.data, context=context)
        given.is_valid(raise_exception=True)
        values, actor = dict(given.validated_data), person_of_request(request).user
        is_done = values.pop("done", None)
        changes: TaskChanges = values  # type: ignore[assignment]  # the serializer's fields are its keys
        if changes:
            change_task(task=task, changes=changes, actor=actor)
        if is_done is not None:
            _tick(task, is_done=is_done, at=timezone.now(), actor=actor)
        return self._shown(self.get_object())

    @extend_schema(responses={204: None}, parameters=[IF_MATCH])
    @transaction.atomic
    def destroy(self, request: Request, **_: object) -> Response:
        task = self._locked()
        check_if_match(request, self._shown(task)["ETag"])
        remove_task(task=task, actor=person_of_request(request).user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _create(self, request: Request) -> Response:
        person = person_of_request(request)
        actions = Action.objects.in_scope(person.scope(self.write_role)).select_related("unit")
        given = TaskInput(data=request.data, context={"person": person, "actions": actions})
        given.is_valid(raise_exception=True)
        task = add_task(**given.validated_data, actor=person.user)
        shown = self._shown(self.get_queryset().get(pk=task.pk))
        shown.status_code = status.HTTP_201_CREATED
        shown["Location"] = reverse("task-detail", [task.pk], request=request)
        return shown

    def _locked(self) -> Task:
        task = self.get_object()
        Task.objects.select_for_update(no_key=True).get(pk=task.pk)
        return self.get_object()

    def _shown(self, task: Task) -> Response:
        data = TaskSerializer(task).data
        return Response(data, headers={"ETag": etag_of(data)})


class CheckInSerializer(serializers.ModelSerializer[CheckIn]):
    action = serializers.CharField(source="action.external_id", read_only=True)
    person = serializers.EmailField(source="person.email", default=None, read_only=True, allow_null=True)

    class Meta:
        model = CheckIn
        fields = ("id", "action", "made_on", "happening", "working", "obstacle", "note", "person")
        read_only_fields = fields


class CheckInInput(InputSerializer):
    action = ActionReference()
    happening = serializers.ChoiceField(choices=CheckIn.Happening.choices)
    working = serializers.ChoiceField(choices=CheckIn.Working.choices)
    obstacle = serializers.ChoiceField(choices=CheckIn.Obstacle.choices)
    note = serializers.CharField(required=False, allow_blank=True, max_length=10_000)


class CheckInFilter(FilterSet):
    action = CodeFilter(field_name="action__external_id")
    unit = CodeFilter(field_name="action__unit__code")
    happening = django_filters.ChoiceFilter(choices=CheckIn.Happening.choices)
    working = django_filters.ChoiceFilter(choices=CheckIn.Working.choices)
    obstacle = django_filters.ChoiceFilter(choices=CheckIn.Obstacle.choices)
    made_on = django_filters.DateFilter()


class CheckInViewSet(Collection[CheckIn]):
    """What people on the spot say about an action; no outcome is computed from it."""

    queryset = CheckIn.objects.none()
    serializer_class = CheckInSerializer
    filterset_class = CheckInFilter
    read_role = Role.STAFF
    write_role = Role.STAFF
    ordering_fields = {"id": "id", "made_on": "made_on"}
    search_fields = ("note",)

    def get_queryset(self) -> QuerySet[CheckIn]:
        scope = person_of_request(self.request).scope(self.read_role)
        return CheckIn.objects.in_scope(scope).select_related("action", "person")

    @extend_schema(request=CheckInInput, responses={201: CheckInSerializer})
    def create(self, request: Request) -> Response:
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=lambda: self._create(request))

    def _create(self, request: Request) -> Response:
        person = person_of_request(request)
        actions = Action.objects.in_scope(person.scope(self.write_role)).select_related("unit")
        given = CheckInInput(data=request.data, context={"actions": actions})
        given.is_valid(raise_exception=True)
        day = today_in(given.validated_data["action"].unit)
        made = check_in(**given.validated_data, made_on=day, actor=person.user)
        return Response(CheckInSerializer(made).data, status=status.HTTP_201_CREATED)


class ProofSerializer(serializers.ModelSerializer[Proof]):
    action = serializers.CharField(source="action.external_id", read_only=True)
    added_by = serializers.EmailField(source="added_by.email", default=None, read_only=True, allow_null=True)

    class Meta:
        model = Proof
        fields = ("id", "action", "kind", "name", "content_type", "steps", "note", "added_by", "created_at")
        read_only_fields = fields


class ProofInput(InputSerializer):
    action = ActionReference()
    file = serializers.FileField(max_length=300)
    note = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class ProofFilter(FilterSet):
    action = CodeFilter(field_name="action__external_id")
    unit = CodeFilter(field_name="action__unit__code")
    kind = django_filters.ChoiceFilter(choices=Proof.Kind.choices)


class ProofViewSet(Collection[Proof]):
    """What shows that an action is in place; `content/` gives the file."""

    queryset = Proof.objects.none()
    serializer_class = ProofSerializer
    filterset_class = ProofFilter
    read_role = Role.STAFF
    write_role = Role.MANAGER
    ordering_fields = {"id": "id", "created_at": "created_at"}
    search_fields = ("name", "note")

    def get_queryset(self) -> QuerySet[Proof]:
        scope = person_of_request(self.request).scope(self.read_role)
        return Proof.objects.in_scope(scope).select_related("action", "added_by")

    @extend_schema(request={"multipart/form-data": ProofInput}, responses={201: ProofSerializer})
    def create(self, request: Request) -> Response:
        """Add a photo or a file, as the part `file` of a multipart body; its content tells its type."""
        person = person_of_request(request)
        actions = Action.objects.in_scope(person.scope(self.write_role)).select_related("unit")
        given = ProofInput(data=request.data, context={"actions": actions})
        given.is_valid(raise_exception=True)
        values = given.validated_data
        parts = (values["action"].external_id, values.get("note", ""), values["file"].name)
        digest = digest_of(*(part.encode() for part in parts), *values["file"].chunks())
        return once(request, digest=digest, produce=lambda: self._create(request, values))

    @extend_schema(responses={(200, "*/*"): OpenApiTypes.BINARY, 204: None})
    @extra_action(detail=True, methods=["get"])
    def content(self, request: Request, **_: object) -> FileResponse | Response:
        proof = self.get_object()
        if not proof.file:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return send_upload(proof.file, name=proof.name, content_type=proof.content_type)

    def get_parsers(self) -> list[Any]:
        is_upload = getattr(self, "action_map", {}).get("post") == "create"
        return [MultiPartParser()] if is_upload else super().get_parsers()

    def _create(self, request: Request, values: Mapping[str, Any]) -> Response:
        proof = add_proof(**values, actor=person_of_request(request).user)
        headers = {"Location": reverse("proof-detail", [proof.pk], request=request)}
        return Response(ProofSerializer(proof).data, status=status.HTTP_201_CREATED, headers=headers)


def _tick(task: Task, *, is_done: bool, at: datetime, actor: User) -> None:
    if is_done:
        finish_task(task=task, at=at, actor=actor)
    else:
        reopen_task(task=task, actor=actor)
