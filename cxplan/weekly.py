"""The letter of a week: one nudge, one digest, one mail."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.models import Role, Unit, User
from apps.accounts.person import Person, person_of
from apps.accounts.selectors import chosen_unit
from apps.core import formats
from apps.feedback.selectors import MetricTrend
from apps.notifications.letters import claim_letter, mute_nudges, put_mail, put_nudge
from apps.notifications.links import absolute
from apps.notifications.mails import LINK, addressed, write_draft
from apps.notifications.models import Letter
from apps.notifications.nudging import Silence
from apps.notifications.selectors import Wishes, wishes_of
from apps.notifications.services import Message, notify
from apps.notifications.topics import Topic
from cxplan.digest import Digest, digest_of
from cxplan.nudges import Nudge, choose_nudge

Draw = Callable[[MetricTrend], bytes]


@transaction.atomic
def write_letter(*, user: User, week: date, now: datetime, draw: Draw) -> Letter | None:
    """Everything of a person's week in one transaction; None when it was written before.

    `draw` makes a picture of the score for mail programs, which show no drawings of other kinds.
    """
    letter = claim_letter(user=user, week=week, at=now)
    person = person_of(user)
    unit = chosen_unit(person=person, code=None)
    if letter is None or unit is None:
        return letter
    with translation.override(user.language):
        wishes = wishes_of(user=user)
        digest = digest_of(person=person, unit=unit, now=now)
        nudge = _nudge(person, unit, digest, wishes, week=week, now=now)
        link = ""
        if nudge is not None:
            message = Message(title=nudge.title, body=nudge.text)
            told = put_nudge(letter=letter, condition=nudge.condition, message=message, url=nudge.url, at=now)
            link = absolute(f"/notifications/{told.pk}/")
        _put_mail(letter, replace(digest, nudge=nudge), wishes, link=link, now=now, draw=draw)
    return letter


def _nudge(
    person: Person, unit: Unit, digest: Digest, wishes: Wishes, *, week: date, now: datetime
) -> Nudge | None:
    """Nudges are for who runs one place; whoever leads many has the digest."""
    if person.highest_role is not Role.MANAGER:
        return None
    found = choose_nudge(
        user=person.user,
        unit=unit,
        facts=digest.facts,
        is_wanted=wishes.wants(Topic.NUDGES),
        week=week,
        now=now,
    )
    if found is Silence.IGNORED:
        mute_nudges(user=person.user, at=now)
        notify(
            to=[person.user],
            kind="notifications.muted",
            say=lambda: Message(
                title=_("You get no more weekly nudges"),
                body=_(
                    "The last ones stayed unread, so they stopped. One click in the settings brings them back."
                ),
            ),
            url="/settings/#notifications",
            at=now,
        )
    return found if isinstance(found, Nudge) else None


def _put_mail(letter: Letter, digest: Digest, wishes: Wishes, *, link: str, now: datetime, draw: Draw) -> None:
    """With the digest comes the nudge; whoever wants no digest gets the nudge alone."""
    is_digest = wishes.wants(Topic.DIGEST) and digest.has_news
    if not is_digest and digest.nudge is None:
        return
    topic = Topic.DIGEST if is_digest else Topic.NUDGES
    score = digest.score if is_digest else None
    subject = (
        _("%(unit)s: your week of %(day)s")
        % {"unit": digest.unit.display_name, "day": formats.short_day(letter.week, letter.week)}
        if is_digest
        else digest.nudge.title
        if digest.nudge
        else ""
    )
    draft = write_draft(
        topic=topic,
        language=letter.user.language,
        subject=subject,
        name="digest",
        context={
            "digest": digest,
            "sections": digest.sections if is_digest else (),
            "score": score,
            "origin": absolute(""),
            "link": LINK,
        },
    )
    chart = draw(score.trend) if score is not None else None
    put_mail(letter=letter, mail=addressed(draft=draft, user=letter.user, at=now, link=link, chart=chart))
