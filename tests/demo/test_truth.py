"""Does the chain hold the traps and the truths it promises?"""

import csv
from collections import defaultdict
from datetime import date

import numpy as np
import pytest

from cxplan.demo.content import load_content
from cxplan.demo.decisions import profile
from cxplan.demo.world import GRID
from tests.demo.conftest import Generated

FAD = "welcome-coffee"
BEFORE, AFTER = 8, slice(3, 15)  # weeks a dashboard compares


def weekly_means(chain: Generated, metric: str) -> dict[str, np.ndarray]:
    """Mean answers by branch and week, from the file alone."""
    start = date.fromisoformat(chain.truth.start)
    total = defaultdict(lambda: np.zeros((2, chain.truth.weeks)))
    with (chain.folder / "feedback-surveys.csv").open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            if row[metric]:
                week = (date.fromisoformat(row["occurred_at"][:10]) - start).days // 7
                total[row["unit"]][:, week] += (float(row[metric]), 1)
    with np.errstate(invalid="ignore"):
        return {unit: sums[0] / sums[1] for unit, sums in total.items()}


def logged(chain: Generated) -> list[dict[str, str]]:
    with (chain.folder / "actions.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def flagship(chain: Generated) -> list[dict[str, str]]:
    return [row for row in logged(chain) if row["challenge"] == chain.truth.flagship]


def test_before_and_after_praises_the_useless_fad(full: Generated) -> None:
    means = weekly_means(full, full.truth.flagship_metric)
    start = date.fromisoformat(full.truth.start)
    claimed = defaultdict(list)
    for row in flagship(full):
        week = (date.fromisoformat(row["effective_on"]) - start).days // 7
        series = means[row["unit"]]
        after = series[week + AFTER.start : week + AFTER.stop]
        if week >= BEFORE and len(after) == AFTER.stop - AFTER.start:
            for code in row["solutions"].split("|"):
                claimed[code].append(np.nanmean(after) - np.nanmean(series[week - BEFORE : week]))
    naive = {code: float(np.mean(changes)) for code, changes in claimed.items()}
    order = sorted(naive, key=naive.__getitem__, reverse=True)
    assert full.truth.effect(FAD, full.truth.flagship_metric) == 0
    assert naive[FAD] >= 0.25
    assert order.index(FAD) < 3
    above = [code for code in order[order.index(FAD) + 1 :] if full.truth.effect(code, "counter-rating") > 0.2]
    assert len(above) >= 2


def test_the_fad_is_the_most_used_and_does_nothing(full: Generated) -> None:
    uses = defaultdict(int)
    for row in flagship(full):
        for code in row["solutions"].split("|"):
            uses[code] += 1
    assert max(uses, key=uses.__getitem__) == FAD
    assert FAD in full.truth.useless
    assert not [row for row in full.truth.solutions if row.solution in full.truth.useless]


def test_the_flagship_is_rich_enough_to_rank(full: Generated) -> None:
    actions = flagship(full)
    assert len(actions) >= 150
    assert len({row["unit"] for row in actions}) >= 70
    used = {code for row in actions for code in row["solutions"].split("|")}
    assert 6 <= len(used) <= 7
    ranking = full.truth.ranking(tuple(used), full.truth.flagship_metric)
    assert ranking[0][1] > 0.5
    assert ranking[-1][1] < -0.2


def test_there_are_all_kinds_of_truth(full: Generated) -> None:
    truth = full.truth
    assert truth.effect("two-minute-counter", "counter-rating") > 0.4
    assert truth.effect("two-minute-counter", "fees-rating") < -0.3
    fading = next(
        row for row in truth.solutions if (row.solution, row.metric) == ("waiting-time-screen", "counter-rating")
    )
    assert fading.late2 < 0.25 * fading.effect
    assert 3 <= len(truth.never_used) <= 4
    assert truth.gaps == ("ev-charging-cost", "late-return-safety")
    assert len(truth.drawn_by_lot) >= 20
    assert truth.everywhere_at_once == ("all-in-price",)
    pairs = [
        row
        for row in logged(full)
        if {"documents-before-arrival", "queue-host"} <= set(row["solutions"].split("|"))
    ]
    assert len(pairs) >= 8
    assert sum(bool(row["ended_on"]) for row in logged(full)) >= 2
    recent = [action for action in truth.actions if action.weeks < 8]
    assert len(recent) >= 20


def test_the_launch_leaves_no_branch_to_compare_with(full: Generated) -> None:
    launched = [row for row in logged(full) if row["solutions"] == "all-in-price"]
    assert len({row["effective_on"] for row in launched}) == 1
    assert len(launched) >= 110


def test_several_challenges_share_an_outcome() -> None:
    metrics = [challenge.metric for challenge in load_content().challenges]
    assert sum(metrics.count(metric) > 1 for metric in set(metrics)) >= 4


def test_no_effect_is_clipped_away(full: Generated) -> None:
    ratings = set(load_content().ratings) - {"invoice-as-agreed"}
    for row in full.truth.solutions:
        if row.metric in ratings and row.latent:
            assert row.effect / row.latent == pytest.approx(1, abs=0.2)


def test_realised_effects_agree_with_the_design(full: Generated) -> None:
    for row in full.truth.solutions:
        if row.realised is not None and row.actions >= 15:
            assert row.realised == pytest.approx(row.effect, abs=0.15 * abs(row.effect) + 0.02)


def test_the_sign_in_branch_has_the_problem_and_a_past(full: Generated) -> None:
    means = weekly_means(full, full.truth.flagship_metric)
    recent = {unit: np.nanmean(series[-12:]) for unit, series in means.items() if np.isfinite(series[-12:]).any()}
    worst = sorted(recent, key=recent.__getitem__)
    assert full.truth.story_branch in worst[: len(worst) // 10]
    mine = [row for row in logged(full) if row["unit"] == full.truth.story_branch]
    assert len(mine) >= 4
    start = date.fromisoformat(full.truth.start)
    tried = [row for row in mine if row["challenge"] == full.truth.flagship]
    assert tried
    assert all(
        (date.fromisoformat(row["effective_on"]) - start).days // 7 < full.truth.weeks - 25 for row in tried
    )


def test_branches_act_after_bad_weeks(full: Generated) -> None:
    means = weekly_means(full, full.truth.flagship_metric)
    start = date.fromisoformat(full.truth.start)
    dips = []
    for row in flagship(full):
        week = (date.fromisoformat(row["effective_on"]) - start).days // 7
        if week >= 20 and FAD in row["solutions"].split("|"):
            series = means[row["unit"]]
            dips.append(np.nanmean(series[week - 6 : week - 1]) - np.nanmean(series[: week - 6]))
    assert np.mean(dips) < -0.3


def test_an_effect_ramps_up_and_may_fade() -> None:
    solutions = {solution.code: solution for solution in load_content().solutions}
    weeks = np.array([-1, 0, 2, 11, 19])
    lasting = profile(solutions["peak-roster"], weeks)
    fading = profile(solutions["waiting-time-screen"], weeks)
    assert lasting == pytest.approx([0, 1 / 3, 1, 1, 1])
    assert fading == pytest.approx([0, 1 / 3, 1, 0.5, 0.25])


def test_every_solution_has_its_truth_and_the_reverse() -> None:
    content = load_content()
    assert {solution.code for solution in content.solutions} == set(content.truth["solution"])
    metrics = {metric.code for metric in content.metrics}
    assert all(set(solution.effect) <= metrics for solution in content.solutions)


def test_expected_answers_match_simulated_ones(full: Generated) -> None:
    """The oracle's table against brute force, for one mean of the recommendation question."""
    content = load_content()
    from cxplan.demo.world import RECOMMEND_SLOPE, _scale, _tables

    scale = _scale(content)
    table = _tables(content, scale)[0, -1]
    rng = np.random.default_rng(5)
    segment = rng.choice(3, size=400_000, p=content.segment_shares()[0])
    shift = RECOMMEND_SLOPE * (content.segment_shifts() @ scale.weights)[segment]
    answers = np.clip(np.rint(7.4 + shift + scale.recommend_sd * rng.normal(size=len(shift))), 0, 10)
    score = 100 * ((answers >= 9).mean() - (answers <= 6).mean())
    assert np.interp(7.4, GRID, table) == pytest.approx(score, abs=0.5)
