"""Is every reason reachable, and does each rule speak at its threshold?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from apps.impact.stats.data import DEFAULTS
from apps.impact.stats.fit import MetricFit, fit_metric
from apps.impact.stats.rules import (
    QUALITY,
    ActionFacts,
    Refusal,
    SolutionFacts,
    evidence,
    judge_actions,
    quality,
    standing,
    verdict,
    with_side_effects,
)
from tests.impact.stats.simulator import Chain, simulate

GOOD = ActionFacts(
    weeks_before=np.array([26]),
    weeks_after=np.array([12]),
    n_before=np.array([300.0]),
    n_after=np.array([150.0]),
    counts_answers=True,
    primary_start=np.array([33]),
    primary_end=np.array([45]),
    weeks=60,
    ended=np.array([False]),
    compared=np.array([True]),
    fewest=np.array([30]),
    raw_se=np.array([0.2]),
    noisy_from=0.5,
    shared=np.array([0.0]),
    correlation=np.array([0.0]),
    disturbed=np.array([False]),
    merged=np.array([False]),
    randomised=np.array([False]),
    fidelity=np.array([90.0]),
)


def but(**change: object) -> ActionFacts:
    """A good action but for something."""
    arrays = {name for name in ActionFacts.__slots__ if isinstance(getattr(GOOD, name), np.ndarray)}
    made = {name: np.array([value]) if name in arrays else value for name, value in change.items()}
    return replace(GOOD, **made)  # type: ignore[arg-type]  # named by the caller


def judged(facts: ActionFacts) -> tuple[Refusal | None, tuple[str, ...]]:
    [refusal], [flags] = judge_actions(facts, DEFAULTS)
    return refusal, flags


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"weeks_before": 3}, "not_estimable", "no_baseline"),
        ({"n_before": 29}, "not_estimable", "no_baseline"),
        ({"weeks_after": 3, "primary_end": 61}, "too_early", "too_early"),
        ({"n_after": 29, "primary_end": 61}, "too_early", "too_early"),
        ({"weeks_after": 3}, "not_estimable", "too_few_answers"),
        ({"n_after": 29}, "not_estimable", "too_few_answers"),
        ({"weeks_after": 2, "ended": True}, "not_estimable", "ended_early"),
        ({"compared": False, "fewest": 4}, "not_estimable", "no_comparison"),
        ({"shared": 0.5}, "not_estimable", "shared_window"),
        ({"correlation": 0.81}, "not_estimable", "shared_window"),
        ({"raw_se": 0.51}, "not_estimable", "too_noisy"),
        ({"raw_se": np.nan}, "not_estimable", "too_noisy"),
    ],
)
def test_an_action_is_refused_with_its_reason(change: dict[str, object], status: str, reason: str) -> None:
    refusal, _ = judged(but(**change))
    assert refusal is not None
    assert (refusal.status, refusal.reason) == (status, reason)
    assert (refusal.known_from is not None) == (status == "too_early")


def test_numbers_of_answers_mean_nothing_where_a_cell_is_one_record() -> None:
    refusal, _ = judged(but(counts_answers=False, n_before=5, n_after=5))
    assert refusal is None


def test_flags_go_with_an_estimate() -> None:
    refusal, flags = judged(but(weeks_before=7, weeks_after=7, merged=True, randomised=True, disturbed=True))
    assert refusal is None
    assert flags == ("short_baseline", "provisional", "merged", "randomised", "event")


def test_too_early_says_from_when() -> None:
    refusal, _ = judged(but(weeks_after=1, weeks=34))
    assert refusal is not None
    assert refusal.known_from == 37


def test_the_first_rule_that_fails_decides_for_each_action_alone() -> None:
    bad = (but(weeks_before=3, compared=False), but(compared=False), GOOD, but(merged=True))
    whole = {
        name: np.concatenate([getattr(each, name) for each in bad])
        if isinstance(getattr(GOOD, name), np.ndarray)
        else getattr(GOOD, name)
        for name in ActionFacts.__slots__
    }
    refusals, flags = judge_actions(ActionFacts(**whole), DEFAULTS)
    assert [refusal and refusal.reason for refusal in refusals] == ["no_baseline", "no_comparison", None, None]
    assert flags == [(), (), (), ("merged",)]
    assert quality(ActionFacts(**whole), DEFAULTS).shape == (4, len(QUALITY))


def test_quality_adds_up_to_its_parts() -> None:
    assert quality(GOOD, DEFAULTS).tolist() == [[points for _, points in QUALITY]]
    assert sum(points for _, points in QUALITY) == 100
    less = quality(but(fidelity=50.0, fewest=5, shared=0.5, weeks_before=4), DEFAULTS)
    assert less.tolist() == [[15, 10, 15, 15, 0, 5]]
    assert quality(but(fidelity=np.nan), DEFAULTS).sum() == 90
    assert quality(but(raw_se=np.nan), DEFAULTS).sum() == 85


STRONG = SolutionFacts(
    p_positive=0.99,
    p_worthwhile=0.95,
    claim_low=0.02,
    claim_high=0.4,
    alone_low=0.01,
    alone_high=0.5,
    effect=0.2,
    heterogeneity=0.1,
    information=0.7,
    actions=20,
    units=15,
    regions=3,
    largest_region=0.5,
    newest=20,
    aliased=False,
    leave_out=0.97,
    placebo_green=True,
)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, "works"),
        ({"units": 3}, "likely_works"),
        ({"information": 0.39}, "likely_works"),
        ({"claim_low": -0.01}, "likely_works"),
        ({"alone_low": -0.01}, "likely_works"),
        ({"p_positive": 0.974}, "likely_works"),
        ({"p_positive": 0.89}, "unknown"),
        ({"p_positive": 0.02, "claim_high": -0.01, "alone_high": -0.01, "p_worthwhile": 0.0}, "harmful"),
        ({"p_positive": 0.02, "claim_high": -0.01, "p_worthwhile": 0.0}, "unlikely"),
        ({"p_positive": 0.4, "p_worthwhile": 0.09, "claim_low": -0.1}, "unlikely"),
        ({"p_positive": 0.4, "p_worthwhile": 0.09, "information": 0.59}, "unknown"),
        ({"aliased": True}, "unknown"),
        ({"information": 0.19}, "unknown"),
        ({"actions": 0}, "unknown"),
    ],
)
def test_each_verdict_has_its_threshold(change: dict[str, object], word: str) -> None:
    assert verdict(replace(STRONG, **change), DEFAULTS) == word


def test_harm_elsewhere_makes_a_trade_off() -> None:
    assert with_side_effects("works", [0.2, 0.95], DEFAULTS) == "trade_off"
    assert with_side_effects("likely_works", [0.96], DEFAULTS) == "trade_off"
    assert with_side_effects("works", [0.94], DEFAULTS) == "works"
    assert with_side_effects("unknown", [0.99], DEFAULTS) == "unknown"


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({}, 5),
        ({"leave_out": 0.94}, 4),
        ({"leave_out": None}, 4),
        ({"placebo_green": False}, 4),
        ({"regions": 1}, 4),
        ({"actions": 14}, 4),
        ({"units": 4}, 3),
        ({"information": 0.45}, 3),
        ({"information": 0.3}, 2),
        ({"information": 0.1}, 1),
        ({"actions": 0}, 0),
        ({"newest": 105}, 4),
        ({"largest_region": 0.81}, 4),
        ({"heterogeneity": 0.3}, 4),
        ({"newest": 105, "largest_region": 0.9, "heterogeneity": 0.3}, 2),
        ({"information": 0.1, "newest": 200}, 1),
    ],
)
def test_evidence_is_earned_and_lost(change: dict[str, object], level: int) -> None:
    found, parts = evidence(replace(STRONG, **change), DEFAULTS)
    assert found == level
    if level > 1:
        assert sum(part.got for part in parts) == level


def test_standing_follows_information() -> None:
    assert [standing(i, False, DEFAULTS) for i in (0.5, 0.49, 0.2, 0.19)] == [
        "rankable",
        "early",
        "early",
        "not_rankable",
    ]
    assert standing(0.9, True, DEFAULTS) == "not_rankable"


@pytest.fixture(scope="module")
def chain() -> Chain:
    return simulate(21, units=90, weeks=60, actions=150, solutions=8)


def refit(chain: Chain, **changes: object) -> MetricFit:
    return fit_metric(chain.panel, replace(chain.actions, **changes))


def test_a_launch_everywhere_at_once_has_nothing_to_be_compared_with(chain: Chain) -> None:
    units = np.arange(90)
    everywhere = replace(
        chain.actions,
        unit=units,
        start=np.full(90, 30),
        end=np.full(90, 999),
        aimed=np.ones(90, dtype=np.bool_),
        solutions=np.eye(8, dtype=np.bool_)[units % 8],
        lag=np.zeros(90, dtype=np.int64),
        randomised=np.zeros(90, dtype=np.bool_),
        fidelity=np.full(90, np.nan),
    )
    fit = fit_metric(chain.panel, everywhere)
    assert {effect.reason for effect in fit.actions} == {"no_comparison"}
    assert all(effect.naive_change is not None for effect in fit.actions)


def test_solutions_that_always_go_together_are_not_ranked_apart(chain: Chain) -> None:
    together = chain.actions.solutions.copy()
    together[:, 1] = together[:, 0] = together[:, 0] | together[:, 1]
    fit = refit(chain, solutions=together)
    assert fit.solutions[0].aliased_with == (1,)
    assert fit.solutions[1].aliased_with == (0,)
    assert {fit.solutions[k].standing for k in (0, 1)} == {"not_rankable"}
    assert {fit.solutions[k].verdict for k in (0, 1)} == {"unknown"}


def test_two_logs_close_together_are_one_intervention(chain: Chain) -> None:
    start, unit = chain.actions.start.copy(), chain.actions.unit.copy()
    start[1], unit[1] = start[0] + 3, unit[0]
    fit = refit(chain, start=start, unit=unit)
    assert "merged" in fit.actions[0].flags
    assert "merged" in fit.actions[1].flags
    assert fit.actions[0].interval == fit.actions[1].interval


def test_an_expected_lag_moves_the_window(chain: Chain) -> None:
    j = int(np.flatnonzero((chain.actions.start > 32) & (chain.actions.start < 40))[0])
    lag = chain.actions.lag.copy()
    lag[j] = 18
    plain, moved = refit(chain), refit(chain, lag=lag)
    assert moved.actions[j].weeks_after < plain.actions[j].weeks_after
    lag[j] = 40
    late = refit(chain, lag=lag).actions[j]
    assert late.status == "too_early"
    assert late.known_from is not None
    assert late.known_from > chain.panel.weeks


def test_a_small_network_gets_plain_numbers_and_a_reason(chain: Chain) -> None:
    few = np.arange(14)
    mine = chain.actions.unit < 14
    panel = replace(
        chain.panel,
        y=chain.panel.y[few],
        n=chain.panel.n[few],
        region=chain.panel.region[few],
        kind=chain.panel.kind[few],
    )
    picked = {
        name: getattr(chain.actions, name)[mine]
        for name in ("unit", "start", "end", "aimed", "solutions", "lag", "randomised", "fidelity")
    }
    fit = fit_metric(panel, replace(chain.actions, **picked))
    assert fit.reason == "network_too_small"
    assert fit.noise is None
    assert {effect.reason for effect in fit.actions} == {"network_too_small"}
    assert any(effect.naive_change is not None for effect in fit.actions)
    assert any(solution.naive_change is not None for solution in fit.solutions)
    assert all(solution.interval is None for solution in fit.solutions)
