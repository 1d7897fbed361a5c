"""The name of an anonymous author stands nowhere, and yet the author can be asked and told."""

import json
from datetime import timedelta

import pytest
from django.core import serializers
from django.db import connection
from django.test import override_settings

from apps.accounts.models import AuditEvent
from apps.ideas.anonymity import author_key, author_keys
from apps.ideas.decisions import ask_author, decline_idea
from apps.ideas.models import Comment, Idea
from apps.ideas.moderation import let_idea_in
from apps.ideas.services import add_comment, edit_idea
from apps.notifications.models import Notification
from tests.ideas.conftest import NOW
from tests.ideas.helpers import told

pytestmark = pytest.mark.django_db


@pytest.fixture
def unnamed(propose, staff, north_lead):
    """An anonymous idea of the staff of LILLE that was asked something and answered."""
    idea = propose(staff, "Tell customers the truth about the wait", is_anonymous=True)
    let_idea_in(idea=idea, at=NOW, actor=north_lead)
    edit_idea(idea=idea, changes={"title": "The truth about the wait"}, at=NOW, actor=staff)
    ask_author(idea=idea, question="At which hours?", at=NOW, actor=north_lead)
    return Idea.objects.get(pk=idea.pk)


def everything_stored() -> str:
    """Each row of ideas and audit as the database keeps it."""
    rows = []
    with connection.cursor() as cursor:
        for table in ("ideas_idea", "ideas_comment", "ideas_vote", "accounts_auditevent"):
            cursor.execute(f"SELECT to_jsonb(t) FROM {table} t")
            rows += [row[0] for row in cursor.fetchall()]
    return json.dumps(rows)


def test_the_relay_works_both_ways(unnamed, staff, north_lead):
    assert told(staff) == ["ideas.own.moved"]
    add_comment(idea=unnamed, text="From eight to ten", at=NOW, actor=staff)
    unnamed.refresh_from_db()
    assert unnamed.state == "in_review"
    assert "ideas.idea.replied" in told(north_lead)
    reply = Comment.objects.get(kind="reply")
    assert (reply.author, reply.is_from_author, reply.let_in_at) == (None, True, NOW)


def test_no_row_of_ideas_or_audit_leads_to_the_author(unnamed, staff):
    add_comment(idea=unnamed, text="From eight to ten", at=NOW, actor=staff)
    stored = everything_stored()
    assert staff.email not in stored
    assert staff.name not in stored
    assert not AuditEvent.objects.filter(actor=staff).exists()
    assert not Comment.objects.filter(author=staff).exists()
    assert serializers.serialize("json", [unnamed]).count(str(author_key(staff))) == 1


def test_news_for_the_author_does_not_say_which_idea(unnamed, staff, north_lead):
    decline_idea(idea=unnamed, reason="later", text="Next year", at=NOW, actor=north_lead)
    for notification in Notification.objects.filter(user=staff):
        said = f"{notification.title} {notification.body} {notification.url}"
        assert "truth" not in said
        assert str(unnamed.pk) not in said.replace("show=mine", "")


def test_others_do_not_take_part_as_the_author(unnamed, colleague, manager):
    assert not unnamed.is_by(manager)
    comment = add_comment(idea=unnamed, text="Good one", at=NOW, actor=manager)
    assert (comment.author, comment.is_from_author) == (manager, False)
    unnamed.refresh_from_db()
    assert unnamed.state == "needs_info"


def test_a_new_secret_keeps_the_authors_of_before(unnamed, staff):
    old = author_key(staff)
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
        assert old not in author_keys(staff)
    from django.conf import settings

    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert old in author_keys(staff)
        assert unnamed.is_by(staff)


def test_an_answer_after_its_day_is_still_a_comment(unnamed, staff):
    Idea.objects.filter(pk=unnamed.pk).update(state="in_review")
    comment = add_comment(idea=unnamed, text="Late", at=NOW + timedelta(days=30), actor=staff)
    assert (comment.kind, comment.author) == ("remark", None)
