"""Mails on their way: claimed, sent, tried again, given up in the open.

A try is counted and the mail put off before it is sent, each in a transaction of its own. Whoever dies between
the server's yes and the note of it leaves a mail that is sent once more after the pause, under the same
Message-ID; two workers never hold the same mail.
"""

import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta
from email.mime.image import MIMEImage

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.notifications.links import unsubscribe_url
from apps.notifications.models import Mail, Notification
from apps.notifications.topics import Topic
from apps.notifications.tries import MOST_TRIES, pause_after

ROUND = 100
KEPT_SENT = timedelta(days=30)
KEPT_READ = timedelta(days=365)
ERROR_LENGTH = 1000


class MailOnItsWay(CxplanError):
    code = "mail_on_its_way"


def send_due_mails(*, clock: Callable[[], datetime], most: int = ROUND) -> int:
    """Send what is due, oldest first, until nothing is left or the server can't be reached; how many were sent."""
    _give_up_exhausted(now=clock())
    connection = get_connection()
    sent = 0
    try:
        for _turn in range(most):
            mail = _claim(now=clock())
            if mail is None:
                break
            try:
                connection.send_messages([message_of(mail)])
            except (smtplib.SMTPException, OSError) as error:
                connection.close()
                _put_off(mail, error)
                if not _is_about_the_mail(error):
                    break
            else:
                _note_sent(mail, at=clock())
                sent += 1
    finally:
        _hang_up(connection)
    return sent


def _give_up_exhausted(*, now: datetime) -> None:
    """A mail whose every try was cut off has no error of its own."""
    Mail.objects.due(now).filter(attempt_count__gte=MOST_TRIES).update(state=Mail.State.FAILED)


@transaction.atomic
def _claim(*, now: datetime) -> Mail | None:
    """The next mail, as ours until its pause is over."""
    mail = Mail.objects.due(now).select_for_update(skip_locked=True).order_by("next_try_at", "pk").first()
    if mail is not None:
        mail.attempt_count += 1
        mail.next_try_at = now + pause_after(mail.attempt_count)
        mail.save(update_fields=["attempt_count", "next_try_at"])
    return mail


def _put_off(mail: Mail, error: Exception) -> None:
    is_hopeless = _is_refused_for_good(error) or mail.attempt_count >= MOST_TRIES
    mail.state = Mail.State.FAILED if is_hopeless else Mail.State.QUEUED
    mail.last_error = f"{type(error).__name__}: {error}"[:ERROR_LENGTH]
    mail.save(update_fields=["state", "last_error"])


def _note_sent(mail: Mail, *, at: datetime) -> None:
    mail.state, mail.sent_at, mail.last_error = Mail.State.SENT, at, ""
    mail.save(update_fields=["state", "sent_at", "last_error"])


def _hang_up(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (smtplib.SMTPException, OSError):
        # All that was to be sent is sent and noted.
        return


def _is_about_the_mail(error: Exception) -> bool:
    """Whether the server answered about this mail, so that the next one has its own chance."""
    return isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)


def _is_refused_for_good(error: Exception) -> bool:
    """A 5xx about the reader or the words; about us (sender, sign-in) it may be mended in the settings."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _reason in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500


def message_of(mail: Mail) -> EmailMultiAlternatives:
    """The mail as the mail server gets it."""
    message = EmailMultiAlternatives(subject=mail.subject, body=mail.text, to=[mail.email])
    message.extra_headers = {
        "Message-ID": mail.message_id,
        "Auto-Submitted": "auto-generated",
        "Content-Language": mail.language,
        # RFC 8058: the mail program's own button, without opening a page.
        "List-Unsubscribe": f"<{unsubscribe_url(user_id=mail.user_id, topic=Topic(mail.topic))}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    message.attach_alternative(mail.html, "text/html")
    if mail.chart:
        picture = MIMEImage(bytes(mail.chart), "png")
        picture.add_header("Content-ID", "<chart>")
        picture.add_header("Content-Disposition", "inline", filename="chart.png")
        # The picture belongs to the HTML part; the stubs do not know the attribute.
        message.mixed_subtype = "related"  # type: ignore[attr-defined]
        message.attach(picture)
    return message


@transaction.atomic
def retry_mail(*, mail: Mail, at: datetime, actor: User) -> Mail:
    """Without waiting for the pause to end; a failed mail gets all its tries again, another keeps what is left."""
    locked = Mail.objects.select_for_update().get(pk=mail.pk)
    if not locked.may_be_tried(at):
        raise MailOnItsWay(_("This mail is on its way already."))
    if locked.is_failed:
        locked.state, locked.attempt_count = Mail.State.QUEUED, 0
    locked.attempt_count = min(locked.attempt_count, MOST_TRIES - 1)
    locked.next_try_at = at
    locked.save(update_fields=["state", "attempt_count", "next_try_at"])
    record(event="notifications.mail.retried", actor=actor, subject=locked, data={"error": locked.last_error})
    return locked


@transaction.atomic
def retry_all_mails(*, at: datetime, actor: User) -> int:
    troubled = [mail for mail in Mail.objects.troubled().order_by("pk") if mail.may_be_tried(at)]
    for mail in troubled:
        retry_mail(mail=mail, at=at, actor=actor)
    return len(troubled)


@transaction.atomic
def forget_old(*, now: datetime) -> int:
    """Words to people are not kept for ever: sent mails for a month, read news for a year."""
    mails, _rows = Mail.objects.filter(state=Mail.State.SENT, sent_at__lt=now - KEPT_SENT).delete()
    news, _rows = Notification.objects.filter(read_at__lt=now - KEPT_READ).delete()
    return mails + news
