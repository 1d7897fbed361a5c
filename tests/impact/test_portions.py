"""The weeks around an action are drawn when somebody asks, as they were measured."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.impact.models import Effect, Portion, Run
from apps.impact.panel import read_metric
from apps.impact.portions import PORTION_UNITS, series_of, week_lists
from apps.impact.services import measure_metric
from apps.impact.stats.data import DEFAULTS
from apps.impact.stats.fit import counterfactual, fit_metric
from tests.impact.small_chain import AS_OF, build_small_chain

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain():
    chain = build_small_chain()
    measure_metric(metric=chain.metric, as_of=AS_OF)
    return chain


def drawn_at_once(chain):
    """The weeks as they come out of a whole fit, by action."""
    data = read_metric(metric=chain.metric, as_of=AS_OF)
    fit = fit_metric(data.panel, data.actions)
    found = {}
    for index, log in enumerate(data.logs):
        result = fit.actions[index]
        if result.status == "estimated" and result.role == "target":
            start = int(data.actions.start[index])
            found[log.pk] = week_lists(
                counterfactual(fit, data.panel, index),
                start=start,
                counts_from=start + DEFAULTS.ramp_weeks + int(data.actions.lag[index]),
                sign=chain.metric.sign,
                first_week=data.first_week,
            )
    return found


def drawn_later(metric):
    every = {effect.action_id: series_of(effect) for effect in Effect.objects.on_target().filter(metric=metric)}
    return {action: series for action, series in every.items() if series is not None}


def answer(chain, share):
    connection.cursor().execute(
        "UPDATE feedback_cell SET total = total * %s, squares = squares * %s WHERE metric_id = %s",
        [share, share * share, chain.metric.pk],
    )
    connection.cursor().execute(
        "UPDATE feedback_series SET revision = revision + 1 WHERE metric_id = %s", [chain.metric.pk]
    )


def test_what_is_drawn_later_is_what_the_fit_says_whoever_asks_first_and_in_any_order(chain, monkeypatch):
    wanted = drawn_at_once(chain)
    assert len(wanted) > 3
    assert drawn_later(chain.metric) == wanted
    effects = Effect.objects.filter(action__in=wanted).order_by("-action_id")
    assert {effect.action_id: series_of(effect) for effect in effects} == wanted
    monkeypatch.setattr("apps.impact.portions.PORTION_UNITS", 3)
    measure_metric(metric=chain.metric, as_of=AS_OF, again=True)
    assert Portion.objects.filter(part=Portion.Part.UNITS).count() > 3
    assert drawn_later(chain.metric) == wanted


def test_rows_that_changed_since_change_nothing_until_the_metric_is_measured_again(chain):
    before = drawn_later(chain.metric)
    answer(chain, 0.9)
    assert drawn_later(chain.metric) == before
    measure_metric(metric=chain.metric, as_of=AS_OF)
    after = drawn_later(chain.metric)
    assert after.keys() == before.keys()
    assert all(after[action]["observed"] != before[action]["observed"] for action in before)


def test_only_the_newest_run_keeps_portions_and_a_metric_that_loses_its_actions_keeps_none(chain):
    answer(chain, 0.9)
    newest = measure_metric(metric=chain.metric, as_of=AS_OF)
    assert set(Portion.objects.values_list("run", flat=True)) == {newest.pk}
    assert Portion.objects.filter(part=Portion.Part.UNITS).count() == -(-newest.unit_count // PORTION_UNITS)
    type(chain.actions[0]).objects.update(state="planned")
    assert measure_metric(metric=chain.metric, as_of=AS_OF).reason == "nothing_logged"
    assert not Portion.objects.exists()


def test_a_measurement_from_before_there_were_portions_keeps_its_weeks(chain):
    effect = Effect.objects.on_target().filter(portion__isnull=False).first()
    kept = {"week": ["2024-01-01"], "start": "2024-01-01"}
    Effect.objects.filter(pk=effect.pk).update(series=kept, portion=None)
    effect.refresh_from_db()
    assert series_of(effect) == kept


def test_portions_of_another_method_or_of_a_run_that_is_gone_draw_nothing(chain):
    effect = Effect.objects.on_target().filter(portion__isnull=False).first()
    rows = Portion.objects.filter(part=Portion.Part.COMMON)
    body = bytes(rows.get().body)
    rows.update(body=body.replace(b"joint-", b"other-"))
    assert series_of(effect) is None
    rows.update(body=body)
    assert series_of(effect) is not None
    Portion.objects.all().delete()
    assert series_of(effect) is None
    assert Run.objects.filter(pk=effect.run_id).exists()


def test_drawing_takes_two_queries(chain):
    effect = Effect.objects.on_target().filter(portion__isnull=False).first()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert series_of(effect)
    assert len(queries) == 2
