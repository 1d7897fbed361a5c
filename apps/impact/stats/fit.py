"""How do cells and actions of one metric become effects?

Everything here is deterministic given `Settings.seed`: identical to the bit whatever the chunking.
A network that is too small does not raise: the fit carries the reason and the plain changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy import special

from . import actions as reading
from . import beliefs, checks, effects, groups, information, portion, series, solutions, sufficient
from . import noise as noise_model
from .blocks import PRIMARY, SIDE, interventions, lay_out
from .cells import answering, answers, choose_period
from .columns import lay_columns
from .data import DEFAULTS, Actions, Floats, Ints, Panel, Settings
from .errors import NotEstimable
from .noise import Noise
from .plain import Plain, describe
from .ranking import rank_draws
from .results import METHOD, ActionEffects, Check, Ranking, Series, SideEffect, SolutionEffect
from .rules import ActionFacts, Refusal, expected_spread, judge_actions, quality
from .sufficient import UnitStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What `counterfactual` needs again: the model and its posterior."""

    model: information.Model
    joint: reading.Joint
    readings: reading.Readings


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFit:
    """One metric's effects.

    Attributes
    ----------
    solutions : tuple of SolutionEffect
        One for every column of `Actions.solutions`, in order (those never aimed at the metric
        carry `reason="never_used"`).
    side_effects : tuple of SideEffect
        Effects here of solutions aimed at other metrics, only those that were used.
    actions : ActionEffects
        One for every row of `Actions`, in order.
    checks : tuple of Check
        What was checked, and whether it held.
    noise : Noise or None
        None when the network is too small.
    reason, detail : str or None
        ``network_too_small``, ``no_answers`` or ``constant`` when nothing was estimated.
    draws : (draws, R) float
        Posterior draws of the effects of `drawn`, metric units.
    drawn : (R,) int
        Solutions with draws.
    draws_in : mapping
        The same draws for units of each kind, by the panel's label; empty where there is one kind.
    inflation : float
        Factor already applied to the standard errors because placebos were too wide, 1 or more.
    converged : bool
        Noise and evidence maximisation both met their tolerance.
    spreads : Spreads or None
        To start the next fit of the metric from.
    state : State or None
        For `counterfactual`; None when nothing was estimated.
    method : str
        Method id.
    """

    solutions: tuple[SolutionEffect, ...]
    side_effects: tuple[SideEffect, ...]
    actions: ActionEffects
    checks: tuple[Check, ...]
    noise: Noise | None
    reason: str | None
    detail: str | None
    draws: Floats
    drawn: Ints
    draws_in: Mapping[int, Floats]
    inflation: float
    converged: bool
    spreads: effects.Spreads | None
    state: State | None
    method: str = METHOD


def fit_noise(panel: Panel, actions: Actions, settings: Settings = DEFAULTS, start: Noise | None = None) -> Noise:
    """Fit the noise model of a metric.

    Parameters
    ----------
    panel, actions : Panel, Actions
        All units of the metric.
    settings : Settings
        Constants.
    start : Noise or None
        An earlier fit, to start from.

    Raises
    ------
    NotEstimable
        ``network_too_small``, ``no_answers`` or ``constant``.
    """
    _check(panel, actions)
    return noise_model.fit(panel, actions, settings, start)


def unit_statistics(
    panel: Panel, actions: Actions, noise: Noise, settings: Settings = DEFAULTS, units: Ints | None = None
) -> UnitStatistics:
    """Sufficient statistics of some units: additive with `merge`, picklable, cacheable.

    Parameters
    ----------
    panel, actions : Panel, Actions
        A chunk of units; `actions.unit` are rows of this panel.
    noise : Noise
        From `fit_noise` on the whole metric.
    settings : Settings
        The same as everywhere.
    units : (U,) int or None
        Rows of the chunk's units in the whole panel, ascending; None for the whole panel.
    """
    _check(panel, actions)
    return sufficient.compute(panel, actions, noise, settings, units)


def merge(parts: Sequence[UnitStatistics]) -> UnitStatistics:
    """Put chunks together again; the order of `parts` does not matter, to the bit."""
    return sufficient.merge_statistics(parts)


