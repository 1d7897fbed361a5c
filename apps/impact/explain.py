"""How did the number of one action come about? Computed again from the rows, step by step."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from apps.core.errors import CxplanError
from apps.impact.basis import read_footing
from apps.impact.models import Effect, Run
from apps.impact.panel import MetricData, read_metric
from apps.impact.rows import finite
from apps.impact.staleness import metric_fingerprint
from apps.impact.stats import fit as engine
from apps.impact.stats.data import DEFAULTS, Settings
from apps.impact.stats.fit import MetricFit
from apps.impact.stats.results import METHOD, ActionEffect
from apps.library.models import Solution
from apps.planning.models import Action

# Two computations from the same rows agree to the bit; this is for the numbers' way through the database.
TOLERANCE = 1e-9

Value = str | float | int | None


class NothingToExplain(CxplanError):
    code = "nothing_to_explain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step with its figures by name, in the order of the computation."""

    title: str
    figures: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`differing` names stored numbers that came out otherwise; `is_current`: the rows are still those."""

    action: str
    metric: str
    as_of: date
    steps: tuple[Step, ...]
    is_current: bool
    agrees: bool
    differing: tuple[str, ...]


def explain_effect(*, action: Action, settings: Settings = DEFAULTS) -> Explanation:
    """Compute the target effect of `action` again, as on the day it was last measured.

    Raises NothingToExplain when it was never measured, or by another method.
    """
    stored = Effect.objects.on_target().filter(action=action).select_related("metric__touchpoint", "run").first()
    if stored is None:
        raise NothingToExplain(f"{action.external_id} has not been measured. Run `measure` first.")
    if stored.method != METHOD:
        raise NothingToExplain(
            f"{action.external_id} was measured with {stored.method}; this version knows {METHOD}. Run `measure`."
        )
    data = read_metric(metric=stored.metric, as_of=stored.as_of, settings=settings)
    index = next((row for row, log in enumerate(data.logs) if log.pk == action.pk), None)
    if index is None:
        raise NothingToExplain(f"{action.external_id} no longer took effect. Run `measure` again.")
    footing = read_footing(stored.run.start)
    fit = engine.fit_metric(data.panel, data.actions, settings, footing.noise, None, footing.spreads)
    result = fit.actions[index]
    differing = _differing(result, stored)
    return Explanation(
        action=action.external_id,
        metric=stored.metric.code,
        as_of=stored.as_of,
        steps=(
            _run(stored.run),
            _panel(data),
            _action(data, index, settings),
            _compared(data, index, settings),
            _noise(fit),
            _windows(result, settings),
            _naive(result, settings),
            _effect(result),
            _checks(fit),
        ),
        is_current=stored.fingerprint == metric_fingerprint(stored.metric, stored.as_of, settings),
        agrees=not differing,
        differing=differing,
    )


def _differing(result: ActionEffect, stored: Effect) -> tuple[str, ...]:
    """The stored numbers that came out otherwise this time."""
    span = result.interval if result.status == Effect.Status.ESTIMATED else None
    pairs = {
        "effect": (span.effect if span else None, stored.effect),
        "se": (span.se if span else None, stored.se),
        "low": (span.low if span else None, stored.low),
        "high": (span.high if span else None, stored.high),
        "p_positive": (span.p_positive if span else None, stored.p_positive),
        "raw_effect": (result.raw, stored.raw_effect),
        "raw_se": (result.raw_se, stored.raw_se),
        "naive_change": (result.naive_change, stored.naive_change),
    }
    return tuple(name for name, (again, before) in pairs.items() if not _same(finite(again), before))


def _same(again: float | None, before: float | None) -> bool:
    if again is None or before is None:
        return again is before
    return abs(again - before) <= TOLERANCE * max(1.0, abs(again))


def _run(run: Run) -> Step:
    start = read_footing(run.start)
    return Step(
        title="The measurement",
        figures=(
            ("run", run.pk),
            ("method", run.method),
            ("fingerprint of the rows and settings", run.fingerprint),
            ("seed", run.seed),
            ("as of", run.as_of.isoformat()),
            ("noise", "kept with the run" if start.noise else "not known"),
            ("spreads of effects", "kept from the month's first fit" if start.spreads else "searched for"),
        ),
    )


def _compared(data: MetricData, index: int, settings: Settings) -> Step:
    """Units with answers in the window that judges, outside the ramp and primary windows of their own actions."""
    actions, panel = data.actions, data.panel
    begin = int(actions.start[index]) + settings.ramp_weeks + int(actions.lag[index])
    end = int(actions.start[index]) + settings.primary_end + int(actions.lag[index])
    weeks = np.arange(max(begin, 0), min(end, panel.weeks))
    busy = np.zeros((panel.units, panel.weeks), dtype=np.bool_)
    for j in np.flatnonzero(actions.aimed):
        first, last = int(actions.start[j]), int(actions.start[j]) + settings.primary_end + int(actions.lag[j])
        busy[actions.unit[j], max(first, 0) : max(last, 0)] = True
    answering = (panel.n > 0) & ~busy
    answering[actions.unit[index]] = False
    same = panel.region == panel.region[actions.unit[index]]
    each = answering[:, weeks].sum(axis=0)
    return Step(
        title="Whom it is compared with",
        figures=(
            ("other units with answers outside windows of their own", int(answering[:, weeks].any(axis=1).sum())),
            ("of the same region", int(answering[same][:, weeks].any(axis=1).sum())),
            ("fewest in a week", int(each.min()) if each.size else None),
        ),
    )


def _checks(fit: MetricFit) -> Step:
    return Step(
        title="Checks of the whole metric",
        figures=tuple(
            (check.code, f"{'held' if check.passed else 'did not hold'} ({check.value:.3g})")
            if check.value is not None
            else (check.code, "could not be run")
            for check in fit.checks
        )
        or (("none", ""),),
    )


def _panel(data: MetricData) -> Step:
    seen = data.panel.n > 0
    return Step(
        title="The weekly cells of the metric",
        figures=(
            ("units", data.panel.units),
            ("weeks", data.panel.weeks),
            ("first week", data.first_week.isoformat()),
            ("cells with answers", int(seen.sum())),
            ("effective answers", float(data.panel.n.sum())),
            ("variance between answers of one cell", finite(data.panel.within_variance)),
            ("actions aimed at it", int(data.actions.aimed.sum())),
            ("actions that can have a side effect on it", int((~data.actions.aimed).sum())),
        ),
    )


def _action(data: MetricData, index: int, settings: Settings) -> Step:
    actions = data.actions
    used = [pk for pk, is_used in zip(data.solution_ids, actions.solutions[index], strict=True) if is_used]
    codes = Solution.objects.filter(pk__in=used).order_by("code").values_list("code", flat=True)
    start, lag = int(actions.start[index]), int(actions.lag[index])
    return Step(
        title="The action",
        figures=(
            ("solutions", ", ".join(codes)),
            ("takes effect in the week of", data.monday(start).isoformat()),
            ("judged from the week of", data.monday(start + settings.ramp_weeks + lag).isoformat()),
            ("judged until before the week of", data.monday(start + settings.primary_end + lag).isoformat()),
            ("weeks the window is moved because it needs time", lag),
            ("drawn by lot", "yes" if actions.randomised[index] else "no"),
            ("fidelity", finite(float(actions.fidelity[index]))),
        ),
    )


def _noise(fit: MetricFit) -> Step:
    noise = fit.noise
    if noise is None:
        return Step(title="How scores move when nobody does anything", figures=(("not known", fit.reason or ""),))
    scale = noise.scale
    return Step(
        title="How scores move when nobody does anything (standard deviations)",
        figures=(
            ("between units", noise.v_a**0.5 / scale),
            ("of a unit's own ups and downs", noise.v_s**0.5 / scale),
            ("their correlation from period to period", noise.rho),
            ("of a cell beyond its answers", noise.nu2**0.5 / scale),
            ("of a region's ups and downs", noise.v_g**0.5 / scale),
            ("weeks in a period", noise.period_weeks),
            ("factor on standard errors from pretend actions", fit.inflation),
            ("settled", "yes" if fit.converged else "no"),
        ),
    )


def _windows(result: ActionEffect, settings: Settings) -> Step:
    return Step(
        title="What is known of before and after",
        figures=(
            (f"weeks with answers in the {settings.baseline_window} before", result.weeks_before),
            ("answers in them", result.n_before),
            ("weeks with answers in the window that judges", result.weeks_after),
            ("answers in them ", result.n_after),
            ("flags", ", ".join(result.flags)),
        ),
    )


def _naive(result: ActionEffect, settings: Settings) -> Step:
    return Step(
        title="What plain before and after claims",
        figures=(
            (
                f"mean of {settings.naive_after} weeks after minus mean of {settings.naive_before} before",
                finite(result.naive_change),
            ),
            ("of which season and a bad spell that ended", finite(result.regression_and_season)),
        ),
    )


def _effect(result: ActionEffect) -> Step:
    interval = result.interval
    if interval is None:
        return Step(
            title="The effect",
            figures=(("status", result.status), ("reason", result.reason), ("because", result.detail)),
        )
    return Step(
        title="The effect, positive is better",
        figures=(
            ("from this unit's own weeks alone", finite(result.raw)),
            ("its standard error", finite(result.raw_se)),
            ("with all other uses", finite(interval.effect)),
            ("standard error", finite(interval.se)),
            ("low (95 %)", finite(interval.low)),
            ("high (95 %)", finite(interval.high)),
            ("probability of an improvement", finite(interval.p_positive)),
            ("rank among pretend actions", finite(result.placebo_p)),
            ("quality of 100", result.quality),
        ),
    )
