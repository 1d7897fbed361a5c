"""Ideas, their votes and comments, and calls over the API."""

from typing import Any

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.accounts.models import Role, Unit
from apps.accounts.permissions import person_of_request
from apps.accounts.person import Person
from apps.core.etags import check_if_match, etag_of, is_unchanged
from apps.core.filters import CodeFilter, FilterSet
from apps.core.idempotency import body_of, digest_of, once
from apps.core.serializers import CodeField, InputSerializer, ReferenceField
from apps.core.viewsets import Collection
from apps.ideas.models import Call, Comment, Idea
from apps.ideas.selectors import readable_ideas, with_votes
from apps.ideas.services import (
    IdeaChanges,
    NotOpenToAll,
    add_comment,
    create_idea,
    edit_idea,
    is_by_any,
    vote,
    withdraw_vote,
)
from apps.ideas.states import State
from apps.taxonomy.models import Challenge

TEXT_MOST = 5_000


class UnitReference(ReferenceField):
    """A unit the caller belongs to."""

    def rows(self) -> Any:
        return self.context["units"]


class IdeaInput(InputSerializer):
    title = serializers.CharField(required=False, allow_blank=True, max_length=200)
    problem = serializers.CharField(required=False, allow_blank=True, max_length=300)
    text = serializers.CharField(max_length=TEXT_MOST)
    challenge = ReferenceField(queryset=Challenge.objects.current(), required=False)
    unit = UnitReference()


class IdeaChange(InputSerializer):
    title = serializers.CharField(required=False, max_length=200)
    problem = serializers.CharField(required=False, allow_blank=True, max_length=300)
    text = serializers.CharField(required=False, max_length=TEXT_MOST)
    challenge = ReferenceField(queryset=Challenge.objects.current(), required=False, allow_null=True)


class CommentInput(InputSerializer):
    text = serializers.CharField(max_length=TEXT_MOST)
    experience = serializers.BooleanField(required=False, default=False)


