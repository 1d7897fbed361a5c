"""Mails reach a real mail server once, survive its failures, and are given up in the open."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from django.core.mail.backends.smtp import EmailBackend
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.notifications.models import Mail, Notification
from apps.notifications.outbox import MailOnItsWay, forget_old, retry_mail, send_due_mails
from apps.notifications.services import Message, notify
from apps.notifications.tries import MOST_TRIES, pause_after
from tests.factories import UserFactory
from tests.notification_factories import MailFactory, NotificationFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 6, 3, 9, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n a small picture"


class Mailbox:
    """What the server took in; `answers` are what it says to each message, then it says yes."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.answers: list[str] = []
        self.refused: dict[str, str] = {}

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 -- the server's name
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 -- the server's name
        if self.answers:
            answer = self.answers.pop(0)
            if not answer.startswith("250"):
                return answer
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def mailbox(settings) -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.DEFAULT_FROM_EMAIL = "cxplan <cx@example.org>"
    box.controller = controller
    yield box
    if controller.server is not None:
        controller.stop()


def send(at=NOW) -> int:
    return send_due_mails(clock=lambda: at)


def test_a_notification_arrives_as_a_mail_with_two_parts(mailbox):
    user = UserFactory(language="fr")
    notify(
        to=[user],
        kind="ideas.idea.answered",
        say=lambda: Message(title="Votre idée est retenue"),
        url="/ideas/1/",
        at=NOW,
    )
    assert send() == 1
    message = mailbox.messages[0]
    assert (message["To"], message["From"]) == (user.email, "cxplan <cx@example.org>")
    assert message["Subject"] == "Votre idée est retenue"
    assert message["Content-Language"] == "fr"
    assert message["Auto-Submitted"] == "auto-generated"
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    for part in message.iter_parts():
        assert "Votre idée est retenue" in part.get_content()


def test_a_mail_names_its_one_click_way_out(mailbox, client):
    MailFactory()
    send()
    message = mailbox.messages[0]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = message["List-Unsubscribe"].strip("<>")
    assert client.post("/" + address.split("/", 3)[3], {"List-Unsubscribe": "One-Click"}).status_code == 200


def test_a_chart_travels_inside_the_mail(mailbox):
    MailFactory(chart=PNG, html='<img src="cid:chart" alt="">')
    send()
    message = mailbox.messages[0]
    assert message.get_content_type() == "multipart/related"
    picture = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert picture["Content-ID"] == "<chart>"
    assert picture.get_content() == PNG


def test_a_mail_is_sent_once(mailbox):
    mail = MailFactory()
    assert (send(), send()) == (1, 0)
    mail.refresh_from_db()
    assert (mail.state, mail.sent_at, mail.attempt_count) == (Mail.State.SENT, NOW, 1)


def test_a_server_that_is_down_costs_time_not_mails(mailbox):
    mailbox.controller.stop()
    mail, other = MailFactory(), MailFactory()
    assert send() == 0
    mail.refresh_from_db()
    other.refresh_from_db()
    assert mail.state == Mail.State.QUEUED
    assert "refused" in mail.last_error.lower()
    assert other.attempt_count == 0, "the others wait for the next round"
    assert mail.next_try_at == NOW + pause_after(1)


def test_a_temporary_no_is_tried_again_after_a_pause(mailbox):
    mailbox.answers = ["451 busy"]
    mail = MailFactory()
    assert send() == 0
    assert send() == 0, "not before the pause is over"
    assert send(NOW + pause_after(1)) == 1
    mail.refresh_from_db()
    assert (mail.state, mail.attempt_count, mail.last_error) == (Mail.State.SENT, 2, "")


def test_one_refused_mail_does_not_hold_up_the_next(mailbox):
    bad = MailFactory(user__email="gone@example.org")
    good = MailFactory()
    mailbox.refused = {"gone@example.org": "550 no such person"}
    assert send() == 1
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, good.state) == (Mail.State.FAILED, Mail.State.SENT)
    assert "550" in bad.last_error or "no such person" in bad.last_error


def test_pauses_double_up_to_a_limit():
    minutes = [pause_after(attempt) / timedelta(minutes=1) for attempt in range(1, 11)]
    assert minutes == [2, 4, 8, 16, 32, 64, 128, 256, 360, 360]


def test_a_mail_is_given_up_after_its_last_try(mailbox):
    mailbox.answers = ["451 busy"] * MOST_TRIES
    mail = MailFactory()
    at = NOW
    for _ in range(MOST_TRIES):
        send(at)
        at += timedelta(days=1)
    mail.refresh_from_db()
    assert (mail.state, mail.attempt_count) == (Mail.State.FAILED, MOST_TRIES)


def test_a_failed_mail_gets_its_tries_again(mailbox, admin_user):
    mail = MailFactory(state=Mail.State.FAILED, attempt_count=MOST_TRIES, last_error="SMTPException: no")
    retry_mail(mail=mail, at=NOW, actor=admin_user)
    assert AuditEvent.objects.filter(event="notifications.mail.retried", actor=admin_user).exists()
    assert send() == 1


