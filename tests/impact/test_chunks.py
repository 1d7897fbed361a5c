"""Work on units is shared out, and what comes out does not depend on how."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from apps.impact import chunks
from apps.impact.chunks import take_chunk
from apps.impact.models import Basis, Chunk, Effect, RankedSolution, Run, SideEffect
from apps.impact.portions import series_of
from apps.impact.selectors import waiting_chunks
from apps.impact.services import MeasurementFailed, measure_metric, measure_stale
from tests.factories import EventFactory
from tests.impact.small_chain import AS_OF, UNITS, build_small_chain

ROOT = Path(__file__).resolve().parents[2]
HELPER = """
import django; django.setup()
import time
from django.utils import timezone
from apps.impact.chunks import take_chunk
from apps.impact.models import Run
print("ready", flush=True)
done, end = 0, time.monotonic() + 120
while time.monotonic() < end and Run.objects.filter(state="finished").count() < 2:
    done += take_chunk(now=timezone.now())
    time.sleep(0.002)
print(done)
"""


def results():
    """All stored numbers, without what differs from run to run by nature."""
    order = {
        Effect: ("action_id", "metric_id"),
        SideEffect: ("metric_id", "solution_id"),
        RankedSolution: ("challenge_id", "solution_id", "context"),
    }
    rows = [row for model, names in order.items() for row in model.objects.order_by(*names).values()]
    found = [{name: value for name, value in row.items() if name not in {"id", "run_id"}} for row in rows]
    found += [dict(series_of(effect) or {}) for effect in Effect.objects.order_by("action_id", "metric_id")]
    noises = Run.objects.filter(state=Run.State.FINISHED).order_by("metric_id", "pk").values_list("noise", "start")
    return found, list(noises)


def forget():
    for model in (Effect, SideEffect, RankedSolution, Run, Basis):
        model.objects.all().delete()


def start(code, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "cxplan.settings", **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def asking(told, helpers):
    """Hears how many chunks there are, and waits until a helper has begun where there is one."""

    def ask(count):
        told.append(count)
        end = time.monotonic() + 60
        while helpers and not Chunk.objects.exclude(done_at=None).exists():
            assert time.monotonic() < end, "nobody helped"
            time.sleep(0.002)

    return ask


@pytest.mark.django_db(transaction=True)
def test_results_are_the_same_to_the_bit_whatever_the_chunks_and_whoever_works_on_them(settings):
    build_small_chain()
    told = []
    found = {}
    for size, helpers in ((250, 0), (50, 0), (7, 0), (7, 2)):
        forget()
        settings.IMPACT_CHUNK_UNITS = size
        others = [start(HELPER) for _ in range(helpers)]
        for other in others:
            assert other.stdout.readline() == "ready\n"
        measure_stale(as_of=AS_OF, ask=asking(told, helpers))
        found[size, helpers] = results()
        shared = sum(int(other.communicate(timeout=120)[0]) for other in others)
        assert bool(shared) == bool(helpers)
    assert len({str(one) for one in found.values()}) == 1
    assert found[250, 0][0]
    chunked = -(-UNITS // 7)
    assert told[0] == chunked
    assert not Chunk.objects.exists()


def answers_change(chain):
    with connection.cursor() as cursor:
        last = "week = (SELECT max(week) FROM feedback_cell)"
        cursor.execute(f"UPDATE feedback_cell SET total = total * 0.99, squares = squares * 0.99 WHERE {last}")
        cursor.execute("UPDATE feedback_series SET revision = revision + 1")


def an_action_moves(chain):
    action = chain.actions[0]
    type(action).objects.filter(pk=action.pk).update(effective_on=action.effective_on + timedelta(weeks=2))


def a_unit_changes_its_region(chain):
    type(chain.root).objects.filter(pk=chain.units[-1].pk).update(region="West", kind="station")


def a_unit_closes_for_a_while(chain):
    EventFactory(unit=chain.units[2], kind="closure", starts_on=AS_OF - timedelta(weeks=9), ends_on=AS_OF)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [answers_change, an_action_moves, a_unit_changes_its_region, a_unit_closes_for_a_while]
)
def test_a_refresh_is_to_the_bit_what_a_whole_measurement_on_the_same_basis_is(settings, change):
    chain = build_small_chain()
    measure_metric(metric=chain.metric, as_of=AS_OF)
    change(chain)
    before = results()
    measure_metric(metric=chain.metric, as_of=AS_OF)
    refreshed = results()
    assert refreshed != before
    for model in (Effect, SideEffect, RankedSolution, Run):
        model.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE moved ON COMMIT DROP AS SELECT * FROM feedback_cell ORDER BY random()")
        cursor.execute("DELETE FROM feedback_cell")
        names = "id, unit_id, metric_id, week, n, weight, weight_squares, total, squares"
        cursor.execute(f"INSERT INTO feedback_cell ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM moved")
    settings.IMPACT_CHUNK_UNITS = 7
    measure_metric(metric=chain.metric, as_of=AS_OF)
    whole = results()
    assert whole[0] == refreshed[0]
    assert whole[1][-1] == refreshed[1][-1]


@pytest.mark.django_db(transaction=True)
def test_a_chunk_whose_worker_is_killed_is_free_at_once(settings, monkeypatch):
    settings.IMPACT_CHUNK_UNITS = 7
    chain = build_small_chain()
    stuck = start(
        """
