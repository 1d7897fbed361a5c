"""What a lead decides, who hears of it, and what happens when nobody does."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import AuditEvent, Role
from apps.ideas.decisions import (
    MergeNotPossible,
    PilotIncomplete,
    ReasonMissing,
    TooLateToUndo,
    ask_author,
    decline_idea,
    merge_idea,
    overdue_ideas,
    pilot_idea,
    reopen_idea,
    review_idea,
    settle_overdue,
    unmerge_idea,
)
from apps.ideas.models import Escalation, Idea, Vote
from apps.ideas.services import add_comment, vote, withdraw_vote
from apps.ideas.states import StepNotPossible
from apps.ideas.tasks import settle_overdue_ideas
from tests.factories import MembershipFactory, UserFactory
from tests.ideas.conftest import NOW
from tests.ideas.helpers import events_of, titles, told
from tests.ideas_factories import IdeaFactory, VoteFactory

pytestmark = pytest.mark.django_db


def test_each_decision_is_noted_and_told_with_its_reason(idea, chain, staff, manager, north_lead):
    review_idea(idea=idea, at=NOW, actor=north_lead)
    ask_author(idea=idea, question="At which hours?", at=NOW, actor=north_lead)
    add_comment(idea=idea, text="In the morning", at=NOW, actor=staff)
    pilot_idea(idea=idea, units=[chain.lille], reason="Two weeks", at=NOW, actor=north_lead)
    decline_idea(idea=idea, reason="too_costly", text="Two people a day", at=NOW, actor=north_lead)
    reopen_idea(idea=idea, reason="One is enough", at=NOW, actor=north_lead)
    assert events_of(idea) == [
        "reviewed", "asked", "commented", "replied", "piloted", "declined", "reopened",
    ]  # fmt: skip
    assert told(staff) == [
        "ideas.idea.reviewed", "ideas.idea.asked", "ideas.idea.piloted", "ideas.idea.declined",
        "ideas.idea.reopened",
    ]  # fmt: skip
    assert told(manager) == ["ideas.pilot.asked"]
    idea.refresh_from_db()
    assert (idea.state, idea.decided_reason, idea.due_at) == ("in_review", "", NOW + timedelta(days=14))


def test_the_author_is_told_in_their_language(idea, staff, north_lead):
    staff.language = "fr"
    staff.save()
    decline_idea(idea=idea, reason="later", text="Année prochaine", at=NOW, actor=north_lead)
    assert "A greeter at the door" in titles(staff)[0]


def test_a_refusal_needs_a_reason_of_the_list_and_words(idea, north_lead):
    with pytest.raises(ReasonMissing):
        decline_idea(idea=idea, reason="nonsense", text="x", at=NOW, actor=north_lead)
    with pytest.raises(ReasonMissing):
        decline_idea(idea=idea, reason="later", text=" ", at=NOW, actor=north_lead)
    with pytest.raises(PilotIncomplete):
        pilot_idea(idea=idea, units=[], at=NOW, actor=north_lead)
    with pytest.raises(ReasonMissing):
        ask_author(idea=idea, question="", at=NOW, actor=north_lead)
    with pytest.raises(StepNotPossible):
        reopen_idea(idea=idea, reason="x", at=NOW, actor=north_lead)
    assert events_of(idea) == []


# Votes and merging


def test_a_person_counts_once_however_often_they_vote(idea, colleague):
    vote(idea=idea, actor=colleague)
    assert vote(idea=idea, actor=colleague).vote_count == 1
    assert withdraw_vote(idea=idea, actor=colleague).vote_count == 0
    assert withdraw_vote(idea=idea, actor=colleague).vote_count == 0


def test_a_merge_keeps_votes_comments_and_authors_and_counts_nobody_twice(
    idea, chain, staff, colleague, manager, north_lead
):
    twin = IdeaFactory(title="Somebody greets customers", author=colleague, unit=chain.nice)
    for voter in (manager, colleague):
        vote(idea=twin, actor=voter)
    vote(idea=idea, actor=manager)
    add_comment(idea=twin, text="Ours works", at=NOW, actor=manager)
    merge_idea(idea=twin, into=idea, at=NOW, actor=north_lead)

    idea.refresh_from_db()
    assert idea.vote_count == 2
    # A vote for the merged one is one for the other, too.
    vote(idea=twin, actor=colleague)
    assert Vote.objects.filter(user=colleague).count() == 1
    assert withdraw_vote(idea=idea, actor=colleague).vote_count == 1
    assert events_of(twin)[-1] == "merged"
    assert "absorbed" in events_of(idea)
    assert "ideas.idea.merged" in told(colleague)
    # Both authors hear of what becomes of it.
    review_idea(idea=idea, at=NOW, actor=north_lead)
    assert told(staff)[-1] == told(colleague)[-1] == "ideas.idea.reviewed"


def test_a_merge_can_be_taken_back_within_a_day(idea, chain, north_lead):
    first, second = IdeaFactory(unit=chain.lille), IdeaFactory(unit=chain.lille, state="in_review")
    VoteFactory(idea=first)
    VoteFactory(idea=second)
    merge_idea(idea=first, into=second, at=NOW, actor=north_lead)
    merge_idea(idea=second, into=idea, at=NOW, actor=north_lead)
    assert set(Idea.objects.filter(merged_into=idea)) == {first, second}
    idea.refresh_from_db()
    assert idea.vote_count == 2

    made = AuditEvent.objects.filter(event="ideas.idea.merged").latest("id").at
    with pytest.raises(TooLateToUndo):
        unmerge_idea(idea=second, at=made + timedelta(days=1, seconds=1), actor=north_lead)
    second = unmerge_idea(idea=second, at=made, actor=north_lead)
    idea.refresh_from_db()
    assert (second.state, second.merged_into, second.vote_count, idea.vote_count) == ("in_review", None, 2, 0)
    assert Idea.objects.get(pk=first.pk).merged_into == second


def test_only_an_open_idea_takes_another_in(idea, chain, north_lead):
    with pytest.raises(MergeNotPossible):
        merge_idea(idea=idea, into=idea, at=NOW, actor=north_lead)
    declined = IdeaFactory(unit=chain.lille, state="declined", decided_reason="later")
    with pytest.raises(MergeNotPossible):
        merge_idea(idea=idea, into=declined, at=NOW, actor=north_lead)
    held = IdeaFactory(unit=chain.lille, let_in_at=None)
    with pytest.raises(MergeNotPossible):
        merge_idea(idea=idea, into=held, at=NOW, actor=north_lead)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from("vuMU"), st.integers(0, 3), st.integers(0, 3)), min_size=5, max_size=25
    )
)
def test_whatever_is_voted_and_merged_the_count_is_the_people_behind_it(chain, lead, steps):
    Idea.objects.filter(state="merged").update(state="new", merged_into=None)
    Idea.objects.all().delete()
    ideas = [IdeaFactory(unit=chain.lille) for _ in range(4)]
    people = [UserFactory() for _ in range(4)]
    for what, first, second in steps:
        idea = Idea.objects.get(pk=ideas[first].pk)
        if what == "v":
            vote(idea=idea, actor=people[second])
        elif what == "u":
            withdraw_vote(idea=idea, actor=people[second])
        elif what == "M":
            into = Idea.objects.get(pk=ideas[second].pk)
            if idea != into and "merged" not in (idea.state, into.state):
                merge_idea(idea=idea, into=into, at=NOW, actor=lead)
        elif idea.state == "merged":
            unmerge_idea(idea=idea, at=NOW, actor=lead)
        for standing in Idea.objects.standing():
            group = [standing.pk, *standing.merged.values_list("pk", flat=True)]
            voters = Vote.objects.filter(idea__in=group).values("user").distinct().count()
            assert standing.vote_count == voters
        assert not Idea.objects.filter(merged_into__merged_into__isnull=False).exists()


# Deadlines


def test_an_overdue_idea_goes_one_level_up_once_for_each_deadline(idea, chain, staff, lead, north_lead):
    Idea.objects.filter(pk=idea.pk).update(due_at=NOW)
    late = NOW + timedelta(hours=1)
    assert settle_overdue(at=late) == 1
    assert settle_overdue(at=late) == 0
    idea.refresh_from_db()
    assert (idea.level, idea.due_at) == (chain.organisation, late + timedelta(days=7))
    assert told(lead) == ["ideas.idea.escalated"]
    assert told(staff) == ["ideas.idea.escalated"]
    # At the top they are reminded once, and that is it.
    later = late + timedelta(days=8)
    assert settle_overdue(at=later) == 1
    assert settle_overdue(at=later + timedelta(days=100)) == 0
    assert Escalation.objects.filter(idea=idea).count() == 2
    assert events_of(idea) == ["escalated", "escalated"]


def test_a_level_without_a_lead_is_skipped(chain, lead, staff):
    idea = IdeaFactory(unit=chain.lille, author=staff, level=None, due_at=NOW)
    settle_overdue(at=NOW + timedelta(hours=1))
    idea.refresh_from_db()
    assert idea.level == chain.organisation


def test_a_question_nobody_answers_does_not_stop_the_idea(idea, staff, north_lead):
    ask_author(idea=idea, question="At which hours?", at=NOW, actor=north_lead)
    after = NOW + timedelta(days=14, seconds=1)
    assert settle_overdue(at=after) == 1
    idea.refresh_from_db()
    assert (idea.state, idea.due_at) == ("in_review", after + timedelta(days=14))
    assert told(staff)[-1] == "ideas.idea.resumed"
    assert not Escalation.objects.exists()


@pytest.mark.parametrize("fields", [{"state": "in_review"}, {"let_in_at": None}, {"state": "pilot"}], ids=str)
def test_every_open_state_has_a_deadline_that_counts(chain, lead, fields):
    IdeaFactory(unit=chain.lille, due_at=NOW, **fields)
    assert len(overdue_ideas(at=NOW + timedelta(seconds=1))) == 1


@pytest.mark.parametrize("state", ["in_review", "declined"])
def test_a_decision_ends_the_old_deadline(idea, north_lead, state):
    Idea.objects.filter(pk=idea.pk).update(due_at=NOW)
    if state == "declined":
        decline_idea(idea=idea, reason="later", text="x", at=NOW, actor=north_lead)
    else:
        review_idea(idea=idea, at=NOW, actor=north_lead)
    assert overdue_ideas(at=NOW + timedelta(hours=1)) == []


def test_the_task_finds_overdue_ideas_by_itself(idea):
    Idea.objects.filter(pk=idea.pk).update(due_at=NOW)
    settle_overdue_ideas()
    assert Escalation.objects.filter(idea=idea).count() == 1


def test_a_new_lead_nearby_answers_for_the_next_step(idea, chain, north_lead, lead):
    near = MembershipFactory(unit=chain.lille, role=Role.LEAD).user
    review_idea(idea=idea, at=NOW, actor=lead)
    idea.refresh_from_db()
    assert idea.level == chain.lille
    Idea.objects.filter(pk=idea.pk).update(due_at=NOW)
    settle_overdue(at=NOW + timedelta(seconds=1))
    assert told(north_lead) == ["ideas.idea.escalated"]
    assert told(near) == []
