"""Measures metrics: computes what actions changed and which solutions work, and keeps the results."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
from django.db import DatabaseError, connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.copies import copy_columns, copy_rows
from apps.core.errors import CxplanError
from apps.impact import rows
from apps.impact.basis import find_footing, keep_spreads
from apps.impact.chunks import Ask, unit_statistics
from apps.impact.claims import action_claims, keep_claims, solution_claims
from apps.impact.models import Chunk, Effect, RankedSolution, Run, SideEffect
from apps.impact.panel import MetricData, read_metric
from apps.impact.portions import keep_portions
from apps.impact.staleness import CUT_OFF, LOCK_METRIC, measurable_metrics, metric_fingerprint, stale_metrics
from apps.impact.stats import fit as engine
from apps.impact.stats.data import DEFAULTS, Settings
from apps.impact.stats.fit import MetricFit
from apps.impact.stats.results import METHOD
from apps.impact.stats.rules import with_side_effects
from apps.library.models import Solution, SolutionLink
from apps.taxonomy.models import Challenge, Metric

# Key of PostgreSQL's advisory lock for writing results.
LOCK_WRITE = 727_002
# Finished runs kept for a metric beside the newest, as the trace of what was claimed when.
RUNS_KEPT = 30
NOTHING_LOGGED = "nothing_logged"
# What a run is doing.
READING, NOISE, UNITS, EFFECTS, KEEPING = "reading", "noise", "units", "effects", "keeping"

# By solution: the metric that a side effect is on, and what is told of it.
SideEffects = Mapping[int, Sequence[tuple[int, dict[str, Any]]]]


class MeasurementBusy(CxplanError):
    code = "measurement_busy"


class MeasurementFailed(CxplanError):
    code = "measurement_failed"


def measure_stale(
    *,
    as_of: date,
    actor: User | None = None,
    everything: bool = False,
    told: Callable[[str, int, int], None] = lambda code, done, total: None,
    ask: Ask = lambda count: None,
) -> list[Run]:
    """Bring every stale metric up to date, or all of them; `told` hears each metric's code as it begins.

    Raises MeasurementFailed after the others are done when one could not be measured.
    """
    stale = [item.metric_id for item in stale_metrics(as_of)]
    wanted = stale + [pk for pk in measurable_metrics() if pk not in stale] if everything else stale
    metrics = Metric.objects.select_related("touchpoint").in_bulk(wanted)
    runs, failures = [], []
    for done, pk in enumerate(wanted):
        told(metrics[pk].code, done, len(wanted))
        try:
            runs.append(
                measure_metric(metric=metrics[pk], as_of=as_of, actor=actor, wait=True, again=everything, ask=ask)
            )
        except MeasurementFailed as failure:
            failures.append(failure.message)
    if failures:
        raise MeasurementFailed(" ".join(failures))
    return runs


def measure_metric(
    *,
    metric: Metric,
    as_of: date,
    actor: User | None = None,
    wait: bool = False,
    again: bool = False,
    settings: Settings = DEFAULTS,
    ask: Ask = lambda count: None,
) -> Run:
    """Measure one metric, unless its results are those of today's data already; `again` measures from scratch.

    This process leads the run and works on its chunks; `ask` hears how many there are, so that others may help.
    Two runs of a metric never overlap: the second one waits, or raises MeasurementBusy. A run that was cut off is
    marked as failed here, and what it had finished is taken over. Raises MeasurementFailed when computing breaks.
    """
    with _alone(metric, wait=wait):
        Run.objects.filter(metric=metric, state=Run.State.RUNNING).update(
            state=Run.State.FAILED, error=CUT_OFF, finished_at=timezone.now()
        )
        # Taken before the rows are read: whatever changes meanwhile makes the results stale again.
        fingerprint = metric_fingerprint(metric, as_of, settings)
        last = Run.objects.filter(metric=metric, state=Run.State.FINISHED).order_by("-pk").first()
        if last is not None and last.fingerprint == fingerprint and not again:
            return last
        run = Run.objects.create(
            metric=metric, method=METHOD, fingerprint=fingerprint, seed=settings.seed, as_of=as_of, phase=READING
        )
        try:
            _measure(run, settings, actor, again=again, ask=ask)
        except DatabaseError:
            raise
        except Exception as error:
            Run.objects.filter(pk=run.pk).update(
                state=Run.State.FAILED, error=f"{type(error).__name__}: {error}", finished_at=timezone.now()
            )
            raise MeasurementFailed(f"{metric.code} could not be measured: {error}") from error
        return run


@contextmanager
def _alone(metric: Metric, *, wait: bool) -> Iterator[None]:
    """Hold the metric's lock for the session, so that it is free again whatever happens to this process."""
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_lock(%s, %s::int)", [LOCK_METRIC, metric.pk])
        else:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s::int)", [LOCK_METRIC, metric.pk])
            if not cursor.fetchone()[0]:
                raise MeasurementBusy(f"{metric.code} is being measured already.")
    try:
        yield
    finally:
        if not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s::int)", [LOCK_METRIC, metric.pk])


