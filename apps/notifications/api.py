"""A person's own notifications and preferences over the API."""

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.models import Role
from apps.accounts.permissions import person_of_request
from apps.core.filters import FilterSet
from apps.core.viewsets import Collection
from apps.notifications.models import Notification, Preference
from apps.notifications.selectors import Wishes, wishes_of
from apps.notifications.services import choose_delivery, read_notification
from apps.notifications.topics import Delivery, Topic, deliveries_for


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    class Meta:
        model = Notification
        fields = ("id", "kind", "topic", "title", "body", "url", "created_at", "read_at")
        read_only_fields = fields


class NotificationChange(serializers.Serializer[Notification]):
    is_read = serializers.ChoiceField(choices=[True], help_text="What was read can't be unread.")


class NotificationFilter(FilterSet):
    topic = django_filters.ChoiceFilter(choices=Topic.choices)
    is_read = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull", exclude=True)


class NotificationViewSet(Collection[Notification]):
    """What the person behind the token was told, the newest first."""

    queryset = Notification.objects.none()
    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter
    read_role = write_role = Role.STAFF
    ordering_fields = {"created_at": "created_at"}
    ordering = ("-created_at",)

    def get_queryset(self) -> QuerySet[Notification]:
        return Notification.objects.of(person_of_request(self.request).user)

    @extend_schema(request=NotificationChange, responses=NotificationSerializer)
    def partial_update(self, request: Request, id: str) -> Response:  # noqa: A002 -- the name in the address
        """Mark as read."""
        notification = self.get_object()
        given = NotificationChange(data=request.data)
        given.is_valid(raise_exception=True)
        read_notification(notification=notification, at=timezone.now())
        return Response(self.get_serializer(notification).data)


class PreferenceSerializer(serializers.Serializer[Preference]):
    topic = serializers.ChoiceField(choices=Topic.choices, read_only=True)
    delivery = serializers.ChoiceField(choices=Delivery.choices)
    is_automatic = serializers.BooleanField(read_only=True)
    may_be = serializers.ListField(child=serializers.CharField(), read_only=True)


class PreferenceViewSet(GenericViewSet[Preference]):
    """How the person wants to hear of each topic."""

    queryset = Preference.objects.none()
    serializer_class = PreferenceSerializer
    lookup_field = "topic"
    lookup_value_regex = "[a-z_]{1,10}"
    pagination_class = None
    filter_backends = ()
    metadata_class = None
    read_role = write_role = Role.STAFF

    @extend_schema(responses=PreferenceSerializer(many=True))
    def list(self, request: Request) -> Response:
        wishes = wishes_of(user=person_of_request(request).user)
        return Response([_shown(wishes, topic) for topic in Topic])

    def partial_update(self, request: Request, topic: str) -> Response:
        """Choose how to hear of a topic."""
        if topic not in Topic.values:
            raise Http404
        chosen, user = Topic(topic), person_of_request(request).user
        given = PreferenceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        delivery = Delivery(given.validated_data["delivery"])
        choose_delivery(user=user, topic=chosen, delivery=delivery, at=timezone.now(), actor=user)
        return Response(_shown(wishes_of(user=user), chosen))


def _shown(wishes: Wishes, topic: Topic) -> dict[str, object]:
    return {
        "topic": topic.value,
        "delivery": wishes.deliveries[topic].value,
        "is_automatic": topic in wishes.muted,
        "may_be": [delivery.value for delivery in deliveries_for(topic)],
    }
