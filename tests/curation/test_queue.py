"""The queue: what waits for whom, in which order, and what deciding on it does."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import AuditEvent, Role
from apps.accounts.person import person_of
from apps.curation.models import LookAlike
from apps.curation.queue import queue_count, queue_page
from apps.ideas.models import Idea
from apps.library.models import ChangeRequest, Playbook, Solution, SolutionAlias, SolutionLink, UnmappedSolution
from apps.library.replacing import ReplacementNotPossible, replace_solution
from apps.library.services import publish_solution
from apps.taxonomy.models import Alias
from tests.curation_factories import LookAlikeFactory, SolutionAliasFactory, UnmappedSolutionFactory
from tests.factories import (
    ActionSolutionFactory,
    ChallengeFactory,
    MembershipFactory,
    SolutionFactory,
    SolutionLinkFactory,
    SolutionVersionFactory,
)
from tests.ideas_factories import CommentFactory, IdeaFactory
from tests.library_factories import ChangeRequestFactory, PlaybookFactory, PlaybookSolutionFactory
from tests.taxonomy_factories import UnmappedLabelFactory

NOW = datetime(2030, 6, 3, 9, tzinfo=UTC)
QUEUE = "/curation/"


@pytest.fixture
def curator(client, lead):
    client.force_login(lead)
    return client


@pytest.fixture
def regional(chain):
    return MembershipFactory(user__email="north@example.org", unit=chain.north, role=Role.LEAD).user


def grow(chain):
    IdeaFactory(unit=chain.lille)
    IdeaFactory(unit=chain.lille, let_in_at=None)
    CommentFactory(idea__unit=chain.lille, idea__state="pilot", let_in_at=None)
    ChangeRequestFactory()
    LookAlikeFactory()
    SolutionFactory(review_due_on="2024-01-01", reviewed_on="2023-01-01")
    ChallengeFactory(name="Long wait", code=f"wait-{Idea.objects.count()}", metric=None)
    UnmappedLabelFactory(label=f"long wait {Idea.objects.count()}")
    UnmappedSolutionFactory()


def kinds(user, **asked):
    page = queue_page(person=person_of(user), number=None, at=NOW, **asked)
    return [item.kind.value for item in page.object_list]


def test_everything_that_waits_is_in_one_list_the_oldest_first(chain, lead):
    grow(chain)
    page = queue_page(person=person_of(lead), number=None, at=NOW)
    assert {item.kind.value for item in page.object_list} == {
        *("idea", "held", "comment", "change", "alike", "review", "label", "solution-label")
    }
    assert len(page.object_list) == queue_count(person=person_of(lead), at=NOW)
    ordered = [item.at for item in page.object_list]
    assert ordered == sorted(ordered)


def test_a_lead_of_a_region_sees_ideas_of_the_region_and_no_labels(chain, regional):
    grow(chain)
    IdeaFactory(unit=chain.nice)
    assert kinds(regional, kind="idea") == ["idea"]
    assert kinds(regional, kind="label") == []
    IdeaFactory(unit=chain.nice, title="theirs", let_in_at=None)
    assert kinds(regional, kind="held") == ["held"]


def test_the_page_costs_the_same_however_much_waits(curator, chain):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert curator.get(QUEUE).status_code == 200
        return len(captured)

    grow(chain)
    few = queries()
    grow(chain)
    grow(chain)
    # A kind of which nothing stands on this page is not read.
    assert queries() <= few


def test_an_empty_queue_says_so(curator):
    assert "Nothing waits" in curator.get(QUEUE).content.decode()


def test_ticked_ideas_are_taken_into_review_and_what_could_not_be_is_told(curator, chain, lead):
    new, late = (
        IdeaFactory(unit=chain.lille),
        IdeaFactory(unit=chain.lille, state="in_review", title="Reviewed once"),
    )
    answer = curator.post(
        f"{QUEUE}?kind=idea", {"item": [f"idea:{new.pk}", f"idea:{late.pk}"], "do": "review"}, follow=True
    ).content.decode()
    new.refresh_from_db()
    assert new.state == "in_review"
    assert "1 entry decided" in answer
    assert "Reviewed once:" in answer
    assert AuditEvent.objects.about(new).filter(event="ideas.idea.reviewed", actor=lead).count() == 1


def test_declining_needs_a_reason_and_reaches_each(curator, chain):
    ideas = [IdeaFactory(unit=chain.lille) for _ in range(2)]
    ticked = {"item": [f"idea:{idea.pk}" for idea in ideas], "do": "decline"}
    curator.post(QUEUE, ticked)
    assert not Idea.objects.filter(state="declined").exists()
    curator.post(QUEUE, {**ticked, "reason": "later", "text": "Next year."})
    assert Idea.objects.filter(state="declined", decided_reason="later").count() == 2


def test_nobody_decides_on_ideas_of_another_region(client, chain, regional):
    idea = IdeaFactory(unit=chain.nice)
    client.force_login(regional)
    client.post(QUEUE, {"one": f"idea:{idea.pk}:review"})
    idea.refresh_from_db()
    assert idea.state == "new"


@pytest.mark.parametrize("entry", ["idea:x:review", "idea:1", "nonsense", "label:1:decline", "idea:9:merge", ""])
def test_a_decision_that_is_none_is_refused(curator, entry):
    assert curator.post(QUEUE, {"one": entry}).status_code == 302


def test_each_kind_is_decided_in_place(curator, chain, lead):
    grow(chain)
    held = Idea.objects.get(let_in_at=None)
    asked, due = ChangeRequest.objects.get(), Solution.objects.get(review_due_on="2024-01-01")
    page = queue_page(person=person_of(lead), number=None, at=NOW)
    for item in page.object_list:
        code = item.decisions[0].code if item.kind != "change" else "decline"
        curator.post(QUEUE, {"one": f"{item.key}:{code}", "text": "Not now."})
    held.refresh_from_db()
    asked.refresh_from_db()
    due.refresh_from_db()
    assert held.is_public
    assert asked.state == "declined"
    assert due.reviewed_on is not None
    assert LookAlike.objects.get().state == "dismissed"
    assert Alias.objects.get().challenge.name == "Long wait"
    assert UnmappedSolution.objects.get().is_ignored
    assert set(kinds(lead)) <= {"idea", "held"}


def test_a_dismissed_pair_is_never_shown_again(curator, lead):
    pair = LookAlikeFactory()
    address = reverse("curation:look-alike", args=[pair.pk])
    assert curator.get(address).status_code == 200
    curator.post(address, {"do": "apart"})
    assert curator.get(address).status_code == 404
    assert kinds(lead) == []


def test_the_solution_that_stays_takes_over_links_places_and_aliases(curator, lead, staff):
    pair = LookAlikeFactory()
    keep, gone = pair.solution, pair.other_solution
    SolutionVersionFactory(solution=keep)
    version = SolutionVersionFactory(solution=gone)
    used = ActionSolutionFactory(version=version)
    link = SolutionLinkFactory(solution=gone, rationale="Because.")
    shared = SolutionLinkFactory(solution=gone, rationale="Theirs.")
    SolutionLinkFactory(solution=keep, challenge=shared.challenge, rationale="Ours.")
    both, one = PlaybookFactory(), PlaybookFactory()
    PlaybookSolutionFactory(playbook=both, solution=keep, position=1)
    PlaybookSolutionFactory(playbook=both, solution=gone, position=2)
    PlaybookSolutionFactory(playbook=one, solution=gone, position=1)
    SolutionAliasFactory(solution=gone, label="other name")
    curator.post(reverse("curation:look-alike", args=[pair.pk]), {"do": "first"})
    gone.refresh_from_db()
    used.refresh_from_db()
    assert (gone.status, gone.replaced_by, used.version.solution) == ("retired", keep, gone)
    assert SolutionLink.objects.get(solution=keep, challenge=link.challenge).rationale == "Because."
    assert SolutionLink.objects.get(solution=keep, challenge=shared.challenge).rationale == "Ours."
    assert {found.code for found in Playbook.objects.filter(steps__solution=keep)} == {both.code, one.code}
    assert SolutionAlias.objects.get().solution == keep
    assert keep.title in curator.get(reverse("library:solution", args=[gone.code])).content.decode()
    assert AuditEvent.objects.filter(event="library.solution.replaced", actor=lead).count() == 1
    with pytest.raises(ReplacementNotPossible):
        replace_solution(solution=gone, by=keep, actor=lead)
    assert publish_solution(solution=gone, actor=lead).replaced_by is None


def test_two_ideas_are_joined_with_their_votes(curator, chain):
    first, second = IdeaFactory(unit=chain.lille), IdeaFactory(unit=chain.nice)
    pair = LookAlikeFactory(kind="ideas", solution=None, other_solution=None, idea=first, other_idea=second)
    curator.post(reverse("curation:look-alike", args=[pair.pk]), {"do": "second"})
    first.refresh_from_db()
    pair.refresh_from_db()
    assert (first.merged_into, pair.state) == (second, "settled")


def test_a_held_idea_of_another_region_is_not_laid_open(client, chain, regional):
    ours, theirs = IdeaFactory(unit=chain.lille), IdeaFactory(unit=chain.nice, let_in_at=None)
    pair = LookAlikeFactory(kind="ideas", solution=None, other_solution=None, idea=ours, other_idea=theirs)
    client.force_login(regional)
    assert client.get(reverse("curation:look-alike", args=[pair.pk])).status_code == 404


def test_an_idea_that_a_solution_serves_is_answered(curator, chain):
    pair = LookAlikeFactory(kind="mixed", other_solution=None, idea=IdeaFactory(unit=chain.lille))
    curator.post(reverse("curation:look-alike", args=[pair.pk]), {"do": "answered"})
    pair.idea.refresh_from_db()
    assert pair.idea.decided_reason == "in_use"
    assert pair.solution.code in pair.idea.decided_text
