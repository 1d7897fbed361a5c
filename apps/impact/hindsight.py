"""What would have been claimed on earlier days, from what was known by then?"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
from django.db import DatabaseError, connection, transaction

from apps.accounts.models import AuditEvent, User
from apps.accounts.services import record
from apps.core.periods import week_of, weeks_between
from apps.impact import rows
from apps.impact.claims import keep_claims, solution_claims
from apps.impact.models import RankedSolution, Run
from apps.impact.panel import WEEKS_MAX, MetricData, read_metric
from apps.impact.services import linked_solutions
from apps.impact.staleness import due_metrics, measurable_metrics, metric_fingerprint
from apps.impact.stats import fit as engine
from apps.impact.stats.data import DEFAULTS, Bools, Settings
from apps.impact.stats.results import METHOD
from apps.impact.stats.rules import with_side_effects
from apps.taxonomy.models import Metric

MEASURED, RECALLED = "impact.metric.measured", "impact.claims.recalled"
# Quarters before the first measurement; the newest is as old as a claim must be to be judged.
WEEKS_BEFORE = (52, 39, 26)
LOCK_RECALL = 727_004


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One metric as it stood on the day: its rankings, and who harms it with which probability."""

    ranked: tuple[RankedSolution, ...]
    harms: Mapping[int, float]
    metric_id: int


def day_to_recall(*, now: datetime) -> date | None:
    """The next day whose claims are missing; None while anything of today still waits to be measured."""
    first = AuditEvent.objects.filter(event=MEASURED).order_by("at").first()
    if first is None:
        return None
    begun = date.fromisoformat(first.data["as_of"])
    done = set(AuditEvent.objects.filter(event=RECALLED).values_list("data__as_of", flat=True))
    # Sundays: whole weeks are known, and none of their answers came later.
    days = [week_of(begun) - timedelta(weeks=back, days=1) for back in WEEKS_BEFORE]
    missing = [day for day in days if day.isoformat() not in done]
    if not missing or due_metrics(as_of=now.date(), now=now):
        return None
    return missing[0]


def recall_claims(
    *, as_of: date, made_at: datetime, actor: User | None = None, settings: Settings = DEFAULTS
) -> int:
    """Measure every outcome as of an earlier day and keep what would have been claimed; the number of claims.

    Only answers and actions up to that day are used. Results and rankings of today stay as they are. Where
    another process does it already, nothing happens.
    """
    with _alone() as is_mine:
        if not is_mine:
            return 0
        try:
            metrics = Metric.objects.select_related("touchpoint").filter(pk__in=measurable_metrics())
            found = [_as_it_stood(metric, as_of, settings) for metric in metrics.order_by("pk")]
        except DatabaseError:
            raise
        except Exception as error:
            # History is a nicety: what breaks on it is told once, not every minute.
            _note(as_of=as_of, actor=actor, data={"error": f"{type(error).__name__}: {error}"})
            raise
        known = [each for each in found if each is not None]
        return _keep(known, as_of=as_of, made_at=made_at, actor=actor, settings=settings)


@contextmanager
def _alone() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 0)", [LOCK_RECALL])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine and not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [LOCK_RECALL])


def _as_it_stood(metric: Metric, as_of: date, settings: Settings) -> _Found | None:
    data = up_to(read_metric(metric=metric, as_of=as_of, settings=settings), as_of)
    if not data.logs:
        return None
    fit = engine.fit_metric(data.panel, data.actions, settings)
    run = Run(
        metric=metric,
        method=METHOD,
        fingerprint=metric_fingerprint(metric, as_of, settings),
        as_of=as_of,
        reason=fit.reason or "",
    )
    ranked = rows.ranked_rows(run=run, data=data, fit=fit, linked=linked_solutions(metric), settings=settings)
    return _Found(
        ranked=tuple(row for row in ranked if not row.context),
        harms={data.solution_ids[side.solution]: side.p_harm for side in fit.side_effects},
        metric_id=metric.pk,
    )


def up_to(data: MetricData, as_of: date) -> MetricData:
    """The same without actions that began later: nobody knew of them."""
    known: Bools = np.array([log.effective_on <= as_of for log in data.logs], dtype=bool)
    weeks = weeks_between(data.first_week, as_of) + 1
    actions = data.actions
    # What ended later still ran.
    end = np.where(actions.end > weeks, weeks + WEEKS_MAX, actions.end)
    return replace(
        data,
        logs=tuple(log for log, is_known in zip(data.logs, known, strict=True) if is_known),
        actions=replace(
            actions,
            unit=actions.unit[known],
            start=actions.start[known],
            end=end[known],
            aimed=actions.aimed[known],
            solutions=actions.solutions[known],
            lag=actions.lag[known],
            randomised=actions.randomised[known],
            fidelity=actions.fidelity[known],
        ),
    )


@transaction.atomic
def _keep(
    found: Sequence[_Found], *, as_of: date, made_at: datetime, actor: User | None, settings: Settings
) -> int:
    """Write the claims of the day, with the verdicts that side effects elsewhere would have changed."""
    claims = []
    for each in found:
        for row in each.ranked:
            harms = [other.harms.get(row.solution_id, 0.0) for other in found if other.metric_id != each.metric_id]
            row.verdict = with_side_effects(row.own_verdict, harms, settings)
        claims += solution_claims(each.ranked, as_of=as_of, made_at=made_at)
    kept = keep_claims(claims, [])
    _note(as_of=as_of, actor=actor, data={"claims": kept})
    return kept


def _note(*, as_of: date, actor: User | None, data: Mapping[str, object]) -> None:
    subject = Run.objects.filter(state=Run.State.FINISHED).order_by("-pk").first()
    if subject is not None:
        record(event=RECALLED, actor=actor, subject=subject, data={"as_of": as_of, **data})
