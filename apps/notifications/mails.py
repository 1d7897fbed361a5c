"""How mails are written: a text and an HTML part in the reader's language, from one set of values."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from apps.accounts.models import User
from apps.notifications.links import absolute, unsubscribe_url
from apps.notifications.models import Mail
from apps.notifications.topics import Topic

# Stand for what differs from person to person in a mail that is written once for many.
LINK, UNSUBSCRIBE = "\ue000link\ue001", "\ue000unsubscribe\ue001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A mail before it has a reader."""

    topic: Topic
    language: str
    subject: str
    text: str
    html: str


def write_draft(*, topic: Topic, language: str, subject: str, name: str, context: Mapping[str, Any]) -> Draft:
    """Both parts from the templates `notifications/mail/<name>.txt` and `.html`."""
    values = {
        **context,
        "subject": subject,
        "language": language,
        "topic": topic,
        "home_url": absolute("/"),
        "settings_url": absolute("/settings/#notifications"),
        "unsubscribe_url": UNSUBSCRIBE,
    }
    with translation.override(language):
        return Draft(
            topic=topic,
            language=language,
            subject=" ".join(subject.split()),
            text=render_to_string(f"notifications/mail/{name}.txt", values),
            html=render_to_string(f"notifications/mail/{name}.html", values),
        )


def addressed(*, draft: Draft, user: User, at: datetime, link: str = "", chart: bytes | None = None) -> Mail:
    """The draft as a mail to one person, not saved yet."""

    def fill(part: str) -> str:
        address = unsubscribe_url(user_id=user.pk, topic=draft.topic)
        return part.replace(LINK, link).replace(UNSUBSCRIBE, address)

    return Mail(
        user=user,
        topic=draft.topic,
        email=user.email,
        language=draft.language,
        subject=draft.subject[:300],
        text=fill(draft.text),
        html=fill(draft.html),
        chart=chart,
        message_id=new_message_id(),
        next_try_at=at,
        created_at=at,
    )


def new_message_id() -> str:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{secrets.token_hex(16)}@{domain}>"
