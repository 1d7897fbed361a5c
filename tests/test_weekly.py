"""A week's letter: one nudge, one digest, one mail, in the reader's language."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from apps.core.periods import WEEK
from apps.notifications.models import Letter, Mail, Notification
from apps.notifications.selectors import wishes_of
from apps.notifications.topics import Delivery, Topic
from apps.planning.models import Action
from cxplan.mail_chart import trend_picture
from cxplan.weekly import write_letter
from tests.factories import (
    ActionFactory,
    CellFactory,
    ChallengeFactory,
    EffectFactory,
    MetricFactory,
    RunFactory,
)
from tests.notification_factories import (
    ConversationFactory,
    LetterFactory,
    NotificationFactory,
    PreferenceFactory,
    ResultsSeenFactory,
)

pytestmark = pytest.mark.django_db
MONDAY = date(2024, 6, 3)
NOW = datetime(2024, 6, 3, 8, tzinfo=UTC)
PICTURE = b"\x89PNG a picture"


def write(user, week=MONDAY, now=NOW, draw=lambda trend: PICTURE) -> Letter | None:
    return write_letter(user=user, week=week, now=now, draw=draw)


@pytest.fixture
def overall(chain):
    metric = MetricFactory(name="Overall satisfaction", is_overall=True)
    for ago in range(26):
        CellFactory(unit=chain.lille, metric=metric, week=MONDAY - ago * WEEK, n=20, value=Decimal("7.5"))
    return metric


@pytest.fixture
def queue(chain):
    metric = MetricFactory(name="Waiting", code="wait")
    for ago in range(20):
        CellFactory(unit=chain.lille, metric=metric, week=MONDAY - ago * WEEK, n=20, value=Decimal(6))
    RunFactory(metric=metric, as_of=MONDAY, benchmark={"level": 8.0, "spread": 1.0})
    return ChallengeFactory(name="Long queue", metric=metric)


def test_a_manager_gets_one_mail_with_the_nudge_the_score_and_its_picture(manager, overall, queue):
    letter = write(manager)
    mail = Mail.objects.get()
    assert (letter.mail, letter.nudge) == (mail, "unseen")
    assert bytes(mail.chart) == PICTURE
    for part in (mail.text, mail.html):
        assert "What your customers said: Lille" in part
        assert "240 answers in the last 12 weeks." in part
        assert "Long queue" in part
        assert f"/notifications/{letter.notification_id}/" in part
        assert "/unsubscribe/" in part
    assert 'src="cid:chart"' in mail.html
    assert mail.topic == Topic.DIGEST


def test_a_second_letter_of_the_same_week_is_not_written(manager, overall):
    assert write(manager) is not None
    assert write(manager, now=NOW + timedelta(hours=1)) is None
    assert Mail.objects.count() == 1
    assert Notification.objects.count() == 1


def test_a_letter_cut_off_leaves_nothing_and_is_written_again(manager, overall):
    class Killed(BaseException):
        """The process ends while it draws."""

    def die(trend):
        raise Killed

    with pytest.raises(Killed):
        write(manager, draw=die)
    assert not Letter.objects.exists()
    assert not Notification.objects.exists()
    assert write(manager).mail is not None


def test_it_is_written_in_the_language_of_its_reader(manager, overall):
    manager.language = "fr"
    manager.save(update_fields=["language"])
    write(manager)
    mail = Mail.objects.get()
    assert mail.language == "fr"
    assert '<html lang="fr">' in mail.html
    assert "7,50" in mail.text


def test_without_a_digest_the_nudge_comes_alone(manager, overall, queue):
    PreferenceFactory(user=manager, topic=Topic.DIGEST, delivery=Delivery.OFF)
    write(manager)
    mail = Mail.objects.get()
    assert mail.topic == Topic.NUDGES
    assert mail.subject == "What your customers said: Lille"
    assert mail.chart is None
    assert "Long queue" not in mail.text


def test_without_nudges_the_digest_comes_alone(manager, overall, queue):
    PreferenceFactory(user=manager, topic=Topic.NUDGES, delivery=Delivery.OFF)
    letter = write(manager)
    assert letter.nudge == ""
    assert "One thing this week" not in letter.mail.text
    assert "Long queue" in letter.mail.text


def test_nothing_to_tell_sends_nothing(staff):
    letter = write(staff)
    assert letter.mail is None
    assert not Mail.objects.exists()


def test_few_answers_bring_no_nudge(manager, chain):
    metric = MetricFactory(is_overall=True)
    CellFactory(unit=chain.lille, metric=metric, week=MONDAY, n=29)
    assert write(manager).nudge == ""


def test_a_team_in_conversation_is_left_in_peace(manager, chain, overall):
    ConversationFactory(
        unit=chain.north, starts_on=MONDAY - timedelta(days=27), ends_on=MONDAY + timedelta(days=1)
    )
    assert write(manager).nudge == ""


def test_three_ignored_nudges_are_the_last_until_the_person_wants_them_back(client, manager, overall):
    for ago in (3, 2, 1):
        LetterFactory(
            user=manager,
            week=MONDAY - timedelta(weeks=ago),
            nudge="unseen",
            notification=NotificationFactory(user=manager, kind=f"notifications.nudge.{ago}"),
        )
    assert write(manager).nudge == ""
    wishes = wishes_of(user=manager)
    assert Topic.NUDGES in wishes.muted
    assert Notification.objects.filter(kind="notifications.muted").count() == 1
    client.force_login(manager)
    assert "Nudges stopped by themselves" in client.get("/settings/notifications/").content.decode()
    everything = {topic.value: wishes.deliveries[topic].value for topic in Topic} | {"nudges": "at_once"}
    client.post("/settings/notifications/", everything)
    assert write(manager, MONDAY + timedelta(weeks=1), datetime.now(UTC)).nudge == "unseen"


def test_seen_without_a_focus_names_the_challenge_to_pick(manager, chain, overall, queue):
    ResultsSeenFactory(user=manager, unit=chain.lille, seen_at=NOW - timedelta(days=3))
    letter = write(manager)
    assert letter.nudge == "no_focus"
    assert letter.notification.title == "One challenge to pick: Long queue"
    assert letter.notification.url == reverse("taxonomy:challenge", args=[queue.code])


def test_a_focus_without_an_action_asks_for_the_start(manager, chain, overall):
    ActionFactory(
        unit=chain.lille, state=Action.State.PLANNED, effective_on=None, planned_on=MONDAY - timedelta(days=9)
    )
    ResultsSeenFactory(user=manager, unit=chain.lille, seen_at=NOW - timedelta(days=3))
    assert write(manager).nudge == "not_applied"


def test_an_action_nobody_wrote_about_for_a_month_asks_for_a_word(manager, chain, overall):
    action = ActionFactory(unit=chain.lille, effective_on=MONDAY - timedelta(days=40))
    Action.objects.filter(pk=action.pk).update(updated_at=NOW - timedelta(days=40))
    letter = write(manager)
    assert letter.nudge == "quiet"
    assert "40 days" in letter.notification.body


def test_a_result_that_became_ready_comes_first(manager, chain, overall):
    action = ActionFactory(unit=chain.lille, effective_on=MONDAY - timedelta(days=80))
    EffectFactory(action=action, as_of=MONDAY - timedelta(days=2))
    letter = write(manager)
    assert letter.nudge == "ready"
    assert "Results that became ready" in letter.mail.text


def test_a_lead_hears_of_failed_mails_and_is_not_nudged(lead, overall):
    Mail.objects.create(
        user=lead, topic="ideas", email="x@example.org", language="en", subject="s", text="t", html="h",
        message_id="<1@x>", state="failed", next_try_at=NOW, created_at=NOW,
    )  # fmt: skip
    letter = write(lead)
    assert letter.nudge == ""
    assert "1 mail could not be sent" in letter.mail.text


def test_weekly_news_that_was_not_read_is_in_the_digest(staff):
    NotificationFactory(user=staff, topic=Topic.PLANS, title="A task is yours", created_at=NOW - timedelta(days=1))
    NotificationFactory(user=staff, topic=Topic.PLANS, title="Long ago", created_at=NOW - timedelta(days=9))
    NotificationFactory(user=staff, topic=Topic.IDEAS, title="Mailed at once", created_at=NOW - timedelta(days=1))
    text = write(staff).mail.text
    assert "A task is yours" in text
    assert "Long ago" not in text
    assert "Mailed at once" not in text


def test_the_preview_shows_what_the_mail_would_say(client, manager, chain, overall, queue):
    client.force_login(manager)
    page = client.get(reverse("digest")).content.decode()
    assert "Overall satisfaction" in page
    assert "Long queue" in page


def test_a_letter_costs_as_many_queries_with_much_to_tell(
    manager, chain, overall, queue, django_assert_max_num_queries
):
    for _ in range(8):
        EffectFactory(
            action=ActionFactory(unit=chain.lille, effective_on=MONDAY - timedelta(days=80)), as_of=MONDAY
        )
        NotificationFactory(user=manager, topic=Topic.PLANS, created_at=NOW)
    with django_assert_max_num_queries(52):
        write(manager)


def test_the_picture_of_the_score_is_a_png(manager, overall):
    drawn = []

    def draw(trend) -> bytes:
        drawn.append(trend_picture(trend))
        return drawn[0]

    letter = write(manager, draw=draw)
    assert drawn[0].startswith(b"\x89PNG")
    assert bytes(letter.mail.chart) == drawn[0]