def _measure(run: Run, settings: Settings, actor: User | None, *, again: bool, ask: Ask) -> None:
    data = read_metric(metric=run.metric, as_of=run.as_of, settings=settings)
    run.unit_count, run.week_count, run.action_count = data.panel.units, data.panel.weeks, len(data.logs)
    run.benchmark = rows.benchmark(data, run.metric.sign)
    fit = _fit(run, data, settings, again=again, ask=ask) if data.logs else None
    if fit is None:
        run.reason = NOTHING_LOGGED
    else:
        run.method, run.reason, run.detail = fit.method, fit.reason or "", fit.detail or ""
        run.noise, run.checks = _noise(fit), _checks(fit)
    linked = linked_solutions(run.metric)
    effects = rows.effect_columns(run=run, data=data, fit=fit) if fit else None
    sides = rows.side_effect_rows(run=run, data=data, fit=fit) if fit else []
    ranked = rows.ranked_rows(run=run, data=data, fit=fit, linked=linked, settings=settings)
    run.estimated_count = effects["status"].count(Effect.Status.ESTIMATED) if effects else 0
    _enter(run, KEEPING)
    with transaction.atomic():
        _keep(run=run, effects=effects, sides=sides, ranked=ranked, linked=linked, settings=settings)
        keep_portions(run=run, data=data, fit=fit, settings=settings)
        if fit is not None and fit.reason is None:
            keep_spreads(metric=run.metric, spreads=fit.spreads)
        _finish(run, actor)


def _fit(run: Run, data: MetricData, settings: Settings, *, again: bool, ask: Ask) -> MetricFit:
    """Noise, then the units in chunks, then the effects from the sums over all of them."""
    _enter(run, NOISE)
    footing = find_footing(
        metric=run.metric, data=data, as_of=run.as_of, settings=settings, again=again, now=timezone.now()
    )
    run.start = footing.stored()
    if footing.noise is None:
        return engine.fit_metric(data.panel, data.actions, settings)
    _enter(run, UNITS)
    statistics = unit_statistics(run, data, footing.noise, settings, ask=ask, clock=timezone.now)
    _enter(run, EFFECTS)
    return engine.fit_metric(data.panel, data.actions, settings, footing.noise, statistics, footing.spreads)


def _enter(run: Run, phase: str) -> None:
    run.phase, run.done_count, run.total_count = phase, 0, 0
    run.save(update_fields=["phase", "done_count", "total_count"])


def _keep(
    *,
    run: Run,
    effects: Mapping[str, Any] | None,
    sides: Sequence[SideEffect],
    ranked: Sequence[RankedSolution],
    linked: Mapping[int, Sequence[int]],
    settings: Settings,
) -> None:
    """Put the new results in the place of the metric's old ones, all or nothing."""
    with connection.cursor() as cursor:
        # Side effects reach into other metrics' rankings: one writer at a time, for a moment.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [LOCK_WRITE])
    touched = set(SideEffect.objects.filter(metric=run.metric).values_list("solution_id", flat=True))
    Effect.objects.filter(metric=run.metric).delete()
    SideEffect.objects.filter(metric=run.metric).delete()
    RankedSolution.objects.filter(Q(metric=run.metric) | Q(challenge__in=list(linked))).delete()
    if effects is not None:
        copy_columns(Effect, effects)
    copy_rows(SideEffect, sides)
    touched |= {side.solution_id for side in sides}
    elsewhere = RankedSolution.objects.filter(solution__in=touched).exclude(metric=run.metric)
    known = _side_effects(touched | {row.solution_id for row in ranked}, settings)
    for row in ranked:
        row.side_effects, row.verdict = _with_side_effects(
            row.solution_id, run.metric_id, row.own_verdict, known, settings
        )
    copy_rows(RankedSolution, ranked)
    turned = _spread_side_effects(elsewhere, known, settings)
    now = timezone.now()
    keep_claims(
        solution_claims([*ranked, *elsewhere.filter(pk__in=turned)], as_of=run.as_of, made_at=now),
        action_claims(effects, as_of=run.as_of, made_at=now) if effects else [],
    )


