"""Mails leave through a running beat and worker; a server that is down is seen, and costs time only."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller

from cxplan.embedded import postgres
from tests.embedded.processes import eventually, run
from tests.embedded.serving import Serving

pytestmark = pytest.mark.xdist_group("serving")

TELL = """
from django.utils import timezone
from apps.accounts.models import User
from apps.notifications.services import Message, notify
reader, _ = User.objects.get_or_create(email="reader@example.org", defaults={"language": "fr"})
notify(to=[reader], kind="ideas.idea.answered", say=lambda: Message(title="Votre idée est retenue"),
       url="/ideas/1/", at=timezone.now())
"""
LOOK = "SELECT state, attempt_count, last_error FROM notifications_mail"
HURRY = "UPDATE notifications_mail SET next_try_at = now()"


class Mailbox:
    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 -- the server's name
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


def look() -> tuple[str, int, str]:
    """How it stands with the only mail: its state, how often it was tried, what went wrong."""
    with psycopg.connect(postgres.url()) as connection:
        [found] = connection.execute(LOOK).fetchall()
    return found


def test_a_mail_outlives_a_server_that_is_down_and_links_to_where_the_pages_are(
    serving: Serving, mail_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXPLAN_HOME", str(serving.home))
    run(serving.home, "-W", "ignore", "manage.py", "shell", "-v", "0", "-c", TELL)
    # A try is counted before it is made, what went wrong is written after it.
    eventually(lambda: look()[2], 120)
    state, attempts, error = look()
    assert (state, attempts) == ("queued", 1)
    assert "refused" in error.lower()

    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=mail_port)
    controller.start()
    try:
        with psycopg.connect(postgres.url()) as connection:
            connection.execute(HURRY)
        eventually(lambda: box.messages, 120)
    finally:
        controller.stop()
    eventually(lambda: look()[0] == "sent", 60)
    message = box.messages[0]
    assert message["Subject"] == "Votre idée est retenue"
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    html = message.get_body(("html",))
    assert html is not None
    links = set(re.findall(r'href="(https?://[^/"]+)', html.get_content()))
    assert links == {serving.address}
