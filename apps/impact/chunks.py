"""How is the work on many units shared out? Rows with frozen inputs, each done by whoever locks it first.

The queue carries hints, the rows carry the work: a process that dies lets go of its row, and another takes it.
"""

import hashlib
import json
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from django.conf import settings as deployment
from django.db import DatabaseError, connection, transaction

from apps.core.errors import CxplanError
from apps.impact.models import Chunk, Run
from apps.impact.panel import MetricData
from apps.impact.rows import Drawn, drawn_actions, week_lists
from apps.impact.stats import fit as engine
from apps.impact.stats.data import Actions, Ints, Panel, Settings
from apps.impact.stats.fit import MetricFit
from apps.impact.stats.noise import Noise
from apps.impact.stats.portion import Portion, cut, draw
from apps.impact.stats.stored import from_bytes, to_bytes
from apps.impact.stats.sufficient import UnitStatistics

# How often whoever leads a run looks whether the chunks that others hold are done.
LOOK_SECONDS = 0.05

Clock = Callable[[], datetime]
# Told how many chunks wait, so that others may be asked to help.
Ask = Callable[[int], None]


class ChunkFailed(CxplanError):
    code = "chunk_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Inputs of the step `units`: some units of a panel, their actions, and their rows in the whole."""

    panel: Panel
    actions: Actions
    noise: Noise
    settings: Settings
    rows: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """Inputs of the step `weeks`: a portion of a fit, and the actions whose weeks it draws."""

    portion: Portion
    drawn: tuple[Drawn, ...]
    sign: int
    first_week: date


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
        inputs.append(Units(panel=panel, actions=actions, noise=noise, settings=settings, rows=rows))
    results = _share_out(run, Chunk.Step.UNITS, inputs, ask=ask, clock=clock)
    return engine.merge([from_bytes(result) for result in results])


def draw_weeks(run: Run, data: MetricData, fit: MetricFit, settings: Settings, *, ask: Ask, clock: Clock) -> None:
    """Draw the weeks around every action with an estimate into its effect."""
    rows, drawn = drawn_actions(data, fit, settings)
    inputs = []
    for units in _shares(data.panel.units):
        mine = np.flatnonzero(np.isin(data.actions.unit[rows], units))
        if mine.size:
            portion = cut(fit, data.panel, units, rows[mine])
            some = tuple(drawn[index] for index in mine)
            inputs.append(Weeks(portion=portion, drawn=some, sign=run.metric.sign, first_week=data.first_week))
    if len(inputs) <= 1:
        for one in inputs:
            _draw(run.pk, one)
        return
    _share_out(run, Chunk.Step.WEEKS, inputs, ask=ask, clock=clock)


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


def _share_out(run: Run, step: str, inputs: Sequence[Units | Weeks], *, ask: Ask, clock: Clock) -> list[bytes]:
    """Have all inputs worked on, by this process and whoever helps; results in order.

    What a run that was cut off has done with the same inputs is taken over.
    """
    frozen = [pickle.dumps(one, protocol=5) for one in inputs]
    digests = [hashlib.sha256(one).hexdigest() for one in frozen]
    with transaction.atomic():
        earlier = Chunk.objects.filter(run__metric=run.metric, step=step)
        earlier.filter(digest__in=digests, error="").exclude(done_at=None).exclude(result=None).update(run=run)
        earlier.exclude(run=run).delete()
        done = set(Chunk.objects.filter(run=run, step=step).values_list("digest", flat=True))
        waiting = [
            Chunk(run=run, step=step, number=number, digest=digest, inputs=one)
            for number, (digest, one) in enumerate(zip(digests, frozen, strict=True))
            if digest not in done
        ]
        Chunk.objects.bulk_create(waiting, batch_size=8)
        _tell(run, len(done), len(digests))
    del frozen
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


def _work(chunk: Chunk) -> bytes | None:
    # Written by this program into its own table; nothing else may write there.
    inputs: Units | Weeks = pickle.loads(bytes(chunk.inputs or b""))  # noqa: S301
    if isinstance(inputs, Units):
        return to_bytes(
            engine.unit_statistics(inputs.panel, inputs.actions, inputs.noise, inputs.settings, inputs.rows)
        )
    _draw(chunk.run_id, inputs)
    return None


def _draw(run_id: int, weeks: Weeks) -> None:
    lists = {
        one.action_id: week_lists(series, one, sign=weeks.sign, first_week=weeks.first_week)
        for series, one in zip(draw(weeks.portion), weeks.drawn, strict=True)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE impact_effect SET series = drawn.value FROM jsonb_each(%s::jsonb) AS drawn
            WHERE impact_effect.run_id = %s AND impact_effect.action_id = drawn.key::bigint
            """,
            [json.dumps(lists, allow_nan=False), run_id],
        )