class IdeaSerializer(serializers.ModelSerializer[Idea]):
    unit = CodeField()
    challenge = CodeField(allow_null=True)
    solution = CodeField(allow_null=True)
    author = serializers.SerializerMethodField()
    call = serializers.IntegerField(source="call_id", read_only=True, allow_null=True)
    merged_into = serializers.IntegerField(source="merged_into_id", read_only=True, allow_null=True)
    votes = serializers.IntegerField(source="vote_count", read_only=True)
    voted = serializers.BooleanField(source="is_voted", read_only=True)
    tried_unit = CodeField(allow_null=True)
    held = serializers.BooleanField(source="is_held", read_only=True)
    # Empty unless the idea was declined.
    decided_reason = serializers.CharField(read_only=True)

    class Meta:
        model = Idea
        fields = (
            "id",
            "title",
            "problem",
            "text",
            "author",
            "unit",
            "challenge",
            "call",
            "state",
            "due_at",
            "decided_reason",
            "decided_text",
            "merged_into",
            "solution",
            "tried_on",
            "tried_unit",
            "votes",
            "voted",
            "held",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_author(self, idea: Idea) -> str:
        """The author's address, empty when the idea was proposed without a name."""
        return idea.author.email if idea.author else ""


class CommentSerializer(serializers.ModelSerializer[Comment]):
    author = serializers.SerializerMethodField()
    by_author = serializers.BooleanField(source="is_from_author", read_only=True)
    held = serializers.SerializerMethodField()

    class Meta:
        model = Comment
        fields = ("id", "author", "by_author", "kind", "text", "held", "created_at")
        read_only_fields = fields

    def get_author(self, comment: Comment) -> str:
        """Empty when the author of an idea without a name speaks."""
        return comment.author.email if comment.author else ""

    def get_held(self, comment: Comment) -> bool:
        return comment.let_in_at is None


class CommentsSerializer(serializers.Serializer[Any]):
    results = CommentSerializer(many=True)


class IdeaFilter(FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=Idea.State.choices)
    unit = CodeFilter(field_name="unit__code")
    challenge = CodeFilter(field_name="challenge__code")
    solution = CodeFilter(field_name="solution__code")
    call = django_filters.NumberFilter(field_name="call_id")


class IdeaViewSet(Collection[Idea]):
    """What colleagues propose; an idea without a name is proposed on its page, never over the API."""

    queryset = Idea.objects.none()
    serializer_class = IdeaSerializer
    filterset_class = IdeaFilter
    read_role = Role.STAFF
    write_role = Role.STAFF
    ordering_fields = {
        "id": "id",
        "votes": "vote_count",
        "state": "state",
        "unit": "unit__code",
        "due_at": "due_at",
        "created_at": "created_at",
        "updated_at": "updated_at",
    }
    ordering = ("id",)
    search_fields = ("title", "problem", "text")

    def get_queryset(self) -> QuerySet[Idea]:
        return with_votes(readable_ideas(self._person()), self._person()).select_related(
            "author", "unit", "challenge", "solution", "tried_unit"
        )

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        shown = self._shown(self.get_object())
        if is_unchanged(request, shown["ETag"]):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": shown["ETag"]})
        return shown

    @extend_schema(request=IdeaInput, responses={201: IdeaSerializer})
    def create(self, request: Request) -> Response:
        """Propose an idea under the caller's name; until the caller is trusted a lead lets it in."""
        return self._once(request, lambda: self._create(request))

    @extend_schema(request=IdeaChange, responses=IdeaSerializer)
    @transaction.atomic
    def partial_update(self, request: Request, id: str) -> Response:  # noqa: A002  # the name in the address
        """Change what an idea says: its author while it is new, a CX lead of its unit at any time."""
        Idea.objects.select_for_update().get(pk=self.get_object().pk)
        idea, person = self.get_object(), self._person()
        check_if_match(request, self._shown(idea)["ETag"])
        is_author = idea.author_id == person.user.pk and idea.state == State.NEW
        if not is_author and not person.holds(Role.LEAD, idea.unit.path):
            raise PermissionDenied
        given = IdeaChange(data=request.data)
        given.is_valid(raise_exception=True)
        changes: IdeaChanges = given.validated_data
        edit_idea(idea=idea, changes=changes, at=timezone.now(), actor=person.user)
        return self._shown(self.get_object())

    @extend_schema(methods=["PUT"], request=None, responses=IdeaSerializer, description="Vote for the idea.")
    @extend_schema(
        methods=["DELETE"], request=None, responses={200: IdeaSerializer}, description="Take the vote back."
    )
    @action(detail=True, methods=["PUT", "DELETE"], url_path="vote")
    def vote(self, request: Request, id: str) -> Response:  # noqa: A002
        change = vote if request.method == "PUT" else withdraw_vote
        change(idea=self.get_object(), actor=self._person().user)
        return self._shown(self.get_object())

    @extend_schema(methods=["GET"], responses=CommentsSerializer, description="What was said, the oldest first.")
    @extend_schema(
        methods=["POST"],
        request=CommentInput,
        responses={201: CommentSerializer},
        description="Comment under the caller's name.",
    )
    @action(detail=True, methods=["GET", "POST"], url_path="comments", filterset_class=None, pagination_class=None)
    def comments(self, request: Request, id: str) -> Response:  # noqa: A002
        idea = self.get_object()
        if request.method == "POST":
            return self._once(request, lambda: self._comment(request, idea))
        rows = Comment.objects.public().filter(idea=idea).select_related("author").order_by("pk")
        return Response({"results": CommentSerializer(rows, many=True).data})

    def _create(self, request: Request) -> Response:
        person = self._person()
        units = Unit.objects.in_scope(person.scope())
        given = IdeaInput(data=request.data, context={"units": units})
        given.is_valid(raise_exception=True)
        idea = create_idea(**given.validated_data, at=timezone.now(), actor=person.user)
        shown = self._shown(self.get_queryset().get(pk=idea.pk))
        shown.status_code = status.HTTP_201_CREATED
        shown["Location"] = reverse("idea-detail", [idea.pk], request=request)
        return shown

    def _comment(self, request: Request, idea: Idea) -> Response:
        given = CommentInput(data=request.data)
        given.is_valid(raise_exception=True)
        kind = Comment.Kind.EXPERIENCE if given.validated_data["experience"] else Comment.Kind.REMARK
        text, user = given.validated_data["text"], self._person().user
        comment = add_comment(idea=idea, text=text, kind=kind, at=timezone.now(), actor=user)
        return Response(CommentSerializer(comment).data, status=status.HTTP_201_CREATED)

    def _once(self, request: Request, produce: Any) -> Response:
        """A repeated call is remembered beside the caller, so an author without a name must not come this way."""
        if self.detail:
            idea = self.get_object()
            if is_by_any(idea, self._person().user) and idea.author_id != self._person().user.pk:
                raise NotOpenToAll(str(_("Answer on the page of the idea: over the API your name would be kept.")))
        digest = digest_of(request.META.get("QUERY_STRING", "").encode(), body_of(request))
        return once(request, digest=digest, produce=produce)

    def _person(self) -> Person:
        return person_of_request(self.request)

    def _shown(self, idea: Idea) -> Response:
        data = IdeaSerializer(idea).data
        return Response(data, headers={"ETag": etag_of(data)})


class CallSerializer(serializers.ModelSerializer[Call]):
    challenge = CodeField()
    unit = CodeField(allow_null=True)

    class Meta:
        model = Call
        fields = (
            "id",
            "title",
            "title_fr",
            "text",
            "text_fr",
            "challenge",
            "unit",
            "opens_on",
            "closes_on",
            "closed_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class CallFilter(FilterSet):
    challenge = CodeFilter(field_name="challenge__code")
    unit = CodeFilter(field_name="unit__code")
    closes_from = django_filters.DateFilter(field_name="closes_on", lookup_expr="gte")


class CallViewSet(Collection[Call]):
    """Time-boxed requests for ideas on a challenge; they are opened and closed on their pages."""

    queryset = Call.objects.none()
    serializer_class = CallSerializer
    filterset_class = CallFilter
    read_role = Role.STAFF
    ordering_fields = {"id": "id", "opens_on": "opens_on", "closes_on": "closes_on", "title": "title"}
    ordering = ("-closes_on",)
    search_fields = ("title", "title_fr", "text", "text_fr")

    def get_queryset(self) -> QuerySet[Call]:
        return Call.objects.select_related("challenge", "unit")
