"""What tests of ideas do over and over."""

import re
from typing import Any

from django.db import models

from apps.accounts.models import AuditEvent, User
from apps.notifications.models import Notification


def events_of(subject: models.Model) -> list[str]:
    return [
        event.rpartition(".")[2]
        for event in AuditEvent.objects.about(subject).order_by("id").values_list("event", flat=True)
    ]


def told(user: User) -> list[str]:
    """What a person was told, the kinds in order."""
    return list(Notification.objects.filter(user=user).order_by("id").values_list("kind", flat=True))


def titles(user: User) -> list[str]:
    return list(Notification.objects.filter(user=user).order_by("id").values_list("title", flat=True))


def text_of(response: Any) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))
