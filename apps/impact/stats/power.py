"""What could an action, or a roll-out, show at all? From the fitted noise alone, before anyone acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import actions as reading
from . import effects, groups, information, sufficient
from .blocks import interventions, lay_out
from .cells import answering, answers
from .columns import lay_columns
from .data import DEFAULTS, Actions, Floats, Ints, Panel, Settings
from .errors import NotEstimable
from .noise import Noise

DETECTABLE = 2.8  # standard errors: 80 % power at 5 %, 1.96 + 0.84
USUAL_SPREAD = (0.10, 0.05, 0.05)  # v_p, v_b, v_sb on the reference scale, typical of earlier fits
FLAT_SD = 30.0  # no prior on the effect
MOST_UNITS = 400  # beyond this a roll-out is not a test


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What a design can detect.

    Attributes
    ----------
    units : int
        Units that act.
    weeks : int
        Weeks from the first start to the end of the follow-up.
    se : float
        Standard error of the effect, metric units.
    detectable : float
        Smallest effect found in four of five cases, metric units.
    """

    units: int
    weeks: int
    se: float
    detectable: float


def action_power(panel: Panel, noise: Noise, unit: int, settings: Settings = DEFAULTS, lag: int = 0) -> Power:
    """What one action in one unit could show by itself.

    Parameters
    ----------
    panel : Panel
        The metric; only how many answers each unit usually has is used.
    noise : Noise
        Its fitted noise.
    unit : int
        Row of the panel.
    settings : Settings
        Windows.
    lag : int
        Shift of the primary window, weeks.

    Raises
    ------
    NotEstimable
        ``too_few_answers`` when the unit has none.
    """
    follow = settings.primary_end + lag
    coming = _coming(panel, noise, settings, settings.baseline_window + follow)
    model = _model(coming, _starts([unit], [settings.baseline_window], lag), noise, settings)
    joint = _joint(model, settings)
    variance = float(reading.read(model, joint).raw_variance[0])
    if not np.isfinite(variance):
        raise NotEstimable("too_few_answers", "the unit has too few answers to show anything")
    se = float(np.sqrt(variance)) / noise.scale
    return Power(units=1, weeks=follow, se=se, detectable=DETECTABLE * se)


def rollout_power(
    panel: Panel,
    noise: Noise,
    units: Sequence[int],
    starts: Sequence[int],
    settings: Settings = DEFAULTS,
    follow: int | None = None,
) -> Power:
    """What a roll-out of one solution could show, from the joint information of all units.

    Parameters
    ----------
    panel, noise, settings
        As in `action_power`.
    units : sequence of int
        Rows of the panel that act.
    starts : sequence of int
        Week in which each starts, counted from the first possible start (0).
    follow : int or None
        Weeks observed after the last start; None: the whole primary window.

    Raises
    ------
    NotEstimable
        ``bad_input``, or ``too_few_answers`` when nothing can be learnt.
    """
    if len(units) != len(starts) or not len(units) or min(starts) < 0:
        raise NotEstimable("bad_input", "every unit needs a start week, counted from 0")
    after = settings.primary_end if follow is None else follow
    weeks = max(starts) + after
    coming = _coming(panel, noise, settings, settings.baseline_window + weeks)
    begin = [settings.baseline_window + int(week) for week in starts]
    model = _model(coming, _starts(units, begin, 0), noise, settings)
    joint = _joint(model, settings)
    rows = model.columns.effect_rows(np.array([0]))
    if model.columns.theta[0] < 0:
        raise NotEstimable("too_few_answers", "no unit has answers in its primary window")
    se = float(np.sqrt((rows @ joint.beta.covariance @ rows.T)[0, 0])) / noise.scale
    if se * noise.scale > FLAT_SD / 3.0:
        raise NotEstimable("too_few_answers", "the roll-out leaves nothing to compare with")
    return Power(units=len(units), weeks=weeks, se=se, detectable=DETECTABLE * se)


