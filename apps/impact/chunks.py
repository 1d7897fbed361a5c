"""How is the work on many units shared out? Rows with frozen inputs, each done by whoever locks it first.

The queue carries hints, the rows carry the work: a process that dies lets go of its row, and another takes it.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from django.conf import settings as deployment
from django.db import DatabaseError, transaction

from apps.core.errors import CxplanError
from apps.impact.models import Chunk, Run
from apps.impact.panel import MetricData
from apps.impact.stats import fit as engine
from apps.impact.stats.data import Actions, Ints, Panel, Settings
from apps.impact.stats.noise import Noise
from apps.impact.stats.stored import from_bytes, inputs_from_bytes, inputs_to_bytes, to_bytes
from apps.impact.stats.sufficient import UnitStatistics

# How often whoever leads a run looks whether the chunks that others hold are done.
LOOK_SECONDS = 0.05

Clock = Callable[[], datetime]
# Told how many chunks wait, so that others may be asked to help.
Ask = Callable[[int], None]


class ChunkFailed(CxplanError):
    code = "chunk_failed"


def unit_statistics(
    run: Run, data: MetricData, noise: Noise, settings: Settings, *, ask: Ask, clock: Clock
) -> UnitStatistics:
    """Statistics of all units, the same to the bit however they are shared out."""
    shares = list(_shares(data.panel.units))
    if len(shares) <= 1:
        return engine.unit_statistics(data.panel, data.actions, noise, settings)
    inputs = []
    for rows in shares:
        panel, actions = some_units(data.panel, data.actions, rows)
        inputs.append(inputs_to_bytes(panel, actions, noise, settings, rows))
    results = _share_out(run, Chunk.Step.UNITS, inputs, ask=ask, clock=clock)
    return engine.merge([from_bytes(result) for result in results])


def take_chunk(*, now: datetime, run: Run | None = None) -> bool:
    """Do one chunk that nobody holds, of `run` or of any; False when there is none.

    The row stays locked until its result is committed, so a process that dies gives it back at once.
    """
    with transaction.atomic():
        waiting = Chunk.objects.filter(done_at=None, run__state=Run.State.RUNNING)
        if run is not None:
            waiting = waiting.filter(run=run)
        chunk = waiting.select_for_update(skip_locked=True, of=("self",)).order_by("pk").first()
        if chunk is None:
            return False
        try:
            chunk.result = _work(chunk)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 -- it is raised where the run is led
            chunk.error = f"{type(error).__name__}: {error}"
        chunk.inputs, chunk.done_at = None, now
        chunk.save(update_fields=["inputs", "result", "error", "done_at"])
    return True


def some_units(panel: Panel, actions: Actions, rows: Ints) -> tuple[Panel, Actions]:
    """A panel of some of the units, and the actions in them; `rows` ascend."""
    events = np.flatnonzero(np.isin(panel.event_unit, rows))
    mine = np.flatnonzero(np.isin(actions.unit, rows))
    return (
        Panel(
            y=panel.y[rows],
            n=panel.n[rows],
            within_variance=panel.within_variance,
            region=panel.region[rows],
            kind=panel.kind[rows],
            usable=None if panel.usable is None else panel.usable[rows],
            event_unit=np.searchsorted(rows, panel.event_unit[events]),
            event_start=panel.event_start[events],
            event_end=panel.event_end[events],
        ),
        replace(
            actions,
            unit=np.searchsorted(rows, actions.unit[mine]),
            start=actions.start[mine],
            end=actions.end[mine],
            aimed=actions.aimed[mine],
            solutions=actions.solutions[mine],
            lag=actions.lag[mine],
            randomised=actions.randomised[mine],
            fidelity=actions.fidelity[mine],
        ),
    )


def _shares(units: int) -> Iterator[Ints]:
    size = deployment.IMPACT_CHUNK_UNITS
    for first in range(0, units, size):
        yield np.arange(first, min(first + size, units), dtype=np.int64)


def _share_out(run: Run, step: str, inputs: Sequence[bytes], *, ask: Ask, clock: Clock) -> list[bytes]:
    """Have all inputs worked on, by this process and whoever helps; results in order.

    What a run that was cut off has done with the same inputs is taken over.
    """
    digests = [hashlib.sha256(one).hexdigest() for one in inputs]
    with transaction.atomic():
        earlier = Chunk.objects.filter(run__metric=run.metric, step=step)
        earlier.filter(digest__in=digests, error="").exclude(done_at=None).exclude(result=None).update(run=run)
        earlier.exclude(run=run).delete()
        done = set(Chunk.objects.filter(run=run, step=step).values_list("digest", flat=True))
        waiting = [
            Chunk(run=run, step=step, number=number, digest=digest, inputs=one)
            for number, (digest, one) in enumerate(zip(digests, inputs, strict=True))
            if digest not in done
        ]
        Chunk.objects.bulk_create(waiting, batch_size=8)
        _tell(run, len(done), len(digests))
    ask(len(waiting))
    while True:
        worked = take_chunk(now=clock(), run=run)
        states = Chunk.objects.filter(run=run, step=step).values_list("done_at", "error")
        trouble = next((error for _, error in states if error), "")
        if trouble:
            raise ChunkFailed(trouble)
        ready = sum(done_at is not None for done_at, _ in states)
        _tell(run, ready, len(digests))
        if ready == len(digests):
            break
        if not worked:
            time.sleep(LOOK_SECONDS)
    found = Chunk.objects.filter(run=run, step=step).order_by("number").values_list("result", flat=True)
    return [bytes(result) for result in found if result is not None]


def _tell(run: Run, done: int, total: int) -> None:
    if (run.done_count, run.total_count) != (done, total):
        run.done_count, run.total_count = done, total
        run.save(update_fields=["done_count", "total_count"])


def _work(chunk: Chunk) -> bytes:
    panel, actions, noise, settings, rows = inputs_from_bytes(bytes(chunk.inputs or b""))
    return to_bytes(engine.unit_statistics(panel, actions, noise, settings, rows))
