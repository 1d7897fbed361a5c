"""Proposing, and whose posts are held."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.models import AuditEvent, User
from apps.ideas.models import Comment, Idea
from apps.ideas.moderation import (
    NotHeld,
    ReasonForHidingMissing,
    hide_comment,
    hide_idea,
    let_comment_in,
    let_idea_in,
    report_comment,
)
from apps.ideas.services import (
    AlreadyProposed,
    CallClosed,
    IdeaChanged,
    IdeaIncomplete,
    NotOpenToAll,
    Trial,
    TryingIncomplete,
    add_comment,
    create_idea,
    edit_idea,
    vote,
)
from apps.ideas.texts import title_of
from tests.ideas.conftest import NOW
from tests.ideas.helpers import events_of, titles, told
from tests.ideas_factories import CallFactory, CommentFactory, IdeaFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Put a greeter at the door. They sort the queue.", "Put a greeter at the door"),
        ("\n  Keys in a box\nwith a code", "Keys in a box"),
        ("word " * 40, "word " * 16 + "word…"),
        ("x" * 120, "x" * 89 + "…"),
    ],
)
def test_a_title_is_the_first_sentence(text, title):
    made = title_of(text)
    assert len(made) <= 90
    assert made == title if len(title) <= 90 else made.endswith("…")


def test_the_first_ideas_of_a_person_are_held_and_a_lead_is_told(propose, staff, lead, north_lead):
    idea = propose(staff)
    assert (idea.state, idea.is_held, idea.title) == ("new", True, "Put a greeter at the door")
    assert idea.due_at == NOW + timedelta(days=3)
    assert told(north_lead) == ["ideas.idea.proposed"]
    assert titles(north_lead) == ["An idea to let in: Put a greeter at the door"]
    # The nearest lead answers for it; the one above hears of it only when it waits too long.
    assert told(lead) == []
    assert events_of(idea) == ["proposed"]


def test_letting_in_starts_the_clock_and_tells_the_author(propose, staff, north_lead):
    idea = let_idea_in(idea=propose(staff), at=NOW + timedelta(days=1), actor=north_lead)
    assert idea.is_public
    assert idea.due_at == NOW + timedelta(days=8)
    assert told(staff) == ["ideas.idea.let_in"]
    with pytest.raises(NotHeld):
        let_idea_in(idea=idea, at=NOW, actor=north_lead)


def test_after_three_posts_that_were_let_in_a_person_is_trusted(propose, staff, north_lead):
    for number in range(3):
        assert propose(staff, f"Idea {number}").is_held
        let_idea_in(idea=Idea.objects.latest("id"), at=NOW, actor=north_lead)
    assert propose(staff, "The fourth").is_public
    hide_idea(idea=Idea.objects.earliest("id"), reason="It names a customer", at=NOW, actor=north_lead)
    assert Idea.objects.by(staff).public().count() == 3


def test_a_hidden_post_costs_trust(propose, staff, north_lead):
    for number in range(3):
        let_idea_in(idea=propose(staff, f"Idea {number}"), at=NOW, actor=north_lead)
    hide_idea(idea=Idea.objects.earliest("id"), reason="It names a customer", at=NOW, actor=north_lead)
    assert propose(staff, "The fourth").is_held


def test_managers_are_trusted_at_once(propose, manager):
    assert propose(manager).is_public


@pytest.mark.parametrize("who", ["staff", "manager", "lead"])
def test_an_anonymous_idea_is_always_held(propose, who, request):
    user = request.getfixturevalue(who)
    idea = propose(user, is_anonymous=True)
    assert idea.is_held
    assert idea.author is None
    assert idea.is_by(user)


def test_the_same_idea_twice_is_one(propose, staff):
    propose(staff)
    with pytest.raises(AlreadyProposed):
        propose(staff)
    with pytest.raises(AlreadyProposed):
        propose(staff, is_anonymous=True)


def test_an_idea_needs_words_and_a_day_that_has_come(propose, staff, chain):
    with pytest.raises(IdeaIncomplete):
        propose(staff, "  ")
    with pytest.raises(TryingIncomplete):
        propose(staff, trial=Trial(since=date(2024, 6, 6), unit=chain.lille))
    idea = propose(staff, trial=Trial(since=date(2024, 6, 5), unit=chain.reims))
    assert (idea.tried_on, idea.tried_unit) == (date(2024, 6, 5), chain.reims)


def test_an_idea_for_a_call_is_about_its_challenge_while_it_is_open(propose, staff, challenge):
    call = CallFactory(challenge=challenge, opens_on=date(2024, 6, 1), closes_on=date(2024, 6, 5))
    assert propose(staff, call=call).challenge == challenge
    closed = CallFactory(challenge=challenge, opens_on=date(2024, 5, 1), closes_on=date(2024, 6, 4))
    with pytest.raises(CallClosed):
        propose(staff, "Too late", call=closed)


def test_an_edit_keeps_before_and_after_and_tells_the_author_of_others(idea, staff, north_lead):
    edit_idea(idea=idea, changes={"title": "A host at the door"}, at=NOW, actor=staff)
    assert told(staff) == []
    edited = edit_idea(idea=idea, changes={"title": "A host"}, at=NOW, actor=north_lead)
    assert edited.title == "A host"
    assert told(staff) == ["ideas.idea.edited"]
    data = AuditEvent.objects.about(idea).latest("id").data
    assert data["before"] == {"title": "A host at the door"}


def test_an_edit_on_top_of_another_is_noticed(idea, staff, north_lead):
    seen_at = idea.updated_at
    edit_idea(idea=idea, changes={"title": "Other"}, at=NOW, actor=north_lead)
    with pytest.raises(IdeaChanged):
        edit_idea(idea=idea, changes={"title": "Mine"}, at=NOW, actor=staff, seen_at=seen_at)


# Comments


def test_a_comment_of_somebody_new_is_held_and_announced_once_let_in(idea, colleague, staff, north_lead):
    comment = add_comment(idea=idea, text="We too", at=NOW, actor=colleague)
    assert comment.let_in_at is None
    assert told(staff) == []
    let_comment_in(comment=comment, at=NOW, actor=north_lead)
    let_comment_in(comment=comment, at=NOW, actor=north_lead)
    assert told(staff) == ["ideas.comment.added"]


def test_a_held_idea_takes_no_votes_and_no_comments_of_others(propose, staff, colleague):
    idea = propose(staff)
    with pytest.raises(NotOpenToAll):
        vote(idea=idea, actor=colleague)
    with pytest.raises(NotOpenToAll):
        add_comment(idea=idea, text="x", at=NOW, actor=colleague)


def test_a_reported_comment_waits_until_a_lead_settles_it(idea, colleague, manager, north_lead):
    comment = CommentFactory(idea=idea, author=colleague)
    report_comment(comment=comment, reason="It names a customer", at=NOW, actor=manager)
    report_comment(comment=comment, reason="And rudely", at=NOW, actor=manager)
    assert told(north_lead) == ["ideas.comment.reported"]
    assert comment.reports.get().reason == "And rudely"
    with pytest.raises(ReasonForHidingMissing):
        hide_comment(comment=comment, reason=" ", at=NOW, actor=north_lead)
    hide_comment(comment=comment, reason="Names stay out", at=NOW, actor=north_lead)
    assert comment.reports.get().resolved_at == NOW
    assert told(colleague) == ["ideas.comment.hidden"]
    assert not Comment.objects.public().exists()


# What the database itself refuses


@pytest.mark.parametrize(
    "fields",
    [
        {"author": None},
        {"author_key": "0" * 64},
        {"state": "merged"},
        {"state": "declined"},
        {"decided_reason": "other"},
        {"state": "in_library"},
        {"tried_on": date(2024, 1, 1)},
    ],
    ids=str,
)
def test_the_database_refuses_half_truths(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        IdeaFactory(**fields)


def test_a_new_person_can_propose_from_a_unit_without_any_lead(chain, db):
    somebody = User.objects.create_user("x@example.org")
    idea = create_idea(text="Something", unit=chain.nice, at=NOW, actor=somebody)
    assert idea.level is None
