# ruff: noqa: PLC0415 -- Django is imported when its settings know the database of this run
"""How long does it take from rows to stored results: from scratch, after a day's responses, with nothing new?

Runs in a process and a database of its own, which is thrown away. Two workers are two processes that lead
metrics and take each other's chunks, as workers do when the queue hints at them.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from benchmarks.bench_import import _wait_for_end
from benchmarks.table import Row, write_figures

NAME = "measurement"
FIRST = date(2024, 1, 1)
REFRESH_SHARE = 0.1
TOLD = 8  # rows in docs/methods.md
DAYS = 5  # one after the other; their median is told
WORKER = """
import django; django.setup()
import gc, time
from datetime import date
from django.utils import timezone
from apps.impact.chunks import take_chunk
from apps.impact.models import Run
from apps.impact.services import MeasurementBusy, measure_metric
from apps.impact.staleness import stale_metrics
from apps.taxonomy.models import Metric
import sys
as_of = date.fromisoformat(sys.argv[1])
gc.freeze()
print("ready", flush=True)
for line in sys.stdin:
    while stale := stale_metrics(as_of):
        for item in stale:
            metric = Metric.objects.select_related("touchpoint").get(pk=item.metric_id)
            try:
                measure_metric(metric=metric, as_of=as_of)
            except MeasurementBusy:
                continue
        while take_chunk(now=timezone.now()):
            continue
        time.sleep(0.02)
    print("done", flush=True)