def _finish(run: Run, actor: User | None) -> None:
    run.state, run.phase, run.finished_at = Run.State.FINISHED, "", timezone.now()
    run.done_count = run.total_count = 0
    run.save()
    Chunk.objects.filter(run__metric=run.metric).delete()
    old = Run.objects.filter(metric=run.metric, pk__lt=run.pk).order_by("-pk").values_list("pk", flat=True)
    Run.objects.filter(pk__in=list(old[RUNS_KEPT:])).delete()
    record(
        event="impact.metric.measured",
        actor=actor,
        subject=run,
        data={
            "metric": run.metric.code,
            "as_of": run.as_of,
            "effects": Effect.objects.filter(run=run).count(),
            "reason": run.reason,
        },
    )


def _side_effects(solution_ids: Iterable[int], settings: Settings) -> SideEffects:
    """What is told of each solution's side effects, with the metric that each is on."""
    known: dict[int, list[tuple[int, dict[str, Any]]]] = {}
    sides = SideEffect.objects.filter(solution__in=solution_ids).order_by("metric__code")
    names = ("effect", "low", "high", "p_harm", "action_count", "metric__code")
    for solution_id, metric_id, effect, low, high, p_harm, actions, code in sides.values_list(
        "solution_id", "metric_id", *names
    ):
        entry = {
            "metric": code,
            "effect": effect,
            "low": low,
            "high": high,
            "p_harm": p_harm,
            "actions": actions,
            "is_harm": p_harm >= settings.harm_probability,
        }
        known.setdefault(solution_id, []).append((metric_id, entry))
    return known


def _with_side_effects(
    solution_id: int, metric_id: int, own_verdict: str, known: SideEffects, settings: Settings
) -> tuple[list[dict[str, Any]], str]:
    """A ranked solution's side effects on other metrics, and the verdict with them."""
    entries = [entry for on, entry in known.get(solution_id, []) if on != metric_id]
    return entries, with_side_effects(own_verdict, [entry["p_harm"] for entry in entries], settings)


def _spread_side_effects(ranked: QuerySet[RankedSolution], known: SideEffects, settings: Settings) -> list[int]:
    """Bring side effects, and the verdicts they change, onto stored rankings; the rows whose verdict changed."""
    changed, turned = [], []
    names = ("pk", "solution_id", "metric_id", "own_verdict", "verdict", "side_effects")
    for pk, solution_id, metric_id, own_verdict, before, told in ranked.values_list(*names):
        entries, verdict = _with_side_effects(solution_id, metric_id, own_verdict, known, settings)
        if (told, before) != (entries, verdict):
            changed.append({"id": pk, "side_effects": entries, "verdict": verdict})
        if before != verdict:
            turned.append(pk)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE impact_rankedsolution SET side_effects = changed.side_effects, verdict = changed.verdict
            FROM jsonb_to_recordset(%s::jsonb) AS changed (id bigint, side_effects jsonb, verdict text)
            WHERE impact_rankedsolution.id = changed.id
            """,
            [json.dumps(changed, allow_nan=False)],
        )
    return turned


def linked_solutions(metric: Metric) -> Mapping[int, Sequence[int]]:
    """The solutions of each challenge whose outcome is `metric`; a draft only once it was used."""
    linked: dict[int, list[int]] = {
        pk: [] for pk in Challenge.objects.filter(metric=metric, merged_into=None).values_list("pk", flat=True)
    }
    links = SolutionLink.objects.filter(challenge__in=Challenge.objects.measured_by(metric)).exclude(
        solution__status=Solution.Status.DRAFT, is_seen_in_use=False
    )
    # A link of a merged challenge is one of the challenge that stands for it.
    standing = Coalesce("challenge__merged_into", "challenge")
    pairs = links.annotate(standing=standing).values_list("standing", "solution_id")
    for challenge_id, solution_id in pairs.order_by("standing", "solution_id").distinct():
        linked.setdefault(challenge_id, []).append(solution_id)
    return linked


def _noise(fit: MetricFit) -> dict[str, Any]:
    kept = {"inflation": fit.inflation, "converged": fit.converged}
    return {**(_plain(asdict(fit.noise)) if fit.noise is not None else {}), **_plain(kept)}


def _checks(fit: MetricFit) -> list[dict[str, Any]]:
    return [_plain(asdict(check)) for check in fit.checks]


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers that JSON knows; what is not finite does not exist."""
    plain: dict[str, Any] = {}
    for name, value in values.items():
        number = value.item() if isinstance(value, np.generic) else value
        plain[name] = None if isinstance(number, float) and not math.isfinite(number) else number
    return plain