def fit_metric(
    panel: Panel,
    actions: Actions,
    settings: Settings = DEFAULTS,
    noise: Noise | None = None,
    statistics: UnitStatistics | None = None,
    spreads: effects.Spreads | None = None,
) -> MetricFit:
    """Estimate everything for one metric.

    Parameters
    ----------
    panel, actions : Panel, Actions
        All units and all actions that can touch the metric.
    settings : Settings
        Windows, priors, thresholds, seed.
    noise : Noise or None
        From `fit_noise`; computed when not given.
    statistics : UnitStatistics or None
        Merged over all units; computed when not given.
    spreads : Spreads or None
        `MetricFit.spreads` of an earlier fit of the metric; searched for when not given.

    Returns
    -------
    MetricFit

    Raises
    ------
    NotEstimable
        ``bad_input`` or ``bad_chunk`` for arrays that do not fit together.
    """
    _check(panel, actions)
    done = interventions(actions, settings)
    try:
        if noise is None:
            noise = noise_model.fit(panel, actions, settings, None)
    except NotEstimable as refusal:
        return _descriptive(panel, actions, settings, refusal)
    if statistics is None:
        statistics = sufficient.compute(panel, actions, noise, settings, None)
    if statistics.noise != noise or statistics.units.shape[0] != panel.units:
        raise NotEstimable("bad_chunk", "the statistics belong to another panel or noise")
    weekly = answers(panel)
    blocks = lay_out(panel, done, weekly, settings)
    if not np.array_equal(np.bincount(blocks.unit, minlength=panel.units), statistics.block_count):
        raise NotEstimable("bad_chunk", "the statistics were made with other actions")
    labels = groups.eligible(panel.region, answering(weekly), settings)
    columns = lay_columns(blocks, done, panel.kind, actions.challenge, settings)
    shocks = labels if noise.v_g > 0 else labels[:0]
    model = information.build(statistics, blocks, done, columns, panel.region, shocks, settings)
    believed = beliefs.believe(model, spreads)
    joint = reading.join(believed.information, believed.normal)
    readings = reading.read(model, joint)
    plain = describe(panel, actions, done, labels, noise.period_weeks, settings)
    used = solutions.uses(model, actions)
    smallest = settings.smallest_effect
    if smallest is None:
        smallest = settings.smallest_effect_share * settings.reference_sd / noise.scale
    found = checks.run(model, believed, joint, readings, panel, actions, plain, used)
    effects_of = solutions.describe(
        model,
        believed,
        readings,
        plain,
        panel,
        actions,
        used,
        found.factor,
        smallest,
        found.leave_out,
        found.placebo_green,
    )
    noisy_from = settings.precision_ratio * max(expected_spread(settings) / noise.scale, smallest)
    aimed = bool(done.aimed.any()) and bool((columns.theta >= 0).any())
    draws, draws_in = solutions.draw_effects(model, believed, found.factor)
    state = State(model=model, joint=joint, readings=readings)
    return MetricFit(
        solutions=effects_of,
        side_effects=solutions.side_effects(model, believed.beta, found.inflation),
        actions=_action_effects(state, panel, actions, plain, found, noisy_from, settings),
        checks=found.checks,
        noise=noise,
        reason=None,
        detail=None,
        draws=draws if aimed else np.zeros((settings.draws, 0)),
        drawn=np.arange(actions.solution_count if aimed else 0, dtype=np.int64),
        draws_in=draws_in if aimed else {},
        inflation=found.inflation,
        converged=believed.spreads.converged and noise.converged,
        spreads=believed.spreads,
        state=state,
    )


def counterfactual(fit: MetricFit, panel: Panel, action_index: int) -> Series:
    """One action's unit with and without it, every period with answers somewhere.

    Raises
    ------
    NotEstimable
        The action's own reason when it has no estimate.
    """
    effect = fit.actions[action_index]
    if fit.state is None or effect.interval is None:
        raise NotEstimable(effect.reason or "not_estimable", effect.detail or "the action has no estimate")
    model, joint = fit.state.model, fit.state.joint
    intervention = model.done.of_action[action_index : action_index + 1]
    unit = int(model.done.unit[intervention[0]])
    part = next(portion.portions(model, joint, panel, np.array([unit, unit + 1])))
    group = portion.group(joint, int(model.group[unit]))
    return series.draw(portion.common(model, joint, fit.inflation), group, part, 0, intervention)[0]


