"""A chain that is new here gets a history of claims, each from what was known on its day."""

from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest
from django.urls import reverse

from apps.accounts.models import AuditEvent, Role
from apps.core.periods import weeks_between
from apps.feedback.models import Cell
from apps.impact import hindsight
from apps.impact.claims import judge_claims
from apps.impact.models import Effect, RankedSolution, Run, SolutionClaim
from apps.impact.panel import read_metric
from apps.impact.services import measure_stale
from apps.impact.stats.data import Settings
from apps.planning.models import Action
from tests.factories import MembershipFactory, UserFactory
from tests.impact.small_chain import AS_OF, START, WEEKS, measured_chain

pytestmark = pytest.mark.django_db
NOW = datetime.combine(AS_OF, time(12), tzinfo=UTC)
# The chain has data of 44 weeks, so that a day 26 weeks earlier knows too few; this one is asked for by hand.
DAY = START + timedelta(weeks=30, days=-1)


@pytest.fixture
def chain():
    return measured_chain()


def recall(day=DAY):
    return hindsight.recall_claims(as_of=day, made_at=NOW)


def past_claims():
    return SolutionClaim.objects.filter(as_of=DAY)


def test_claims_of_the_day_are_kept_and_results_of_today_stay(chain):
    before = (
        list(Effect.objects.order_by("pk").values()),
        list(RankedSolution.objects.order_by("pk").values()),
        list(Run.objects.order_by("pk").values()),
    )
    assert recall() > 0
    assert set(past_claims().values_list("metric__code", flat=True)) == {chain.metric.code}
    assert before == (
        list(Effect.objects.order_by("pk").values()),
        list(RankedSolution.objects.order_by("pk").values()),
        list(Run.objects.order_by("pk").values()),
    )


def test_nothing_that_came_later_goes_into_a_claim(chain):
    recall()
    said = list(past_claims().order_by("pk").values_list("solution", "verdict", "effect", "low", "high"))
    Cell.objects.filter(week__gt=DAY).update(mean=1.0)
    Action.objects.filter(effective_on__gt=DAY).update(effective_on=DAY + timedelta(days=1))
    Action.objects.filter(effective_on__lte=DAY).update(ended_on=DAY + timedelta(days=3))
    SolutionClaim.objects.all().delete()
    recall()
    assert said == list(past_claims().order_by("pk").values_list("solution", "verdict", "effect", "low", "high"))


def test_what_ended_later_still_runs_and_what_began_later_is_unknown(chain):
    first = chain.actions[0]
    Action.objects.filter(pk=first.pk).update(ended_on=DAY + timedelta(weeks=2))
    data = hindsight.up_to(read_metric(metric=chain.metric, as_of=DAY), DAY)
    assert {log.pk for log in data.logs} == set(
        Action.objects.filter(effective_on__lte=DAY).values_list("pk", flat=True)
    )
    assert data.actions.count == len(data.logs)
    assert np.all(data.actions.end > data.panel.weeks)


def test_a_claim_made_in_hindsight_is_judged_and_marked(chain, client):
    SolutionClaim.objects.all().delete()
    day = START + timedelta(weeks=21, days=-1)
    recall(day)
    judged = judge_claims(made_by=AS_OF)
    assert judged
    assert all(claim.is_hindsight for claim in judged)
    user = UserFactory()
    MembershipFactory(user=user, unit=chain.root, role=Role.LEAD)
    client.force_login(user)
    SolutionClaim.objects.update(as_of=AS_OF - timedelta(weeks=40))
    page = client.get(reverse("impact:calibration")).content.decode()
    assert "these claims were worked out since" in page


def test_days_follow_one_another_once_all_is_measured(chain):
    days = []
    while (day := hindsight.day_to_recall(now=NOW)) is not None:
        assert day.isoweekday() == 7
        days.append(day)
        recall(day)
    assert [weeks_between(day, AS_OF) - 1 for day in days] == [52, 39, 26]
    assert AuditEvent.objects.filter(event=hindsight.RECALLED).count() == 3


def test_today_is_measured_before_the_past(chain):
    assert hindsight.day_to_recall(now=NOW) is not None
    Cell.objects.update(mean=5.0)
    chain.metric.better = "lower" if chain.metric.better == "higher" else "higher"
    chain.metric.save()
    assert hindsight.day_to_recall(now=NOW) is None
    measure_stale(as_of=AS_OF)
    assert hindsight.day_to_recall(now=NOW) is not None


def test_nothing_is_recalled_before_anything_was_measured(db):
    assert hindsight.day_to_recall(now=NOW) is None


def test_too_short_a_history_is_noted_and_not_asked_again(chain):
    day = START + timedelta(weeks=3, days=-1)
    assert recall(day) == 0
    assert AuditEvent.objects.filter(event=hindsight.RECALLED, data__as_of=day.isoformat()).exists()
    assert WEEKS > 3


def test_what_breaks_is_told_once(chain):
    broken = Settings(draws=-1)
    with pytest.raises(ValueError):  # noqa: PT011 -- numpy's own words
        hindsight.recall_claims(as_of=DAY, made_at=NOW, settings=broken)
    event = AuditEvent.objects.get(event=hindsight.RECALLED)
    assert "error" in event.data
