"""Does the fast engine compute the model that docs/methods.md describes? Full matrices are the oracle."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from apps.impact.stats import actions as reading
from apps.impact.stats import effects, information, noise, placebo, portion, semiseparable, series
from apps.impact.stats.blocks import LATE2, PRIMARY, SIDE
from apps.impact.stats.data import Floats
from apps.impact.stats.fit import fit_noise
from apps.impact.stats.narrow import narrow
from tests.impact.stats import dense, small

RTOL = 1e-7  # a few hundred cells: conditioning costs half of the digits of a double
SPREAD = np.array([0.12, 0.07, 0.09])
BETWEEN = np.array([0.25, 0.12, 0.08, 0.06])


def test_semiseparable_inverse_equals_the_dense_one() -> None:
    r = np.random.default_rng(1)
    n = r.poisson(2.0, (40, 6)).astype(float)
    d = np.where(n > 0, 1.0 / (4.84 / np.maximum(n, 1) + 0.02), 0.0)
    factors = semiseparable.factorise(d=d, v_a=0.16, v_s=0.06, rho=0.8)
    w = semiseparable.dense(factors)
    for u in range(6):
        seen = d[:, u] > 0
        v = 0.16 + 0.06 * semiseparable.ar1_correlation(40, 0.8) + np.diag(1.0 / np.where(seen, d[:, u], 1.0))
        v = v[np.ix_(seen, seen)]
        np.testing.assert_allclose(w[u][np.ix_(seen, seen)], np.linalg.inv(v), atol=1e-10)
        assert not w[u][~seen].any()
        assert factors.log_det[u] == pytest.approx(np.linalg.slogdet(v)[1], rel=1e-12)
    x = r.normal(size=d.shape)
    np.testing.assert_allclose(semiseparable.apply(factors, x), np.einsum("utk,ku->tu", w, x), atol=1e-10)
    groups = np.eye(2)[[0, 1, 0, 1, 1, 0]]
    total = semiseparable.grouped_sum(factors, groups, 2.0**-40)
    np.testing.assert_allclose(total, np.einsum("utk,ug->gtk", w, groups), atol=1e-10)


@pytest.mark.parametrize("period", [1, 2])
def test_information_mean_and_evidence_equal_the_dense_ones(period: int) -> None:
    p, done = small.panel(), small.actions()
    fitted = noise.replace(small.NOISE, period_weeks=period)
    model = small.model(p, done, fitted)
    info = information.integrate(model, SPREAD)
    full = dense.build(model, p, SPREAD)
    v = full.v + full.x @ full.local @ full.x.T
    projector = full.projector(v)
    xa = full.x @ full.a
    np.testing.assert_allclose(info.m, xa.T @ projector @ xa, rtol=RTOL, atol=1e-7)
    np.testing.assert_allclose(info.h, xa.T @ projector @ full.y, rtol=RTOL, atol=1e-7)
    found = effects.posterior(info, model.columns, BETWEEN, small.SETTINGS)
    prior = np.diag(model.columns.prior_variance(BETWEEN))
    np.testing.assert_allclose(
        found.covariance, np.linalg.inv(info.m + np.linalg.inv(prior)), rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(found.mean, found.covariance @ info.h, rtol=1e-9)
    other = effects.posterior(
        information.integrate(model, 0.5 * SPREAD), model.columns, 0.7 * BETWEEN, small.SETTINGS
    )

    def evidence(spread: Floats, between: Floats) -> float:
        whole = dense.build(model, p, spread)
        q = np.diag(model.columns.prior_variance(between))
        everything = whole.v + whole.x @ (whole.local + whole.a @ q @ whole.a.T) @ whole.x.T
        quad = whole.y @ whole.projector(everything) @ whole.y
        information = whole.z.T @ np.linalg.solve(everything, whole.z)
        return -0.5 * float(np.linalg.slogdet(everything)[1] + np.linalg.slogdet(information)[1] + quad)

    expected = evidence(SPREAD, BETWEEN) - evidence(0.5 * SPREAD, 0.7 * BETWEEN)
    expected += effects.log_prior(SPREAD, BETWEEN, small.SETTINGS)
    expected -= effects.log_prior(0.5 * SPREAD, 0.7 * BETWEEN, small.SETTINGS)
    assert found.log_evidence - other.log_evidence == pytest.approx(expected, rel=1e-6)


def test_evidence_along_one_spread_is_that_of_each_posterior() -> None:
    model = small.model(small.panel(), small.actions())
    info = information.integrate(model, SPREAD)
    widths = np.array([0.02, 0.1, 0.4, 0.9])
    here = narrow(info, model.columns, BETWEEN, small.SETTINGS)
    found, resolved = effects.along_width(here, info, model.columns, BETWEEN, widths, small.SETTINGS)
    theta = model.columns.theta[model.columns.theta >= 0]
    for w, value, shares in zip(widths, found, resolved, strict=True):
        at = BETWEEN.copy()
        at[0] = w
        each = effects.posterior(info, model.columns, at, small.SETTINGS)
        assert value == pytest.approx(each.log_evidence, rel=1e-11)
        np.testing.assert_allclose(shares, 1.0 - np.diagonal(each.covariance)[theta] / w**2, atol=1e-9)


def test_information_moved_along_v_p_equals_that_integrated_there() -> None:
    model = small.model(small.panel(), small.actions())
    values = [3e-3, 0.05, 0.12, 0.4, 3.0]
    for start in (0.05, 1.0):
        base = information.integrate(model, np.array([start, *SPREAD[1:]]))
        for value, moved in zip(values, information.along_v_p(model, base, values), strict=True):
            there = information.integrate(model, np.array([value, *SPREAD[1:]]))
            np.testing.assert_array_equal(moved.spread, there.spread)
            np.testing.assert_allclose(moved.m, there.m, rtol=RTOL, atol=1e-7)
            np.testing.assert_allclose(moved.h, there.h, rtol=RTOL, atol=1e-7)
            assert moved.constant == pytest.approx(there.constant, rel=1e-9)


def test_restricted_likelihood_and_its_gradient_equal_the_dense_ones() -> None:
    p, done = small.panel(), small.actions()
    sample, _ = noise.draw_sample(p, done, small.SETTINGS)
    theta = np.array([0.3, 0.1, 0.6, 0.05, 0.02, 0.5])

    def oracle(at: Floats) -> float:
        v_a, v_s, rho, nu2, v_g, rho_g = at
        period, unit = np.nonzero(sample.n)
        lag = np.abs(period[:, None] - period[None, :])
        x = np.where(unit[:, None] == sample.block_unit[None, :], sample.x[period], 0.0)
        group = sample.group[unit]
        v = (unit[:, None] == unit[None, :]) * (v_a + v_s * rho**lag) + sample.block_variance * x @ x.T
        v = v + ((group[:, None] == group[None, :]) & (group < sample.shocks)[:, None]) * v_g * rho_g**lag
        v[np.diag_indices_from(v)] += sample.sampling / sample.n[period, unit] + nu2
        z = (period[:, None] == np.unique(period)[None, :]).astype(float)
        w = np.linalg.inv(v)
        y = sample.y[period, unit]
        inner = z.T @ w @ z
        resid = y - z @ np.linalg.solve(inner, z.T @ w @ y)
        return float(np.linalg.slogdet(v)[1] + np.linalg.slogdet(inner)[1] + y @ w @ resid)

    found = noise.evaluate(sample, theta)
    assert found.value == pytest.approx(oracle(theta), rel=1e-9)
    for i in range(6):
        step = np.zeros(6)
        step[i] = 1e-5 * theta[i]
        slope = (oracle(theta + step) - oracle(theta - step)) / (2 * step[i])
        assert found.gradient[i] == pytest.approx(slope, rel=1e-4, abs=1e-4)


def _everything(model: information.Model, full: dense.Dense, flat: Floats | None = None) -> tuple[Floats, Floats]:
    """Posterior mean and covariance of τ; blocks in `flat` lose their local prior."""
    prior = np.diag(model.columns.prior_variance(BETWEEN))
    local = full.local.copy()
    if flat is not None:
        local[flat[:, None], flat[None, :]] += 1e7 * np.eye(flat.shape[0])
    tau = full.a @ prior @ full.a.T + local
    w = np.linalg.inv(full.v)
    wz = w @ full.z
    projector = w - wz @ np.linalg.solve(full.z.T @ wz, wz.T)
    precision = full.x.T @ projector @ full.x
    covariance = np.linalg.inv(precision + np.linalg.inv(tau + 1e-12 * np.eye(tau.shape[0])))
    return covariance @ full.x.T @ projector @ full.y, covariance


def test_action_effects_posterior_and_raw_equal_the_dense_ones() -> None:
    p, done = small.panel(), small.actions()
    model = small.model(p, done)
    info = information.integrate(model, SPREAD)
    beta = effects.posterior(info, model.columns, BETWEEN, small.SETTINGS)
    read = reading.read(model, reading.join(info, beta))
    full = dense.build(model, p, SPREAD)
    mean, covariance = _everything(model, full)
    blocks = model.blocks
    checked = 0
    for b in np.flatnonzero((blocks.kind == PRIMARY) | (blocks.kind == SIDE)):
        who = int(blocks.intervention[b])
        assert read.mean[who] == pytest.approx(mean[b], rel=1e-5, abs=1e-6)
        assert read.variance[who] == pytest.approx(covariance[b, b], rel=1e-5)
        own = np.flatnonzero((blocks.intervention == who) & ((blocks.kind <= LATE2) | (blocks.kind == SIDE)))
        flat_mean, flat_covariance = _everything(model, full, own)
        if flat_covariance[b, b] < 50:
            assert read.raw[who] == pytest.approx(flat_mean[b], rel=1e-3, abs=1e-3)
            assert read.raw_variance[who] == pytest.approx(flat_covariance[b, b], rel=1e-3)
            checked += 1
    assert checked >= 5


def test_counterfactual_equals_the_dense_one() -> None:
    p, done = small.panel(), small.actions()
    model = small.model(p, done)
    info = information.integrate(model, SPREAD)
    beta = effects.posterior(info, model.columns, BETWEEN, small.SETTINGS)
    joint = reading.join(info, beta)
    who = int(model.done.of_action[2])
    [part] = portion.portions(model, joint, p, np.array([0, p.units]))
    common, group = portion.common(model, joint, 1.0), portion.group(joint, int(model.group[1]))
    [found] = series.draw(common, group, part, 1, np.array([who]))
    full = dense.build(model, p, SPREAD)
    fitted = model.statistics.noise
    weeks = p.weeks
    unit = 1
    own = model.blocks.intervention == who
    # prior of (state of the unit + shocks + other blocks) over all weeks, and its covariance with y
    lag = np.abs(np.arange(weeks)[:, None] - full.period[None, :])
    lag_own = np.abs(np.arange(weeks)[:, None] - np.arange(weeks)[None, :])
    prior = np.diag(model.columns.prior_variance(BETWEEN))
    tau = full.a @ prior @ full.a.T + full.local
    x_unit = np.zeros((weeks, model.blocks.count))
    for b in np.flatnonzero((model.blocks.unit == unit) & ~own):
        x_unit[model.blocks.start[b] : model.blocks.end[b], b] = 1.0
    same = full.unit == unit
    group = model.group[full.unit] == model.group[unit]
    cross = same * (fitted.v_a + fitted.v_s * fitted.rho**lag) + group * fitted.v_g * fitted.rho_g**lag
    cross = cross + x_unit @ tau @ full.x.T
    before = (
        fitted.v_a
        + fitted.v_s * fitted.rho**lag_own
        + fitted.v_g * fitted.rho_g**lag_own
        + x_unit @ tau @ x_unit.T
    )
    everything = full.v + full.x @ tau @ full.x.T
    w = np.linalg.inv(everything)
    live = np.unique(full.period)
    z_inverse = np.linalg.inv(full.z.T @ w @ full.z)
    g = z_inverse @ full.z.T @ w @ full.y
    mean = cross @ w @ (full.y - full.z @ g)
    mean[live] += g
    gap = np.eye(weeks)[:, live] - cross @ w @ full.z
    covariance = before - cross @ w @ cross.T + gap @ z_inverse @ gap.T
    expected = mean[live] / fitted.scale + fitted.origin
    np.testing.assert_allclose(found.counterfactual, expected, rtol=1e-6)
    sd = np.sqrt(np.diagonal(covariance)[live]) / fitted.scale
    np.testing.assert_allclose((found.high - found.low) / (2 * series.Z95), sd, rtol=1e-4)


def test_a_placebo_equals_an_extra_flat_block() -> None:
    p, done = small.panel(), small.actions()
    model = small.model(p, done)
    info = information.integrate(model, SPREAD)
    beta = effects.posterior(info, model.columns, BETWEEN, small.SETTINGS)
    found = placebo.measure(
        model, reading.join(info, beta), p, np.array([6, 1]), np.array([10, 12]), small.SETTINGS
    )
    full = dense.build(model, p, SPREAD)
    prior = np.diag(model.columns.prior_variance(BETWEEN))
    everything = full.v + full.x @ (full.a @ prior @ full.a.T + full.local) @ full.x.T
    projector = full.projector(everything)
    for i, (unit, week) in enumerate([(6, 10), (1, 12)]):
        edges = [week, week + 3, week + 15, week + 27, 999]
        x = np.stack(
            [(full.unit == unit) & (full.period >= a) & (full.period < b) for a, b in pairwise(edges)],
            axis=1,
        ).astype(float)
        x = x[:, x.any(axis=0)]
        covariance = np.linalg.inv(x.T @ projector @ x)
        assert found.effect[i] == pytest.approx((covariance @ x.T @ projector @ full.y)[1], rel=1e-5)
        assert found.se[i] == pytest.approx(np.sqrt(covariance[1, 1]), rel=1e-5)


def test_leaving_a_region_out_equals_a_fit_without_it() -> None:
    p, done = small.panel(), small.actions()
    model = small.model(p, done)
    info = next(information.leave_groups_out(model, information.integrate(model, SPREAD)))
    full = dense.build(model, p, SPREAD)
    keep = model.group[full.unit] != 0
    v = (full.v + full.x @ full.local @ full.x.T)[np.ix_(keep, keep)]
    w = np.linalg.inv(v)
    z = full.z[keep][:, full.z[keep].any(axis=0)]
    projector = w - w @ z @ np.linalg.solve(z.T @ w @ z, z.T @ w)
    xa = (full.x @ full.a)[keep]
    np.testing.assert_allclose(info.m, xa.T @ projector @ xa, rtol=RTOL, atol=1e-7)
    np.testing.assert_allclose(info.h, xa.T @ projector @ full.y[keep], rtol=RTOL, atol=1e-7)


def test_the_noise_fit_is_a_maximum() -> None:
    p, done = small.panel(units=9, weeks=36), small.actions()
    fitted = fit_noise(p, done, small.SETTINGS)
    assert fitted.converged
    again = fit_noise(p, done, small.SETTINGS, fitted)
    assert again.objective <= fitted.objective + 1e-3
    assert again.iterations <= fitted.iterations
