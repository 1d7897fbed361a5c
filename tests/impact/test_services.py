"""Measuring: what is kept, when it is stale, and that two runs never meet."""

import json
import math
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.impact import services
from apps.impact.models import Effect, RankedSolution, Run, SideEffect
from apps.impact.portions import series_of
from apps.impact.services import MeasurementBusy, MeasurementFailed, measure_metric, measure_stale
from apps.impact.staleness import due_metrics, metric_fingerprint, stale_metrics
from apps.planning.models import Action
from tests.factories import (
    ActionFactory,
    ChallengeFactory,
    EventFactory,
    SolutionLinkFactory,
    SolutionVersionFactory,
)
from tests.impact.small_chain import AS_OF, apply, build_small_chain, measured_chain

pytestmark = pytest.mark.django_db


@pytest.fixture
def small():
    return build_small_chain()


@pytest.fixture
def measured():
    return measured_chain()


def everything():
    """All results, without what differs from run to run by nature."""
    effects = Effect.objects.order_by("action_id", "metric_id")
    ranked = RankedSolution.objects.order_by("challenge_id", "solution_id", "context").values()
    rows = (*effects.values(), *ranked, *(series_of(effect) or {} for effect in effects))
    return [{k: v for k, v in row.items() if k not in {"id", "run_id"}} for row in rows]


def stale_codes(as_of=AS_OF):
    return {item.code for item in stale_metrics(as_of)}


def test_every_action_has_a_row_and_every_number_its_interval(measured):
    target = Effect.objects.on_target()
    assert {effect.action_id for effect in target} == {action.pk for action in measured.actions}
    for effect in Effect.objects.all():
        if effect.status == Effect.Status.ESTIMATED:
            assert effect.low < effect.effect < effect.high
            assert not effect.reason
        else:
            assert effect.reason
            assert effect.effect is None
        assert (effect.known_on is not None) == (effect.status == Effect.Status.TOO_EARLY)
    assert target.filter(status=Effect.Status.ESTIMATED).exists()


def test_the_useful_solution_is_found(measured):
    ranked = RankedSolution.objects.filter(challenge=measured.challenge, context="")
    best, unused = ranked.get(solution=measured.solutions[0]), ranked.get(solution=measured.unused)
    assert best.effect == max(row.effect for row in ranked if row.effect is not None and row.action_count)
    assert best.low < 1.2 < best.high
    assert best.p_positive > 0.95
    assert best.action_count == 3
    assert unused.rank is None
    assert unused.evidence == 0
    assert unused.reason == "never_used"


def test_kinds_of_unit_have_their_own_ranking(measured):
    contexts = set(RankedSolution.objects.values_list("context", flat=True))
    assert contexts == {"", "city", "airport"}
    for context in contexts:
        assert RankedSolution.objects.filter(context=context).count() == 5
    city = RankedSolution.objects.get(context="city", solution=measured.solutions[0])
    assert city.context_count == 3  # used in the units 0, 4 and 8, all in the city
    assert RankedSolution.objects.get(context="airport", solution=measured.solutions[0]).context_count == 0


def test_side_effects_reach_the_ranking(measured):
    side = SideEffect.objects.get(solution=measured.solutions[0], metric=measured.later)
    assert side.effect < 0
    row = RankedSolution.objects.get(solution=measured.solutions[0], context="")
    assert [entry["metric"] for entry in row.side_effects] == ["fees"]
    is_harm = row.side_effects[0]["is_harm"]
    assert row.verdict == (
        "trade_off" if is_harm and row.own_verdict in ("works", "likely_works") else row.own_verdict
    )


def test_the_weekly_series_is_json_and_only_for_targets_with_an_estimate(measured):
    drawn = {effect: series for effect in Effect.objects.all() if (series := series_of(effect)) is not None}
    for effect, series in drawn.items():
        assert effect.role == Effect.Role.TARGET
        text = json.dumps(series, allow_nan=False)
        assert "NaN" not in text
        lengths = {len(series[name]) for name in ("week", "observed", "counterfactual", "low", "high", "n")}
        assert len(lengths) == 1
        assert lengths.pop() > 20
    assert len(drawn) == Effect.objects.on_target().filter(status=Effect.Status.ESTIMATED).count() > 0


def test_no_stored_number_is_without_value(measured):
    for row in everything():
        for value in row.values():
            assert not isinstance(value, float) or math.isfinite(value)


def test_measuring_again_changes_nothing(measured):
    before, runs = everything(), Run.objects.count()
    assert measure_stale(as_of=AS_OF) == []
    assert Run.objects.count() == runs
    measure_stale(as_of=AS_OF, everything=True)
    assert everything() == before
    assert Run.objects.filter(state=Run.State.FINISHED).count() == 2 * runs


def test_a_run_is_traced_and_audited(measured):
    run = measure_metric(metric=measured.metric, as_of=AS_OF, again=True, actor=None)
    assert run.state == Run.State.FINISHED
    assert run.fingerprint == metric_fingerprint(measured.metric, AS_OF)
    assert (run.unit_count, run.week_count, run.action_count) == (26, 44, 12)
    assert run.noise["rho"] > 0
    assert run.checks
    assert run.benchmark["level"] > 7
    assert AuditEvent.objects.about(run).get().event == "impact.metric.measured"


def test_nothing_is_stale_after_measuring(measured):
    assert stale_codes() == set()