import django; django.setup()
import time
from django.utils import timezone
from apps.impact import chunks
chunks._work = lambda chunk: print("holding", flush=True) or time.sleep(600)
print("ready", flush=True)
while not chunks.take_chunk(now=timezone.now()):
    time.sleep(0.001)
"""
    )
    assert stuck.stdout.readline() == "ready\n"
    killed = []
    sleep = time.sleep

    def look(seconds):
        # Nothing is left but the chunk that the other process holds.
        if not killed:
            assert waiting_chunks() == 1
            assert stuck.stdout.readline() == "holding\n"
            killed.append(time.monotonic())
            stuck.send_signal(signal.SIGKILL)
            stuck.wait()
        sleep(0.01)

    monkeypatch.setattr(chunks.time, "sleep", look)
    run = measure_metric(metric=chain.metric, as_of=AS_OF)
    assert run.state == Run.State.FINISHED
    assert killed
    assert time.monotonic() - killed[0] < 10


@pytest.mark.django_db
def test_what_a_run_that_was_cut_off_has_done_is_taken_over(settings, monkeypatch):
    settings.IMPACT_CHUNK_UNITS = 7
    chain = build_small_chain()
    done = []

    class CutError(BaseException):
        pass

    work = chunks._work

    def working(chunk):
        if len(done) == 2:
            raise CutError
        done.append(chunk.number)
        return work(chunk)

    monkeypatch.setattr(chunks, "_work", working)
    with pytest.raises(CutError):
        measure_metric(metric=chain.metric, as_of=AS_OF)
    assert Chunk.objects.exclude(done_at=None).count() == 2
    basis = Basis.objects.get()
    again = []
    monkeypatch.setattr(chunks, "_work", lambda chunk: again.append((chunk.step, chunk.number)) or work(chunk))
    run = measure_metric(metric=chain.metric, as_of=AS_OF)
    assert run.state == Run.State.FINISHED
    assert [number for step, number in again if step == "units"] == [2, 3]
    assert Basis.objects.get().fitted_at == basis.fitted_at
    interrupted = results()
    forget()
    measure_metric(metric=chain.metric, as_of=AS_OF)
    assert results() == interrupted


@pytest.mark.django_db
def test_a_chunk_that_breaks_fails_its_run_and_keeps_the_old_results(settings, monkeypatch):
    settings.IMPACT_CHUNK_UNITS = 7
    chain = build_small_chain()

    def broken(chunk):
        raise ArithmeticError("singular")

    monkeypatch.setattr(chunks, "_work", broken)
    with pytest.raises(MeasurementFailed, match="singular"):
        measure_metric(metric=chain.metric, as_of=AS_OF)
    assert Run.objects.get().state == Run.State.FAILED
    assert waiting_chunks() == 0


@pytest.mark.django_db
def test_progress_is_kept_with_the_run(settings, monkeypatch):
    settings.IMPACT_CHUNK_UNITS = 7
    chain = build_small_chain()
    seen = []
    work = chunks._work

    def working(chunk):
        run = Run.objects.get()
        seen.append((run.phase, run.done_count, run.total_count))
        return work(chunk)

    monkeypatch.setattr(chunks, "_work", working)
    measure_metric(metric=chain.metric, as_of=AS_OF)
    assert seen == [("units", done, 4) for done in range(4)]
    run = Run.objects.get()
    assert (run.phase, run.done_count, run.total_count) == ("", 0, 0)


@pytest.mark.django_db
def test_nothing_waits_where_nothing_runs():
    assert not take_chunk(now=timezone.now())
    assert waiting_chunks() == 0
    assert connection.savepoint_ids == []
