"""Mails leave through a running beat and worker; a server that is down is seen, and costs time only."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from cxplan.embedded.home import REPOSITORY
from tests.embedded.processes import environment, eventually, kill_everything
from tests.embedded.test_serving import Serving

pytestmark = pytest.mark.xdist_group("serving")

TELL = """
from django.utils import timezone
from apps.accounts.models import User
from apps.notifications.services import Message, notify
reader, _ = User.objects.get_or_create(email="reader@example.org", defaults={"language": "fr"})
notify(to=[reader], kind="ideas.idea.answered", say=lambda: Message(title="Votre idée est retenue"),
       url="/ideas/1/", at=timezone.now())
"""
LOOK = """
import json
from apps.notifications.models import Mail
mail = Mail.objects.get()
print("MAIL", json.dumps([mail.state, mail.attempt_count, mail.last_error]))
"""
HURRY = """
from django.utils import timezone
from apps.notifications.models import Mail
Mail.objects.update(next_try_at=timezone.now())
"""


class Mailbox:
    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 -- the server's name
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    kill_everything(tmp_path / "home")


@pytest.fixture
def ports() -> list[int]:
    """One that is taken, the next one, and one on which nothing listens yet."""
    with closing(socket.socket()) as one, closing(socket.socket()) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return [min(one.getsockname()[1], 65000), other.getsockname()[1]]


def run(home: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "shell", "-v", "0", "-c", code],
        cwd=REPOSITORY,
        env=environment(home),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def look(home: Path) -> list[Any]:
    found: list[Any] = json.loads(run(home, LOOK).split("MAIL ")[1])
    return found


def test_a_mail_outlives_a_server_that_is_down_and_links_to_where_the_pages_are(
    home: Path, ports: list[int]
) -> None:
    port, mail_port = ports
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        serving = Serving(home, port, EMAIL_URL=f"smtp://127.0.0.1:{mail_port}?tls=off")
        address = serving.address()
    try:
        assert address != f"http://127.0.0.1:{port}"
        run(home, TELL)
        eventually(lambda: look(home)[1] == 1, 60)
        state, _attempts, error = look(home)
        assert state == "queued"
        assert "refused" in error.lower()

        box = Mailbox()
        controller = Controller(box, hostname="127.0.0.1", port=mail_port)
        controller.start()
        try:
            run(home, HURRY)
            eventually(lambda: box.messages, 60)
        finally:
            controller.stop()
        eventually(lambda: look(home)[0] == "sent", 30)
        message = box.messages[0]
        assert message["Subject"] == "Votre idée est retenue"
        kinds = [part.get_content_type() for part in message.walk()]
        assert kinds == ["multipart/alternative", "text/plain", "text/html"]
        html = message.get_body(("html",))
        assert html is not None
        links = set(re.findall(r'href="(https?://[^/"]+)', html.get_content()))
        assert links == {address}
    finally:
        serving.interrupt()
