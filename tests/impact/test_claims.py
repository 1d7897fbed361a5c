"""What was claimed when is kept, and judged by what came after."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from apps.impact.claims import judge_claims, keep_claims, moved_claims, says_more
from apps.impact.models import ActionClaim, Effect, RankedSolution, SolutionClaim
from apps.impact.services import measure_stale
from apps.impact.words import action_verdict
from tests.factories import (
    ActionFactory,
    ActionSolutionFactory,
    EffectFactory,
    RunFactory,
    SolutionVersionFactory,
)
from tests.impact.small_chain import AS_OF, measured_chain
from tests.impact_factories import ActionClaimFactory, SolutionClaimFactory

pytestmark = pytest.mark.django_db
CLAIMED = date(2024, 6, 3)


@pytest.fixture
def measured():
    return measured_chain()


def use(claim, version, *, days, effect, se=1.0, beside=None):
    """An action that used the claimed solution, with its raw effect."""
    action = ActionFactory(effective_on=claim.as_of + timedelta(days=days))
    for each in (version, beside):
        if each is not None:
            ActionSolutionFactory(action=action, version=each)
    EffectFactory(
        action=action, metric=claim.metric, run=RunFactory(metric=claim.metric), raw_effect=effect, raw_se=se
    )


@pytest.fixture
def claimed():
    version = SolutionVersionFactory()
    return SolutionClaimFactory(solution=version.solution, heterogeneity=0.0, as_of=CLAIMED), version


def test_a_measurement_writes_down_what_it_says(measured):
    said = {(claim.solution_id, claim.verdict) for claim in SolutionClaim.objects.filter(metric=measured.metric)}
    shown = RankedSolution.objects.filter(
        context="", metric=measured.metric, effect__isnull=False, action_count__gt=0
    )
    assert said == {(row.solution_id, row.verdict) for row in shown}
    for claim in ActionClaim.objects.all():
        effect = Effect.objects.get(action=claim.action_id, metric=claim.metric_id)
        assert (claim.p_positive, claim.as_of) == (effect.p_positive, AS_OF)
        assert claim.verdict == action_verdict(effect.status, effect.p_positive)
    assert ActionClaim.objects.count() == Effect.objects.on_target().filter(effect__isnull=False).count()


def test_the_same_said_again_is_not_written_again(measured):
    before = SolutionClaim.objects.count(), ActionClaim.objects.count()
    measure_stale(as_of=AS_OF + timedelta(days=1), everything=True)
    on_the_day = SolutionClaim.objects.filter(as_of=AS_OF).count(), ActionClaim.objects.filter(as_of=AS_OF).count()
    assert on_the_day == before
    later = SolutionClaim.objects.filter(as_of__gt=AS_OF)
    for claim in later:
        first = SolutionClaim.objects.get(solution=claim.solution_id, metric=claim.metric_id, as_of=AS_OF)
        assert says_more(first, claim)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"effect": 4.3, "low": 2.3, "high": 6.3}, False),
        ({"effect": 4.5}, True),
        ({"low": 1.0}, True),
        ({"high": 5.5}, True),
        ({"verdict": "likely_works"}, True),
    ],
)
def test_another_claim_is_another_verdict_or_a_number_that_moved(changes, expected):
    assert says_more(SolutionClaimFactory.build(), SolutionClaimFactory.build(**changes)) is expected


def test_only_what_changed_is_written_and_a_day_has_one_claim(claimed):
    claim, _ = claimed
    again = SolutionClaimFactory.build(solution=claim.solution, metric=claim.metric, as_of=date(2024, 7, 1))
    assert keep_claims([again], []) == 0
    again.verdict = "unknown"
    assert keep_claims([again], []) == 1
    corrected = SolutionClaimFactory.build(solution=claim.solution, metric=claim.metric, as_of=date(2024, 7, 1))
    corrected.made_at = timezone.now()
    assert keep_claims([corrected], []) == 1
    said = SolutionClaim.objects.order_by("as_of").values_list("as_of", "verdict")
    assert list(said) == [(CLAIMED, "works"), (date(2024, 7, 1), "works")]


def test_a_claim_about_the_past_leaves_later_ones_alone(claimed):
    claim, _ = claimed
    past = SolutionClaimFactory.build(
        solution=claim.solution, metric=claim.metric, as_of=date(2024, 1, 1), verdict="unknown"
    )
    assert keep_claims([past], []) == 1
    claim.refresh_from_db()
    assert claim.verdict == "works"


def test_a_claim_is_judged_by_later_uses_of_the_solution_alone(claimed):
    claim, version = claimed
    use(claim, version, days=-1, effect=-100.0)
    use(claim, version, days=10, effect=100.0, beside=SolutionVersionFactory())
    assert judge_claims(made_by=CLAIMED) == []
    use(claim, version, days=10, effect=1.0, se=1.0)
    use(claim, version, days=20, effect=3.0, se=1.0)
    judged = judge_claims(made_by=CLAIMED)[0]
    assert (judged.later_uses, judged.later_effect) == (2, 2.0)
    assert judged.later_se == pytest.approx(0.5**0.5)
    assert judged.is_kept
    assert judged.is_inside
    assert 0.999 < judged.kept_chance < 1


def test_a_claim_that_does_not_hold_up_says_so(claimed):
    claim, version = claimed
    use(claim, version, days=10, effect=-3.0, se=1.0)
    judged = judge_claims(made_by=CLAIMED)[0]
    assert not judged.is_kept
    assert not judged.is_inside
    assert judged.later_low < judged.later_effect < judged.later_high < claim.low


def test_the_newest_claim_before_the_day_is_judged(claimed):
    claim, version = claimed
    SolutionClaimFactory(
        solution=claim.solution, metric=claim.metric, as_of=date(2024, 8, 1), verdict="unknown", heterogeneity=0.0
    )
    use(claim, version, days=100, effect=3.0)
    assert judge_claims(made_by=date(2024, 7, 31))[0].verdict == "works"
    assert judge_claims(made_by=date(2024, 8, 1))[0].verdict == "unknown"
    assert judge_claims(made_by=date(2024, 1, 1)) == []


def test_what_was_first_said_of_an_action_stands_beside_the_newest():
    first = ActionClaimFactory(p_positive=0.9)
    ActionClaimFactory(action=first.action, metric=first.metric, as_of=date(2024, 9, 2), p_positive=0.7)
    moved = moved_claims(made_by=CLAIMED)[0]
    assert (moved.first_p, moved.last_p, moved.last_on) == (0.9, 0.7, date(2024, 9, 2))
    assert moved_claims(made_by=date(2024, 1, 1)) == []


def test_queries_do_not_grow_with_the_claims(django_assert_num_queries):
    for number in range(3):
        version = SolutionVersionFactory()
        claim = SolutionClaimFactory(solution=version.solution, as_of=CLAIMED)
        use(claim, version, days=number + 1, effect=1.0)
        ActionClaimFactory()
    with django_assert_num_queries(2):
        assert len(judge_claims(made_by=CLAIMED)) == 3
    with django_assert_num_queries(1):
        assert len(moved_claims(made_by=CLAIMED)) == 3