def test_a_corrected_answer_makes_its_metric_stale(measured):
    connection.cursor().execute(
        "UPDATE feedback_series SET revision = revision + 1 WHERE metric_id = %s AND unit_id = %s",
        [measured.later.pk, measured.units[0].pk],
    )
    assert stale_codes() == {"fees"}


def test_a_new_action_makes_its_metric_and_those_downstream_stale(measured):
    version = measured.solutions[0].versions.get()
    apply(measured.units[-1], measured.challenge, version, 20)
    assert stale_codes() == {"counter", "fees"}


def test_an_action_downstream_leaves_metrics_upstream_alone(measured):
    ActionFactory(unit=measured.units[0], challenge=ChallengeFactory(metric=measured.later))
    assert stale_codes() == {"fees"}


def test_a_planned_action_changes_nothing(measured):
    ActionFactory(
        unit=measured.units[0], challenge=measured.challenge, state=Action.State.PLANNED, effective_on=None
    )
    assert stale_codes() == set()


@pytest.mark.parametrize("field", ["effective_on", "ended_on"])
def test_a_corrected_date_makes_results_stale(measured, field):
    action = measured.actions[0]
    setattr(action, field, action.effective_on + timedelta(days=30))
    action.save()
    assert stale_codes() == {"counter", "fees"}


def test_an_event_makes_results_stale(measured):
    EventFactory(unit=measured.units[0])
    assert stale_codes() == {"counter", "fees"}


def test_a_new_link_makes_its_ranking_stale(measured):
    SolutionLinkFactory(challenge=measured.challenge, solution=SolutionVersionFactory().solution)
    assert stale_codes() == {"counter"}


def test_a_new_week_makes_everything_stale(measured):
    assert stale_codes(AS_OF + timedelta(days=1)) == {"counter", "fees"}


def test_a_removed_action_takes_its_effects_along(measured):
    action = measured.actions[0]
    action.state = Action.State.PLANNED
    action.save()
    measure_stale(as_of=AS_OF)
    assert not Effect.objects.filter(action=action).exists()


def test_a_challenge_that_changes_its_outcome_moves_its_ranking(measured):
    measured.challenge.metric = measured.later
    measured.challenge.save()
    measure_stale(as_of=AS_OF)
    assert set(RankedSolution.objects.values_list("metric", flat=True)) == {measured.later.pk}
    assert stale_codes() == set()


def test_a_run_that_was_cut_off_is_closed_and_redone(small):
    dead = Run.objects.create(metric=small.metric, method="x", fingerprint="0" * 64, as_of=AS_OF)
    run = measure_metric(metric=small.metric, as_of=AS_OF)
    dead.refresh_from_db()
    assert (dead.state, dead.error) == (Run.State.FAILED, "cut off")
    assert run.state == Run.State.FINISHED


def test_a_computation_that_breaks_leaves_the_old_results_and_rests(measured, monkeypatch):
    before = everything()

    def broken(*args, **kwargs):
        raise ArithmeticError("singular")

    # The engine is the only thing replaced: there is no input that breaks it.
    monkeypatch.setattr(services.engine, "fit_metric", broken)
    EventFactory(unit=measured.units[0])
    with pytest.raises(MeasurementFailed, match="singular"):
        measure_metric(metric=measured.metric, as_of=AS_OF)
    assert everything() == before
    assert Run.objects.order_by("-pk").first().state == Run.State.FAILED
    now = timezone.now()
    assert {item.code for item in due_metrics(as_of=AS_OF, now=now)} == {"fees"}
    assert {item.code for item in due_metrics(as_of=AS_OF, now=now + timedelta(hours=1))} == {"counter", "fees"}


def test_a_metric_without_actions_has_its_solutions_unranked(small):
    Action.objects.all().delete()
    run = measure_metric(metric=small.metric, as_of=AS_OF)
    assert run.reason == "nothing_logged"
    assert set(RankedSolution.objects.values_list("rank", "effect", "evidence")) == {(None, None, 0)}


def test_a_small_network_is_refused_for_every_action(small):
    connection.cursor().execute(
        "DELETE FROM feedback_cell WHERE unit_id <> ALL(%s)", [[unit.pk for unit in small.units[:6]]]
    )
    run = measure_metric(metric=small.metric, as_of=AS_OF)
    assert run.reason == "network_too_small"
    assert set(Effect.objects.values_list("reason", flat=True)) == {"network_too_small"}


@pytest.mark.django_db(transaction=True)
def test_two_runs_of_a_metric_never_overlap(small):
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s::int)", [services.LOCK_METRIC, small.metric.pk])
        with pytest.raises(MeasurementBusy):
            measure_metric(metric=small.metric, as_of=AS_OF)
        assert measure_metric(metric=small.later, as_of=AS_OF).state == Run.State.FINISHED
    finally:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s::int)", [services.LOCK_METRIC, small.metric.pk])
        other.close()
    assert measure_metric(metric=small.metric, as_of=AS_OF).state == Run.State.FINISHED


def test_each_ranked_pair_has_its_chance():
    measured_chain()
    rows = {row.solution_id: row for row in RankedSolution.objects.filter(context="", rank__isnull=False)}
    assert len(rows) > 1
    for one, row in rows.items():
        assert set(row.better) == {str(other) for other in rows if other != one}
        for other, chance in row.better.items():
            assert chance + rows[int(other)].better[str(one)] == pytest.approx(1.0, abs=1e-3)