def units_needed(
    panel: Panel, noise: Noise, wanted: float, settings: Settings = DEFAULTS, waves: int = 4, gap: int = 3
) -> Power:
    """The smallest stepped roll-out that could show a wanted effect.

    Parameters
    ----------
    wanted : float
        Effect to be found, metric units, above 0.
    waves, gap : int
        Number of start weeks and weeks between them.

    Raises
    ------
    NotEstimable
        ``bad_input``, or ``out_of_reach`` when not even a roll-out over the network would do.
    """
    if not wanted > 0:
        raise NotEstimable("bad_input", "the wanted effect must be above zero")
    able = np.flatnonzero(_usual(panel, settings) > 0)
    rng = np.random.default_rng(settings.seed + 4)
    order = rng.permutation(able)
    most = min(MOST_UNITS, max(1, able.shape[0] - settings.comparison_units))

    def at(count: int) -> Power | None:
        chosen = np.sort(order[:count])
        try:
            return rollout_power(panel, noise, chosen.tolist(), wedge(count, waves, gap, settings.seed), settings)
        except NotEstimable:
            return None

    best = at(most)
    if best is None or best.detectable > wanted:
        told = "nothing" if best is None else f"{best.detectable:.3g}"
        raise NotEstimable("out_of_reach", f"{most} units could show {told}, wanted {wanted:.3g}")
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        found = at(middle)
        if found is not None and found.detectable <= wanted:
            best, high = found, middle
        else:
            low = middle
    return best


def wedge(count: int, waves: int, gap: int, seed: int) -> list[int]:
    """Draw the start week of each of `count` units: waves of even size, `gap` weeks apart."""
    if count < 1 or waves < 1 or gap < 1:
        raise NotEstimable("bad_input", "a roll-out needs units, waves and weeks between them")
    slots = np.arange(count) % waves
    return [int(week) for week in np.random.default_rng(seed).permutation(slots) * gap]


def _usual(panel: Panel, settings: Settings) -> Floats:
    """Mean weekly answers of each unit over the last half year with answers anywhere, (U,)."""
    weekly = answers(panel)
    live = np.flatnonzero(weekly.any(axis=0))
    return np.asarray(
        weekly[:, live[-settings.baseline_window :]].mean(axis=1) if live.size else weekly.sum(axis=1)
    )


def _coming(panel: Panel, noise: Noise, settings: Settings, weeks: int) -> Panel:
    n = np.repeat(_usual(panel, settings)[:, None], weeks, axis=1)
    return Panel(
        y=np.where(n > 0, noise.origin, np.nan),
        n=n,
        within_variance=panel.within_variance,
        region=panel.region,
        kind=panel.kind,
    )


def _starts(units: Sequence[int], begin: Sequence[int], lag: int) -> Actions:
    count = len(units)
    return Actions(
        unit=np.asarray(units, dtype=np.int64),
        start=np.asarray(begin, dtype=np.int64),
        end=np.full(count, np.iinfo(np.int64).max // 4),
        aimed=np.ones(count, dtype=np.bool_),
        solutions=np.ones((count, 1), dtype=np.bool_),
        lag=np.full(count, lag, dtype=np.int64),
        randomised=np.ones(count, dtype=np.bool_),
        fidelity=np.full(count, np.nan),
    )


def _model(panel: Panel, actions: Actions, noise: Noise, settings: Settings) -> information.Model:
    statistics = sufficient.compute(panel, actions, noise, settings, None)
    done = interventions(actions, settings)
    weekly = answers(panel)
    blocks = lay_out(panel, done, weekly, settings)
    labels: Ints = groups.eligible(panel.region, answering(weekly), settings)
    kind = np.zeros(panel.units, dtype=np.int64)
    columns = lay_columns(blocks, done, kind, None, settings)
    return information.build(
        statistics, blocks, done, columns, panel.region, labels if noise.v_g > 0 else labels[:0], settings
    )


def _joint(model: information.Model, settings: Settings) -> reading.Joint:
    info = information.integrate(model, np.asarray(USUAL_SPREAD))
    between = np.array([FLAT_SD, settings.prior_w_l, settings.prior_w_c, settings.prior_w_sd])
    return reading.join(info, effects.posterior(info, model.columns, between, settings))
