"""Files come in and solutions are ranked by real workers on every broker, also when one of them is killed."""

import io
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.utils import timezone

from apps.core.periods import week_of
from apps.impact import tasks as impact
from apps.impact.models import Effect, RankedSolution, Run
from apps.impact.services import measure_stale
from apps.imports import tasks as imports
from apps.imports.models import ImportBatch
from apps.imports.services import receive_import
from tests.brokers import servers
from tests.brokers.fleet import Fleet, fleet, leader, until
from tests.embedded.processes import alive, eventually
from tests.impact.test_chunks import forget, results

UNITS, ACTING, WEEKS, RESPONSES = 24, 12, 40, 10
MASTER = {
    "units": "code,name,kind,region\n"
    + "".join(f"u{i:02},Unit {i},{('city', 'airport')[i % 2]},West\n" for i in range(UNITS)),
    "touchpoints": "code,name,journey,position\ndesk,Desk,visit,1\nbill,Bill,visit,2\n",
    "metrics": "code,name,kind,touchpoint,better,scale_min,scale_max\n"
    "wait,Wait,perception,desk,higher,0,10\nfees,Fees,perception,bill,higher,0,10\n",
    "challenges": "code,name,touchpoint,metric\nqueue,Queue,desk,wait\n",
    "solutions": "code,title,kind,challenges,status\n"
    "s0,Greeter,sop,queue,published\ns1,Poster,asset,queue,published\n",
}


def later(first: date) -> dict[str, str]:
    """Actions and responses: the greeter helps, the poster does not."""
    rng = np.random.default_rng(8)
    actions, responses = (
        ["external_id,unit,challenge,solutions,effective_on"],
        ["source,external_id,unit,occurred_at,wait,fees"],
    )
    lift = np.zeros((UNITS, WEEKS))
    for i in range(ACTING):
        week = 10 + (i * 3) % 14
        lift[i, week:] += 1.5 * (i % 2 == 0)
        actions.append(f"a{i:02},u{i:02},queue,s{i % 2},{first + timedelta(weeks=week)}")
    level = 6.5 + rng.normal(0, 0.4, (UNITS, 1)) + lift
    for unit in range(UNITS):
        for week in range(WEEKS):
            for number in range(RESPONSES):
                day = first + timedelta(weeks=week, days=int(rng.integers(7)))
                wait, fees = np.clip(np.rint(rng.normal([level[unit, week], 7.0], 1.8)), 0, 10).astype(int)
                responses.append(f"till,r{unit}-{week}-{number},u{unit:02},{day}T10:00:00Z,{wait},{fees}")
    return {"actions": "\n".join(actions) + "\n", "feedback": "\n".join(responses) + "\n"}


@contextmanager
def embedded(folder: Path):
    yield settings.CELERY_BROKER_URL


BROKERS = {"valkey": embedded, "redis": servers.redis, "rabbitmq": servers.rabbitmq}


def bring_in(workers: Fleet, kind: str, text: str) -> None:
    batch = receive_import(kind=kind, file=io.BytesIO(text.encode()), file_name=f"{kind}.csv", actor=None)
    workers.send(imports.run, batch_id=batch.pk)
    ended = (ImportBatch.State.FINISHED, ImportBatch.State.FAILED)
    done = until(lambda: ImportBatch.objects.filter(pk=batch.pk, state__in=ended).first(), workers, 60)
    assert (done.state, done.rejected_count) == (ImportBatch.State.FINISHED, 0), done.reject_sample


@pytest.mark.xdist_group("brokers")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broker", BROKERS)
def test_workers_import_measure_and_rank_though_one_is_killed(broker: str, tmp_path: Path) -> None:
    today = timezone.now().date()
    with BROKERS[broker](tmp_path) as url, fleet(url, tmp_path, units_in_a_chunk=7) as workers:
        files = MASTER | later(week_of(today) - timedelta(weeks=WEEKS))
        for kind, text in files.items():
            bring_in(workers, kind, text)
        workers.send(impact.refresh_stale)
        led = until(leader, workers, 60, step=0.001)
        workers.kill(led)
        until(lambda: Run.objects.filter(state=Run.State.FINISHED).count() >= 2, workers, 60)
        until(lambda: not Run.objects.filter(state=Run.State.RUNNING).exists(), workers, 60)
    eventually(lambda: not alive(tmp_path))
    assert Run.objects.filter(state=Run.State.FAILED, error="cut off").exists()
    assert Effect.objects.on_target().filter(status="estimated").count() == ACTING
    best = RankedSolution.objects.filter(context="").exclude(effect=None).latest("effect")
    assert best.solution.code == "s0"
    by_workers = results()
    as_of = Run.objects.filter(state=Run.State.FINISHED).latest("pk").as_of
    forget()
    measure_stale(as_of=as_of)
    assert results() == by_workers