def rank(fit: MetricFit, subset: Sequence[int], settings: Settings = DEFAULTS, kind: int | None = None) -> Ranking:
    """Rank the solutions of a challenge (columns of `Actions.solutions`) from the fit's draws.

    With `kind`, a label of `Panel.kind`, by what they do in units of that kind.
    """
    standing = {each.solution: each.standing for each in fit.solutions}
    draws = fit.draws if kind is None else fit.draws_in.get(kind, fit.draws)
    return rank_draws(draws, fit.drawn, subset, standing, settings)


def _check(panel: Panel, actions: Actions) -> None:
    shape = panel.y.shape
    if (
        panel.y.ndim != 2
        or panel.n.shape != shape
        or panel.region.shape[0] != shape[0]
        or panel.kind.shape[0] != shape[0]
    ):
        raise NotEstimable("bad_input", "the arrays of the panel do not fit together")
    if panel.usable is not None and panel.usable.shape != shape:
        raise NotEstimable("bad_input", "`usable` does not fit the panel")
    count = actions.count
    lengths = {
        len(value)
        for value in (
            actions.start,
            actions.end,
            actions.aimed,
            actions.solutions,
            actions.lag,
            actions.randomised,
            actions.fidelity,
        )
    }
    if lengths != {count}:
        raise NotEstimable("bad_input", "the arrays of the actions do not fit together")
    if count and (actions.unit.min() < 0 or actions.unit.max() >= shape[0]):
        raise NotEstimable("bad_input", "an action's unit is not in the panel")


def _facts(
    state: State, panel: Panel, actions: Actions, plain: Plain, raw_se: Floats, noisy_from: float
) -> ActionFacts:
    """What is known of each action, in order."""
    model = state.model
    of = model.done.of_action
    return ActionFacts(
        weeks_before=plain.weeks_before,
        weeks_after=plain.weeks_after,
        n_before=plain.n_before,
        n_after=plain.n_after,
        counts_answers=model.statistics.noise.sampling > 0,
        primary_start=plain.primary_start,
        primary_end=plain.primary_end,
        weeks=panel.weeks,
        ended=plain.ended,
        compared=plain.compared,
        fewest=plain.fewest,
        raw_se=raw_se[of],
        noisy_from=noisy_from,
        shared=np.where(actions.aimed, plain.shared, 0.0),
        correlation=state.readings.correlation[of],
        disturbed=plain.disturbed,
        merged=(np.bincount(of, minlength=model.done.unit.shape[0]) > 1)[of],
        randomised=actions.randomised,
        fidelity=actions.fidelity,
    )


