"""Where there is no number the page says why, in words a manager understands, and what would change it."""

import re
from datetime import timedelta

import numpy as np
import pytest
from django.urls import reverse
from django.utils import translation

from apps.accounts.models import Role
from apps.feedback.models import Cell, Series
from apps.impact.models import Effect, RankedSolution, Run
from apps.impact.services import measure_stale
from apps.planning.models import Action, ActionSolution
from tests.factories import (
    ChallengeFactory,
    JourneyFactory,
    MembershipFactory,
    MetricFactory,
    SolutionFactory,
    SolutionLinkFactory,
    SolutionVersionFactory,
    TouchpointFactory,
    UnitFactory,
    UserFactory,
)
from tests.impact.small_chain import START, add_cells, apply

pytestmark = pytest.mark.django_db
WEEKS = 44
AS_OF = START + timedelta(weeks=WEEKS, days=-1)
# Words that would put the blame on somebody.
BLAME = re.compile(r"\b(fault|failed to|you should have|neglect\w*|faute|négligé\w*)\b", re.IGNORECASE)


class Place:
    """A chain under construction: units with answers every week, and solutions to apply in them."""

    def __init__(self, units=44, weeks=WEEKS, spread=0.4):
        self.rng = np.random.default_rng(3)
        self.root = UnitFactory(code="CHAIN", kind="chain")
        self.units = [
            UnitFactory(code=f"U{i:02}", kind="city", region="West", parent=self.root) for i in range(units)
        ]
        self.metric = MetricFactory(
            code="counter", name="Counter", touchpoint=TouchpointFactory(journey=JourneyFactory())
        )
        self.challenge = ChallengeFactory(code="queue", metric=self.metric)
        self.versions = []
        for index in range(5):
            version = SolutionVersionFactory(solution=SolutionFactory(code=f"s{index}", lag_days=0), lag_days=0)
            SolutionLinkFactory(challenge=self.challenge, solution=version.solution)
            self.versions.append(version)
        self.level = 7.5 + self.rng.normal(0, spread, (units, weeks))

    def act(self, unit, week, *solutions, lift=0.0):
        action = apply(self.units[unit], self.challenge, self.versions[solutions[0]], week)
        for other in solutions[1:]:
            ActionSolution.objects.create(action=action, version=self.versions[other])
        self.level[unit, week:] += lift
        return action

    def measured(self, as_of=AS_OF, silent=None):
        """Fill in the answers and measure; nobody answers in the unit `silent`."""
        add_cells(self.metric, self.units, self.level, self.rng)
        if silent is not None:
            Cell.objects.filter(unit=self.units[silent]).delete()
        measure_stale(as_of=as_of)
        return self


def reason_of(action):
    return Effect.objects.on_target().get(action=action).reason


@pytest.fixture
def read(client):
    """The page's text for a lead, in both languages."""

    def get(place, name, argument):
        pages = []
        for language in ("en", "fr"):
            user = UserFactory(language=language)
            MembershipFactory(user=user, unit=place.root, role=Role.LEAD)
            client.force_login(user)
            response = client.get(reverse(name, args=[argument]))
            assert response.status_code == 200
            text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))
            assert "%(" not in text
            assert not BLAME.search(text)
            pages.append(text)
        translation.activate("en")
        return pages[0]

    return get


def test_each_action_without_a_number_says_why_and_what_would_change_it(read):
    place = Place()
    uses = [place.act(unit, 12 + unit, 0, lift=1.2) for unit in range(6)]
    uses += [place.act(unit, 8 + unit, 1) for unit in range(6, 12)]
    early = place.act(12, 2, 0)
    short = place.act(13, 6, 0, lift=1.2)
    silent = place.act(14, 15, 0)
    stopped = place.act(15, 15, 0)
    Action.objects.filter(pk=stopped.pk).update(
        state="stopped", ended_on=stopped.effective_on + timedelta(weeks=4), stop_reason="moved"
    )
    first, second = place.act(16, 14, 0), place.act(16, 19, 1)
    recent = place.act(17, 38, 0)
    place.measured()
    # No answers in the weeks that count.
    Cell.objects.filter(unit=place.units[14], week__gte=START + timedelta(weeks=17)).delete()
    Series.objects.filter(unit=place.units[14]).update(revision=99)
    measure_stale(as_of=AS_OF)

    assert "estimated" in {Effect.objects.on_target().get(action=use).status for use in uses}
    for action, reason, title, remedy in (
        (early, "no_baseline", "No picture of before", "Import older answers of this unit"),
        (silent, "too_few_answers", "Too few answers", "30 more answers would do"),
        (stopped, "ended_early", "Ended before it could be judged", "about fifteen weeks next time"),
        (first, "shared_window", "Several actions at the same time", "Leave about three months between"),
        (second, "shared_window", "Several actions at the same time", "use them apart elsewhere"),
        (recent, "too_early", "Too early to say", "2 weeks more: known about Monday 20 November 2023"),
    ):
        assert reason_of(action) == reason, action
        text = read(place, "impact:action-effect", action.external_id)
        assert title in text
        assert remedy in text
    assert "short_baseline" in Effect.objects.on_target().get(action=short).flags
    assert "Short time before" in read(place, "impact:action-effect", short.external_id)


