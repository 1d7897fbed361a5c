"""Does the engine give the numbers that others have published?"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize

from apps.impact.stats import actions as reading
from apps.impact.stats import drivers, effects, information
from apps.impact.stats.columns import FIXED, Columns, W
from apps.impact.stats.data import Actions, Floats, Panel, Settings
from apps.impact.stats.noise import Noise
from apps.impact.stats.ranking import expected_rank
from apps.impact.stats.robust import cva
from tests.impact.stats import small

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "benchmarks"


def table(name: str) -> list[dict[str, str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the clone")
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def hierarchy(
    moderators: Floats, estimate: Floats, variance: Floats, settings: Settings
) -> tuple[information.Information, Columns]:
    """One block: estimate_i ~ N(moderators_i β + θ_i, variance_i), as information about (β, θ)."""
    count, fixed = moderators.shape
    z = np.hstack([moderators, np.eye(count)])
    m = z.T @ (z / variance[:, None])
    group = np.array([FIXED] * fixed + [W] * count)
    from scipy import sparse

    columns = Columns(
        group=group,
        fixed_variance=np.array([settings.mean_sd**2] * fixed + [0.0] * count),
        mean=np.zeros(4, int),
        theta=np.arange(count) + fixed,
        side=np.full(count, -1),
        late=np.full((count, 2), -1),
        challenge=np.full(count, -1),
        kinds=np.array([0]),
        phi=np.full((count, 1), -1),
        a=sparse.csr_array((0, fixed + count)),
        at=sparse.csr_array((fixed + count, 0)),
    )
    info = information.Information(spread=np.full(3, 0.1), m=m, h=z.T @ (estimate / variance), constant=0.0)
    return info, columns


FLAT = Settings(mean_sd=1e3, prior_w=1e6)


def test_random_effects_meta_analysis_of_the_bcg_trials() -> None:
    """Viechtbauer (2010), J. Stat. Softw. 36(3): rma(method="REML") on dat.bcg."""
    rows = table("bcg.csv")
    tp, tn, cp, cn = (np.array([float(row[c]) for row in rows]) for c in ("tpos", "tneg", "cpos", "cneg"))
    y = np.log(tp / (tp + tn)) - np.log(cp / (cp + cn))
    v = 1 / tp - 1 / (tp + tn) + 1 / cp - 1 / (cp + cn)
    info, columns = effects_of(np.ones((13, 1)), y, v)
    best, converged = effects.climb(info, columns, np.array([0.3, 0.12, 0.1, 0.1]), FLAT)
    assert converged
    assert best.between[0] ** 2 == pytest.approx(0.3132, abs=1e-4)
    assert best.mean[0] == pytest.approx(-0.7145, abs=1e-4)
    assert np.sqrt(best.covariance[0, 0]) == pytest.approx(0.1798, abs=1e-4)
    published = [
        -0.8002,
        -1.2517,
        -0.9869,
        -1.3979,
        -0.2874,
        -0.7846,
        -1.2440,
        0.0029,
        -0.5068,
        -1.2472,
        -0.3537,
        -0.2847,
        -0.1467,
    ]
    np.testing.assert_allclose(best.mean[0] + best.mean[1:], published, atol=2e-4)
    latitude = np.array([float(row["ablat"]) for row in rows])
    info, columns = effects_of(np.column_stack([np.ones(13), latitude]), y, v)
    best, _ = effects.climb(info, columns, np.array([0.3, 0.12, 0.1, 0.1]), FLAT)
    assert best.between[0] ** 2 == pytest.approx(0.0764, abs=1e-4)
    assert best.mean[1] == pytest.approx(-0.0291, abs=1e-4)
    assert np.sqrt(best.covariance[1, 1]) == pytest.approx(0.0072, abs=1e-4)


def effects_of(moderators: Floats, y: Floats, v: Floats) -> tuple[information.Information, Columns]:
    return hierarchy(moderators, y, v, FLAT)


def test_shrinkage_of_the_batting_averages() -> None:
    """Efron, Morris (1975), JASA 70(350), table 1: factor .212, Clemente .294, ratio of squared errors 3.53."""
    rows = table("efron_morris.csv")
    y = np.array([float(row["avg45"]) for row in rows])
    later = np.array([float(row["remainder"]) for row in rows])
    mean = y.mean()
    variance = mean * (1 - mean) / 45
    keep = 1 - (len(y) - 3) * variance / np.square(y - mean).sum()
    assert keep == pytest.approx(0.212, abs=1e-3)
    w = np.sqrt(variance * keep / (1 - keep))
    info, columns = effects_of(np.ones((18, 1)), y, np.full(18, variance))
    found = effects.posterior(info, columns, np.array([w, 0.12, 0.1, 0.1]), FLAT)
    shrunk = found.mean[0] + found.mean[1:]
    assert shrunk[0] == pytest.approx(0.294, abs=1e-3)
    assert np.square(y - later).sum() / np.square(shrunk - later).sum() == pytest.approx(3.53, abs=0.03)


def test_reduction_to_imputation_on_county_employment() -> None:
    """Borusyak, Jaravel, Spiess on mpdta: flat units, no AR(1), one flat block per treated cell."""
    rows = table("mpdta.csv")
    counties = sorted({row["countyreal"] for row in rows})
    place = {c: i for i, c in enumerate(counties)}
    y = np.full((len(counties), 5), np.nan)
    first = np.zeros(len(counties), dtype=np.int64)
    for row in rows:
        y[place[row["countyreal"]], int(row["year"]) - 2003] = float(row["lemp"])
        first[place[row["countyreal"]]] = int(float(row["first.treat"]))
    unit, year = np.nonzero((first[:, None] > 0) & (np.arange(2003, 2008) >= first[:, None]))
    panel = Panel(
        y=y,
        n=np.ones_like(y),
        within_variance=None,
        region=np.zeros(len(counties), dtype=np.int64),
        kind=np.zeros(len(counties), dtype=np.int64),
        event_unit=unit,
        event_start=year,
        event_end=year + 1,
    )
    none = np.zeros(0, dtype=np.int64)
    nobody = Actions(
        unit=none,
        start=none,
        end=none,
        aimed=np.zeros(0, dtype=np.bool_),
        solutions=np.zeros((0, 1), dtype=np.bool_),
        lag=none,
        randomised=np.zeros(0, dtype=np.bool_),
        fidelity=np.zeros(0),
    )
    noise = Noise(
        scale=1.0,
        origin=float(y.mean()),
        period_weeks=1,
        sampling=0.0,
        v_a=1e5,
        v_s=1e-7,
        rho=0.5,
        nu2=0.02,
        v_g=0.0,
        rho_g=0.5,
        peak=256.0,
        converged=True,
        iterations=0,
        objective=0.0,
    )
    settings = Settings(network_units=2, network_weeks=2, block_sd=300.0)
    model = small.model(panel, nobody, noise, settings)
    info = information.integrate(model, np.full(3, 0.1))
    beta = effects.posterior(info, model.columns, np.full(4, 0.1), settings)
    tau = reading.read(model, reading.join(info, beta)).local
    assert tau.mean() == pytest.approx(-0.04771, abs=2e-5)
    event = year - (first[unit] - 2003)
    order = np.lexsort((year, unit))
    for e, published in enumerate((-0.0311, -0.0522, -0.1361, -0.1047)):
        assert tau[event[order] == e].mean() == pytest.approx(published, abs=1e-4)


def test_expected_ranks_of_the_sleep_study() -> None:
    """Lingsma's formula as merTools has it, on lmer(Reaction ~ Days + (Days | Subject)), subjects' intercepts."""
    rows = table("sleepstudy.csv")
    subjects = sorted({row["Subject"] for row in rows})
    y = np.array([[float(row["Reaction"]) for row in rows if row["Subject"] == s] for s in subjects])
    z = np.column_stack([np.ones(10), np.arange(10.0)])

    def fit(x: Floats) -> tuple[float, Floats, Floats]:
        root = np.array([[np.exp(x[0]), 0.0], [x[1], np.exp(x[2])]])
        d, s2 = root @ root.T, np.exp(2 * x[3])
        w = np.linalg.inv(z @ d @ z.T + s2 * np.eye(10))
        information = 18 * z.T @ w @ z
        beta = np.linalg.solve(information, z.T @ w @ y.sum(axis=0))
        resid = y - z @ beta
        value = -18 * np.linalg.slogdet(w)[1] + np.linalg.slogdet(information)[1]
        value += np.einsum("it,tk,ik->", resid, w, resid)
        conditional = d - d @ z.T @ w @ z @ d
        return float(value), resid @ w @ z @ d, conditional

    best = optimize.minimize(
        lambda x: fit(x)[0],
        np.log([25.0, 1.0, 6.0, 25.0]),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-10, "maxiter": 8000, "maxfev": 8000},
    )
    _, effect, covariance = fit(best.x)
    rank = expected_rank(-effect[:, 0], covariance[0, 0] * np.eye(18))
    np.testing.assert_allclose(rank[:6], [9.6347, 1.9639, 2.1037, 14.9864, 14.6862, 11.4393], atol=2e-3)


def test_expected_ranks_of_draws_meet_the_closed_form() -> None:
    mean, covariance = (
        np.array([0.3, 0.1, 0.0]),
        np.array([[0.04, 0.01, 0.0], [0.01, 0.05, 0.0], [0.0, 0.0, 0.02]]),
    )
    draws = np.random.default_rng(0).multivariate_normal(mean, covariance, 200_000)
    place = np.argsort(np.argsort(-draws, axis=1), axis=1) + 1
    np.testing.assert_allclose(place.mean(axis=0), expected_rank(mean, covariance), atol=0.01)


def test_robust_critical_values() -> None:
    """Armstrong, Kolesár, Plagborg-Møller (2022), R package ebci: cva(m2, kappa = Inf, alpha = .05)."""
    for m2, published in ((0.0, 1.959964), (0.25, 2.226654), (1.0, 3.259199)):
        assert cva(m2) == pytest.approx(published, abs=1e-6)
    for m2, rounded in ((4.0, 7.216), (10.0, 12.162), (100.0, 42.220)):
        assert cva(m2) == pytest.approx(rounded, abs=6e-4)


def test_relative_importance_of_fertility_drivers() -> None:
    """Grömping (2006), J. Stat. Softw. 17(1), R's swiss: LMG; Johnson's weights by the same data."""
    rows = table("swiss.csv")
    names = ("Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality")
    x = np.array([[float(row[name]) for name in names] for row in rows])
    y = np.array([float(row["Fertility"]) for row in rows])
    between, outcome = drivers.correlations(x, y)
    found = drivers.lmg(between, outcome)
    assert found.r2 == pytest.approx(0.706735, abs=1e-6)
    np.testing.assert_allclose(found.share, [0.057091, 0.171173, 0.260135, 0.105570, 0.112766], atol=1e-6)
    weights = drivers.johnson(between, outcome)
    np.testing.assert_allclose(weights.share, [0.048417, 0.154708, 0.271964, 0.114680, 0.116966], atol=1e-6)