"""


def run(*, quick: bool = False) -> list[Row]:
    """Seconds on the clock, ratios, and the bytes that are kept."""
    units, weeks, aimed = (150, 60, 100) if quick else (500, 104, 667)
    found = _measured(units, weeks, aimed)
    label = f"{units} units × {weeks} weeks × 3 metrics, {found['actions']:.0f} actions"
    rows = [
        _row(f"{label}: all from scratch, processor time", found["full"], "s"),
        _row("the same on the clock, 1 process", found["clock"], "s"),
        _row("the same on the clock, 2 workers", found["two"], "s", "1 process", found["clock"]),
        _row(
            f"after a day's responses in all units (aim: {REFRESH_SHARE})", found["day"], "s", "all", found["full"]
        ),
        _row("the same on the clock, 1 process", found["day_clock"], "s", "all", found["clock"]),
        _row("the same on the clock, 2 workers", found["day_two"], "s", "all", found["two"]),
        _row("after one unit's responses in one metric", found["unit"], "s", "all", found["full"]),
        _row("nothing new", found["nothing"], "s", "all", found["full"]),
        _row("statistics of the units of one metric: computing them", found["compute"], "s"),
        _row("reading them back from a table instead", found["fetch"], "s", "computing", found["compute"]),
        _row("writing them there", found["store"], "s", "computing", found["compute"]),
        _row("bytes a unit they would take", found["bytes"], "B"),
        _row("effects of actions, a metric", found["results"], "MB"),
        _row("what their weeks are drawn from, a metric", found["portions"], "MB"),
        _row("drawing the weeks around one action when somebody asks", found["drawing"] * 1e3, "ms"),
        _row("memory of the process", found["megabytes"], "MB"),
    ]
    if not quick:
        write_figures("methods.md", "measurement", rows[:TOLD])
    return rows


def _row(what: str, value: float, unit: str, reference: str = "", against: float | None = None) -> Row:
    # Aims, which a busy machine may miss: they are shown and fail nothing.
    return Row(bench=NAME, what=what, value=value, unit=unit, reference=reference, against=against)


def _measured(units: int, weeks: int, aimed: int) -> dict[str, float]:
    folder = Path(tempfile.mkdtemp(prefix="cxplan-bench-"))
    try:
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.bench_measurement", str(units), str(weeks), str(aimed)],
            env={**environment, "CXPLAN_HOME": str(folder), "PGOPTIONS": "-c client_min_messages=warning"},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        return json.loads(told.stdout.splitlines()[-1])
    finally:
        _wait_for_end(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _chain(units: int, weeks: int, aimed: int) -> None:
    """Three metrics along a journey, each with its own actions."""
    from django.db import connection

    from apps.accounts.models import Unit
    from apps.planning.models import Action, ActionSolution
    from tests import factories
    from tests.impact.stats.simulator import simulate

    journey = factories.JourneyFactory()
    made: list[Unit] = []
    for number in range(3):
        chain = simulate(number, units=units, weeks=weeks, actions=aimed, solutions=20, regions=5)
        if not made:
            made = [
                factories.UnitFactory(region=f"R{region}", kind=f"K{kind}")
                for region, kind in zip(chain.panel.region, chain.panel.kind, strict=True)
            ]
        metric = factories.MetricFactory(
            touchpoint=factories.TouchpointFactory(journey=journey, position=number + 1)
        )
        challenge = factories.ChallengeFactory(metric=metric)
        versions = [factories.SolutionVersionFactory(lag_days=0) for _ in range(20)]
        for version in versions:
            factories.SolutionLinkFactory(challenge=challenge, solution=version.solution)
        actions = Action.objects.bulk_create(
            Action(
                external_id=f"a{number}-{j}",
                unit=made[unit],
                challenge=challenge,
                target_metric=metric,
                state=Action.State.APPLIED,
                effective_on=FIRST + timedelta(weeks=int(start)),
            )
            for j, (unit, start) in enumerate(zip(chain.actions.unit, chain.actions.start, strict=True))
        )
        ActionSolution.objects.bulk_create(
            ActionSolution(action=actions[j], version=versions[k]) for j, k in np.argwhere(chain.actions.solutions)
        )
        with connection.cursor() as cursor:
            with cursor.copy(
                "COPY feedback_cell (unit_id, metric_id, week, n, weight, weight_squares, total, squares) "
                "FROM STDIN"
            ) as copy:
                for u, t in np.argwhere(chain.panel.n > 0):
                    n, y = int(chain.panel.n[u, t]), round(float(chain.panel.y[u, t]), 6)
                    squares = round(n * (y * y + 2.2**2), 6)
                    week = FIRST + timedelta(weeks=int(t))
                    copy.write_row((made[u].pk, metric.pk, week, n, n, n, round(n * y, 6), squares))
            cursor.execute(
                "INSERT INTO feedback_series (unit_id, metric_id, revision) SELECT DISTINCT unit_id, metric_id, 1 "
                "FROM feedback_cell WHERE metric_id = %s",
                [metric.pk],
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _run_all(units: int, weeks: int, aimed: int) -> dict[str, float]:
    from cxplan.embedded.environment import prepare

    prepare(["shell"])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxplan.settings")
    import django

    django.setup()
    from django.db import connection

    from apps.impact.models import Basis, Effect, Run
    from apps.impact.services import measure_stale
    from apps.planning.models import Action

    _chain(units, weeks, aimed)
    gc.freeze()  # as workers do
    as_of = FIRST + timedelta(weeks=weeks, days=-1)

    def forget() -> None:
        for model in (Effect, Run, Basis):
            model.objects.all().delete()

    def timed() -> float:
        # Of this process, which does all the computing: a busy machine says nothing about the code.
        begin = time.process_time()
        measure_stale(as_of=as_of)
        return time.process_time() - begin

    def touch(where: str = "TRUE", *which: int) -> None:
        last = FIRST + timedelta(weeks=weeks - 1)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE feedback_cell SET n = n + 2, weight = weight + 2, weight_squares = weight_squares + 2, "
                f"total = total * (n + 2) / n, squares = squares * (n + 2) / n WHERE week = %s AND {where}",
                [last, *which],
            )
            cursor.execute(f"UPDATE feedback_series SET revision = revision + 1 WHERE {where}", which)

    begin = time.perf_counter()
    found = {"actions": float(Action.objects.count()), "full": timed()}
    found["clock"] = time.perf_counter() - begin
    found["nothing"] = timed()
    days = []
    for _ in range(DAYS):
        touch()
        begin = time.perf_counter()
        days.append((timed(), time.perf_counter() - begin))
    found["day"], found["day_clock"] = np.median(days, axis=0).tolist()
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(unit_id), min(metric_id) FROM feedback_cell")
        touch("unit_id = %s AND metric_id = %s", *cursor.fetchone())
        found["unit"] = timed()
        # What is alive, without what a table keeps free for the next time.
        cursor.execute(
            "SELECT (SELECT sum(pg_column_size(effect.*)) FROM impact_effect effect), "
            "(SELECT sum(length(body)) FROM impact_portion)"
        )
        found["results"], found["portions"] = (float(size) / 3 / 1e6 for size in cursor.fetchone())
    found["drawing"] = _drawing()
    found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    forget()
    found["two"], found["day_two"] = _two_workers(as_of, touch)
    return found | _cache(as_of)


def _drawing() -> float:
    """Seconds on the clock for one drawing, the median of some."""
    from apps.impact.models import Effect
    from apps.impact.portions import series_of

    seconds = []
    for effect in Effect.objects.filter(portion__isnull=False).order_by("pk")[:30]:
        begin = time.perf_counter()
        assert series_of(effect)
        seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds))


def _two_workers(as_of: date, touch: Callable[[], None]) -> tuple[float, float]:
    """Seconds on the clock for everything, and after a day's responses."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, as_of.isoformat()],
            env={**os.environ, "PYTHONPATH": os.getcwd()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]

    def all_say(word: str) -> None:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline().strip() == word

    def timed() -> float:
        begin = time.perf_counter()
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
        all_say("done")
        return time.perf_counter() - begin

    all_say("ready")
    everything = timed()
    touch()
    day = timed()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.close()
    assert [worker.wait() for worker in workers] == [0, 0]
    return everything, day


def _cache(as_of: date) -> dict[str, float]:
    """What it would cost to keep the statistics of units, against computing them."""
    from django.db import connection

    from apps.impact.panel import read_metric
    from apps.impact.stats.fit import fit_noise, unit_statistics
    from apps.impact.stats.stored import from_bytes, to_bytes
    from apps.taxonomy.models import Metric

    data = read_metric(metric=Metric.objects.select_related("touchpoint").order_by("pk")[0], as_of=as_of)
    noise = fit_noise(data.panel, data.actions)
    begin = time.perf_counter()
    statistics = unit_statistics(data.panel, data.actions, noise)
    compute = time.perf_counter() - begin
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (body bytea)")
        cursor.execute("ALTER TABLE kept ALTER COLUMN body SET STORAGE EXTERNAL")
        begin = time.perf_counter()
        body = to_bytes(statistics)
        cursor.execute("INSERT INTO kept VALUES (%s)", [body])
        store = time.perf_counter() - begin
        begin = time.perf_counter()
        cursor.execute("SELECT body FROM kept")
        from_bytes(bytes(cursor.fetchone()[0]))
        fetch = time.perf_counter() - begin
    return {"compute": compute, "store": store, "fetch": fetch, "bytes": len(body) / data.panel.units}


if __name__ == "__main__":
    print(json.dumps(_run_all(*map(int, sys.argv[1:4]))))