def _action_effects(
    state: State,
    panel: Panel,
    actions: Actions,
    plain: Plain,
    found: checks.Findings,
    noisy_from: float,
    settings: Settings,
) -> ActionEffects:
    """Every action's numbers, or why there are none."""
    model, readings, of = state.model, state.readings, state.model.done.of_action
    scale = model.statistics.noise.scale
    sd = np.sqrt(readings.variance) / scale * found.inflation
    raw_se = np.sqrt(readings.raw_variance) / scale * found.inflation
    facts = _facts(state, panel, actions, plain, raw_se, noisy_from)
    refusals, flags = judge_actions(facts, settings)
    present = np.zeros(model.done.unit.shape[0], dtype=np.bool_)
    present[model.blocks.intervention[np.isin(model.blocks.kind, (PRIMARY, SIDE))]] = True
    allowed = np.array([refusal is None for refusal in refusals], dtype=np.bool_)
    told = allowed & (present & np.isfinite(readings.mean) & np.isfinite(sd) & (sd > 0))[of]
    if found.inflation > 1.0:
        for j in np.flatnonzero(told).tolist():
            flags[j] = (*flags[j], "noise_inflated")

    def numbers(of_action: Floats) -> list[float | None]:
        return _known(np.where(told, of_action, np.nan))

    mean, wide = readings.mean[of] / scale, sd[of]
    reach = float(special.ndtri(0.5 + 0.5 * settings.level)) * wide
    z = np.divide(mean, wide, out=np.zeros_like(mean), where=told)
    raw = np.where(np.isfinite(facts.raw_se), readings.raw[of] / scale, np.nan)
    points = quality(facts, settings)
    standing = zip(told.tolist(), refusals, strict=True)
    spoken = [("estimated", None) if yes else _refused(refusal) for yes, refusal in standing]
    return ActionEffects(
        role=["target" if aimed else "side_effect" for aimed in actions.aimed.tolist()],
        status=[status for status, _ in spoken],
        reason=[reason for _, reason in spoken],
        detail=[None if refusal is None else refusal.detail for refusal in refusals],
        effect=numbers(mean),
        se=numbers(wide),
        low=numbers(mean - reach),
        high=numbers(mean + reach),
        p_positive=numbers(special.ndtr(z)),
        raw=numbers(raw),
        raw_se=numbers(np.where(np.isfinite(raw), facts.raw_se, np.nan)),
        naive_change=_known(plain.naive),
        regression_and_season=numbers(plain.naive - raw),
        weeks_before=plain.weeks_before.tolist(),
        weeks_after=plain.weeks_after.tolist(),
        n_before=plain.n_before.tolist(),
        n_after=plain.n_after.tolist(),
        known_from=[None if refusal is None else refusal.known_from for refusal in refusals],
        placebo_p=numbers(found.placebo_p(readings)[of]),
        quality=[int(sum(got)) if yes else None for yes, got in zip(told.tolist(), points.tolist(), strict=True)],
        points=[tuple(got) for got in points.tolist()],
        flags=flags,
    )


def _refused(refusal: Refusal | None) -> tuple[str, str]:
    return (refusal.status, refusal.reason) if refusal else ("not_estimable", "too_few_answers")


def _known(values: Floats) -> list[float | None]:
    """What is not a number does not exist."""
    known = values.astype(object)
    known[~np.isfinite(values)] = None
    return cast("list[float | None]", known.tolist())


def _descriptive(panel: Panel, actions: Actions, settings: Settings, refusal: NotEstimable) -> MetricFit:
    """Plain numbers only, every estimate refused for the same reason."""
    done = interventions(actions, settings)
    labels = np.zeros(0, dtype=np.int64)
    plain = describe(panel, actions, done, labels, choose_period(panel), settings)
    nothing: list[Any] = [None] * actions.count
    told = ActionEffects(
        role=["target" if aimed else "side_effect" for aimed in actions.aimed.tolist()],
        status=["not_estimable"] * actions.count,
        reason=[refusal.code] * actions.count,
        detail=[refusal.detail] * actions.count,
        **dict.fromkeys(("effect", "se", "low", "high", "p_positive", "raw", "raw_se"), nothing),
        naive_change=_known(plain.naive),
        weeks_before=plain.weeks_before.tolist(),
        weeks_after=plain.weeks_after.tolist(),
        n_before=plain.n_before.tolist(),
        n_after=plain.n_after.tolist(),
        **dict.fromkeys(("regression_and_season", "known_from", "placebo_p", "quality"), nothing),
        points=[()] * actions.count,
        flags=[()] * actions.count,
    )
    found = []
    for k in range(actions.solution_count):
        mine = actions.aimed & actions.solutions[:, k]
        naive = plain.naive[mine & np.isfinite(plain.naive)]
        found.append(
            solutions.empty(k, refusal.code, refusal.detail, float(naive.mean()) if naive.size else None, 0)
        )
    return MetricFit(
        solutions=tuple(found),
        side_effects=(),
        actions=told,
        checks=(),
        noise=None,
        reason=refusal.code,
        detail=refusal.detail,
        draws=np.zeros((settings.draws, 0)),
        drawn=np.zeros(0, dtype=np.int64),
        draws_in={},
        inflation=1.0,
        converged=False,
        spreads=None,
        state=None,
    )