def test_a_launch_everywhere_at_once_has_nothing_to_compare_with(read):
    place = Place(units=24)
    actions = [place.act(unit, 15, unit % 2) for unit in range(20)]
    place.measured()
    assert {reason_of(action) for action in actions} == {"no_comparison"}
    text = read(place, "impact:action-effect", actions[0].external_id)
    assert "Comparison unhealthy" in text
    assert "6 units more that did nothing in these weeks would have been enough" in text
    assert "let the others follow eight weeks later" in text


def test_a_unit_that_swings_too_much_can_not_be_judged_alone(read):
    place = Place(units=40, spread=1.5)
    actions = [place.act(unit, 10 + unit, unit % 3) for unit in range(12)]
    place.measured()
    noisy = [action for action in actions if reason_of(action) == "too_noisy"]
    assert noisy
    text = read(place, "impact:action-effect", noisy[0].external_id)
    assert "This unit alone can’t tell" in text
    assert "the same solution in more units, will tell" in text


def test_solutions_that_can_not_be_ranked_say_why(read):
    place = Place(spread=1.0)
    for unit in range(8):
        place.act(unit, 10 + unit, 0, lift=1.0)
        place.act(unit + 10, 10 + unit, 1, 2, lift=0.8)
    place.act(20, 36, 3)
    place.measured()
    rows = {row.solution.code: row for row in RankedSolution.objects.filter(context="")}
    assert rows["s1"].reason == rows["s2"].reason == "always_together"
    assert rows["s4"].reason == "never_used"
    assert rows["s3"].rank is None
    text = read(place, "impact:challenge-ranking", "queue")
    assert "Always used together" in text
    assert "Use one without the other somewhere" in text
    assert "Be the first to measure it" in text
    assert "Two or three more uses, in other units, will tell" in text


@pytest.mark.parametrize(
    ("units", "weeks", "reason", "said"),
    [
        (10, 44, "network_too_small", "Still needed: 5 units more of answers"),
        (20, 12, "network_too_small", "Still needed: 8 weeks more of answers"),
    ],
)
def test_too_small_a_chain_says_what_is_missing(read, units, weeks, reason, said):
    place = Place(units=units, weeks=weeks)
    action = place.act(0, 5, 0)
    place.measured(as_of=START + timedelta(weeks=weeks, days=-1))
    assert reason_of(action) == reason
    assert said in read(place, "impact:action-effect", action.external_id)
    assert said in read(place, "impact:challenge-ranking", "queue")


def test_a_score_that_never_moves_teaches_nothing(read):
    place = Place(units=20)
    action = place.act(0, 12, 0)
    place.measured()
    Cell.objects.update(total=150, squares=1125, n=20)
    Series.objects.update(revision=99)
    measure_stale(as_of=AS_OF)
    assert Run.objects.filter(metric=place.metric, state="finished").latest("pk").reason == "constant"
    assert "Check how the metric is scored" in read(place, "impact:action-effect", action.external_id)


def test_an_outcome_without_actions_or_answers_says_so(read):
    place = Place(units=20).measured()
    assert "Be the first to measure it" in read(place, "impact:challenge-ranking", "queue")
    place.challenge.metric = None
    place.challenge.save()
    text = read(place, "impact:challenge-ranking", "queue")
    assert "No outcome to measure" in text
    assert "Ask your CX lead to choose an outcome metric" in text


def test_actions_on_an_outcome_nobody_answered_wait_for_answers(read):
    place = Place(units=20)
    action = place.act(0, 12, 0)
    measure_stale(as_of=AS_OF)
    assert reason_of(action) == "no_answers"
    assert "Import answers for this metric" in read(place, "impact:action-effect", action.external_id)
