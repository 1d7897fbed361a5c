"""Which metrics have moved on since they were last measured?"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Count

from apps.core.periods import week_of
from apps.impact.models import Run
from apps.impact.panel import WEEKS_MAX, side_sources
from apps.impact.stats.data import DEFAULTS, Settings
from apps.impact.stats.results import METHOD
from apps.taxonomy.models import Metric

# Each query digests in the database what measurement reads, so that asking costs one pass and no rows.
_SERIES = """
    SELECT metric_id, md5(string_agg(unit_id || '.' || revision, ',' ORDER BY unit_id))
    FROM feedback_series GROUP BY metric_id
"""
_ACTIONS = """
    WITH used AS (
        SELECT action_id,
               string_agg(version_id || '.' || coalesce(fidelity::text, ''), '+' ORDER BY version_id) AS used
        FROM planning_actionsolution GROUP BY action_id
    )
    SELECT coalesce(action.target_metric_id, challenge.metric_id) AS metric_id,
           md5(string_agg(concat_ws('/', action.id, action.unit_id, action.effective_on,
                                    coalesce(action.ended_on::text, '-'), action.is_randomised, used.used),
                          ',' ORDER BY action.id)),
           count(*)
    FROM planning_action action
    JOIN taxonomy_challenge challenge ON challenge.id = action.challenge_id
    LEFT JOIN used ON used.action_id = action.id
    WHERE action.state IN ('applied', 'sustained', 'stopped') AND action.effective_on IS NOT NULL
      AND coalesce(action.target_metric_id, challenge.metric_id) IS NOT NULL
    GROUP BY 1
"""
_LINKS = """
    SELECT standing.metric_id,
           md5(string_agg(standing.id || '.' || coalesce(link.solution_id::text, ''), ','
                          ORDER BY standing.id, link.solution_id))
    FROM taxonomy_challenge challenge
    JOIN taxonomy_challenge standing ON standing.id = coalesce(challenge.merged_into_id, challenge.id)
    LEFT JOIN library_solutionlink link ON link.challenge_id = challenge.id
    WHERE standing.metric_id IS NOT NULL GROUP BY standing.metric_id
"""
_GROUND = """
    SELECT (SELECT md5(string_agg(concat_ws('/', id, region, kind, path), ',' ORDER BY id)) FROM accounts_unit),
           (SELECT md5(string_agg(concat_ws('/', id, coalesce(unit_id, 0), kind, starts_on,
                                            coalesce(ends_on::text, '-')), ',' ORDER BY id)) FROM planning_event)
"""


_CUT_OFF = """
    SELECT metric_id FROM impact_run run
    WHERE state = 'running' AND NOT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND classid = %s AND objid = run.metric_id AND objsubid = 2
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
    ORDER BY metric_id
"""

# First key of PostgreSQL's advisory lock that whoever leads a metric's run holds; the metric is the second.
LOCK_METRIC = 727_001
CUT_OFF = "cut off"
# A measurement that ended its process this often on the same data is left alone for a while.
CUT_OFFS_MAX = 3
# A metric whose measurement broke is tried again after this, or at once when its data change.
REST = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """Digests of everything that measurement reads, by metric where it is of one metric."""

    series: Mapping[int, str]
    actions: Mapping[int, str]
    action_counts: Mapping[int, int]
    links: Mapping[int, str]
    ground: tuple[str, ...]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleMetric:
    metric_id: int
    code: str
    fingerprint: str
    action_count: int
    is_measured: bool


def metric_fingerprint(metric: Metric, as_of: date, settings: Settings = DEFAULTS) -> str:
    """A digest of all that `metric`'s results depend on; the same digest means the same results."""
    return _fingerprint(metric, _state(), as_of, settings)


def stale_metrics(as_of: date, settings: Settings = DEFAULTS) -> list[StaleMetric]:
    """Metrics whose results are not those of today's data, never measured and most used ones first."""
    state = _state()
    done = dict(
        Run.objects.filter(state=Run.State.FINISHED)
        .order_by("metric_id", "-pk")
        .distinct("metric_id")
        .values_list("metric_id", "fingerprint")
    )
    stale = []
    for metric in state.metrics:
        if not _is_measurable(metric, state):
            continue
        current = _fingerprint(metric, state, as_of, settings)
        if done.get(metric.pk) != current:
            stale.append(
                StaleMetric(
                    metric_id=metric.pk,
                    code=metric.code,
                    fingerprint=current,
                    action_count=state.action_counts.get(metric.pk, 0),
                    is_measured=metric.pk in done,
                )
            )
    return sorted(stale, key=lambda item: (item.is_measured, -item.action_count, item.metric_id))


def due_metrics(*, as_of: date, now: datetime) -> list[StaleMetric]:
    """The stale metrics that are worth a try now: not those that broke on the same data a moment ago."""
    failed = Counter(
        {
            (metric_id, fingerprint, error == CUT_OFF): count
            for metric_id, fingerprint, error, count in Run.objects.filter(
                state=Run.State.FAILED, finished_at__gt=now - REST
            )
            .values_list("metric_id", "fingerprint", "error")
            .annotate(count=Count("pk"))
        }
    )
    return [
        item
        for item in stale_metrics(as_of)
        if not failed[item.metric_id, item.fingerprint, False]
        and failed[item.metric_id, item.fingerprint, True] < CUT_OFFS_MAX
    ]


def cut_off_metrics() -> list[int]:
    """Metrics with a run that nobody leads any more: its process ended and took the metric's lock along."""
    with connection.cursor() as cursor:
        cursor.execute(_CUT_OFF, [LOCK_METRIC])
        return [metric_id for (metric_id,) in cursor.fetchall()]


def measurable_metrics() -> list[int]:
    """Metrics that have answers, actions or challenges."""
    state = _state()
    return [metric.pk for metric in state.metrics if _is_measurable(metric, state)]


def _is_measurable(metric: Metric, state: _State) -> bool:
    return metric.pk in state.series or metric.pk in state.actions or metric.pk in state.links


def _state() -> _State:
    with connection.cursor() as cursor:
        cursor.execute(_SERIES)
        series = dict(cursor.fetchall())
        cursor.execute(_ACTIONS)
        actions = cursor.fetchall()
        cursor.execute(_LINKS)
        links = dict(cursor.fetchall())
        cursor.execute(_GROUND)
        ground = tuple(part or "" for part in cursor.fetchone())
    return _State(
        series=series,
        actions={metric_id: digest for metric_id, digest, _ in actions},
        action_counts={metric_id: count for metric_id, _, count in actions},
        links=links,
        ground=ground,
        metrics=tuple(Metric.objects.select_related("touchpoint").order_by("pk")),
    )


def _fingerprint(metric: Metric, state: _State, as_of: date, settings: Settings) -> str:
    parts = [
        METHOD,
        repr(settings),
        str(WEEKS_MAX),
        week_of(as_of).isoformat(),
        str(metric.sign),
        state.series.get(metric.pk, ""),
        state.actions.get(metric.pk, ""),
        state.links.get(metric.pk, ""),
        *state.ground,
        *(f"{source}:{state.actions.get(source, '')}" for source in side_sources(metric, state.metrics)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