def test_a_worker_that_dies_after_sending_repeats_it_once_under_the_same_name(mailbox, monkeypatch):
    mail = MailFactory()

    class Killed(BaseException):
        """The process ends between the server's yes and the note of it."""

    whole = EmailBackend.send_messages

    def send_and_die(self, messages):
        whole(self, messages)
        raise Killed

    monkeypatch.setattr(EmailBackend, "send_messages", send_and_die)
    with pytest.raises(Killed):
        send()
    monkeypatch.undo()
    assert send() == 0, "nobody else takes it before the pause is over"
    assert send(NOW + pause_after(1)) == 1
    assert send(NOW + timedelta(days=9)) == 0
    assert [message["Message-ID"] for message in mailbox.messages] == [mail.message_id] * 2


def test_a_mail_that_kills_every_worker_is_given_up(mailbox):
    """Tries are counted before they are made, so a crash counts."""
    mail = MailFactory(attempt_count=MOST_TRIES)
    assert send() == 0
    mail.refresh_from_db()
    assert mail.state == Mail.State.FAILED


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_hold_the_same_mail(mailbox):
    MailFactory(subject="first")
    MailFactory(subject="second")
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT id FROM notifications_mail WHERE subject = 'first' FOR UPDATE")
            assert send() == 1
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert [message["Subject"] for message in mailbox.messages] == ["second"]
    connection.close()


def test_old_words_are_forgotten():
    MailFactory(state=Mail.State.SENT, sent_at=NOW - timedelta(days=31))
    kept = MailFactory(state=Mail.State.FAILED, created_at=NOW - timedelta(days=400))
    NotificationFactory(read_at=NOW - timedelta(days=366))
    unread = NotificationFactory(created_at=NOW - timedelta(days=400))
    forget_old(now=NOW)
    assert list(Mail.objects.all()) == [kept]
    assert list(Notification.objects.all()) == [unread]


def test_the_list_of_failures_has_a_way_to_try_again(client, admin_user, lead, manager):
    mail = MailFactory(state=Mail.State.FAILED, last_error="SMTPDataError: 554 refused", user__name="Rita")
    client.force_login(lead)
    page = client.get(reverse("notifications:mail-list")).content.decode()
    assert "554 refused" in page
    assert mail.html not in page
    client.post(reverse("notifications:mail-retry", args=[mail.pk]))
    mail.refresh_from_db()
    assert mail.state == Mail.State.QUEUED
    client.force_login(manager)
    assert client.get(reverse("notifications:mail-list")).status_code == 404


def test_a_mail_that_is_tried_again_is_listed_with_its_tries_its_reason_and_the_next_one(client, lead, mailbox):
    mailbox.answers = ["451 busy"] * 2
    mail = MailFactory(next_try_at=timezone.now() - timedelta(hours=2))
    MailFactory(user__email="waits@example.org", next_try_at=timezone.now() + timedelta(hours=1))
    send(timezone.now() - timedelta(hours=1))
    send(timezone.now() - timedelta(minutes=3))
    client.force_login(lead)
    page = client.get(reverse("notifications:mail-list")).content.decode()
    assert "Tried 2 times, will be tried again" in page
    assert "The mail server did not take the mail." in page
    assert "451" in page
    assert "in 1 minute" in page
    assert "waits@example.org" not in page, "nothing went wrong with it"
    client.post(reverse("notifications:mail-retry", args=[mail.pk]))
    assert send(timezone.now()) == 1
    assert "Every mail went out." in client.get(reverse("notifications:mail-list")).content.decode()


def test_a_mail_that_a_worker_may_hold_is_not_sent_beside_it(admin_user):
    """The worker has at most a first pause for it; who asks in that time is told."""
    mail = MailFactory(attempt_count=4, last_error="TimeoutError: ", next_try_at=NOW + pause_after(4))
    with pytest.raises(MailOnItsWay):
        retry_mail(mail=mail, at=NOW + timedelta(minutes=1), actor=admin_user)
    assert retry_mail(mail=mail, at=NOW + timedelta(minutes=2), actor=admin_user).attempt_count == 4


def test_a_first_try_that_goes_on_is_no_trouble():
    MailFactory(attempt_count=1, next_try_at=NOW + pause_after(1))
    assert not Mail.objects.troubled().exists()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("ConnectionRefusedError: [Errno 111] Connection refused", "nobody answers at its address"),
        ("SMTPAuthenticationError: (535, b'no')", "does not accept our sign-in"),
        ("SMTPNotSupportedError: STARTTLS", "could not be handed"),
        ("", "cut off"),
    ],
)
def test_an_error_is_told_in_words(error, words):
    assert words in str(Mail(last_error=error).trouble)


def test_a_longer_list_of_troubled_mails_costs_no_more_queries(client, lead, django_assert_num_queries):
    client.force_login(lead)
    address = reverse("notifications:mail-list")
    MailFactory(state=Mail.State.FAILED)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    MailFactory.create_batch(8, attempt_count=3, next_try_at=NOW + timedelta(hours=1))
    with django_assert_num_queries(len(few)):
        client.get(address)


def test_home_warns_of_mails_tried_in_vain_for_long(client, lead):
    MailFactory(attempt_count=4, last_error="TimeoutError: ")
    client.force_login(lead)
    assert "could not be sent" not in client.get("/").content.decode()
    MailFactory(attempt_count=5, last_error="TimeoutError: ")
    assert "1 mail could not be sent." in client.get("/").content.decode()


def test_connections_are_given_back_when_the_server_breaks_off(mailbox):
    mailbox.answers = ["421 closing"]
    MailFactory()
    assert send() == 0
    assert send(NOW + pause_after(1)) == 1
