"""Is the posterior of two parts, useless solutions and the others, what its definition says?"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import special

from apps.impact.stats import effects, information
from apps.impact.stats.data import DEFAULTS, Floats, Settings
from apps.impact.stats.narrow import Narrow, Prior, centres, draw_rest, homes, match, narrow, under, widen
from apps.impact.stats.sampler import Mirrored, Sample, fresh, sample, widths
from tests.impact.stats import small

SPREAD = np.array([0.12, 0.07, 0.09])
BETWEEN = np.array([0.25, 0.12, 0.08, 0.06])
MANY = replace(DEFAULTS, draws=40_000)
SLACK = 0.004  # five standard errors of a mean of 40,000 draws with sd .1, each worth a third of a fresh one


def alone(m: Floats, h: Floats) -> Narrow:
    """Information about Θ with nothing else to be known."""
    nothing = np.zeros((0, 0))
    return Narrow(
        m=m, h=h, constant=0.0, rest=np.zeros(0, int), root=np.zeros(0), factor=nothing,
        across=np.zeros((0, h.shape[0])), own=np.zeros(0),
    )  # fmt: skip


def draw(here: Narrow, home: Floats, settings: Settings, seed: int = 5) -> Sample:
    return sample([here], np.ones(1), home, 0.15, settings, np.random.default_rng(seed))


def entangled(seed: int, count: int) -> Narrow:
    """A few solutions, correlated as by weeks and combinations that they share."""
    r = np.random.default_rng(seed)
    common = r.normal(size=(count, 2)) * 0.5
    m = (np.eye(count) + common @ common.T) / 0.07**2
    truth = np.where(r.random(count) < 0.5, 0.0, 0.25)
    return alone(m, m @ truth + np.linalg.cholesky(m) @ r.normal(size=count))


def enumerated(here: Narrow, home: Floats, settings: Settings) -> tuple[Floats, Floats, Floats]:
    """Mean, standard deviation and P(useless) of each Θ_k over all patterns of useless solutions and all w."""
    count = here.h.shape[0]
    to_centre = np.column_stack([np.full(count, settings.middle_sd), home * settings.challenge_sd])
    total, first, second, out = 0.0, np.zeros(count), np.zeros(count), np.zeros(count)
    for pattern in product([False, True], repeat=count):
        useless = np.array(pattern)
        few = useless.sum()
        a, b = settings.prior_useless, settings.prior_useful
        of_pattern = special.betaln(a + few, b + count - few)
        for w in widths(settings):
            works = np.where(useless[:, None], 0.0, to_centre)
            prior = works @ works.T + np.diag(np.where(useless, settings.useless_sd**2, w**2))
            covariance = np.linalg.inv(here.m + np.linalg.inv(prior))
            mean = covariance @ here.h
            value = 0.5 * here.h @ mean - 0.5 * np.linalg.slogdet(np.eye(count) + prior @ here.m)[1]
            value += of_pattern + np.log(w) - 0.5 * (w / settings.prior_w) ** 2
            weight = np.exp(value - 100.0)
            total += weight
            first += weight * mean
            second += weight * (np.diagonal(covariance) + mean**2)
            out += weight * useless
    mean = first / total
    return mean, np.sqrt(second / total - mean**2), out / total


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_draws_have_the_moments_of_all_patterns_enumerated(seed: int) -> None:
    here = entangled(seed, 6)
    home = np.zeros((6, 2))
    home[:2, 0], home[2:5, 1] = 1.0, 1.0
    mean, sd, useless = enumerated(here, home, MANY)
    assert useless.min() < 0.4 < useless.max()
    found = draw(here, home, MANY)
    np.testing.assert_allclose(found.theta.mean(axis=0), mean, atol=SLACK)
    np.testing.assert_allclose(found.theta.std(axis=0), sd, rtol=0.04)
    np.testing.assert_allclose(found.useless.mean(axis=0), useless, atol=0.03)


def test_without_useless_solutions_the_posterior_is_that_of_one_normal() -> None:
    model = small.model(small.panel(), small.actions())
    info = information.integrate(model, SPREAD)
    settings = replace(MANY, prior_useless=1e-9, prior_useful=1.0, middle_sd=MANY.mean_sd, burn_in=400)
    here = narrow(info, model.columns, BETWEEN, settings)
    grid = widths(settings)
    value = np.asarray(effects.along_width(here, info, model.columns, BETWEEN, grid, settings)[0]) + np.log(grid)
    weight = np.exp(value - value.max())
    weight /= weight.sum()
    used = np.flatnonzero(model.columns.theta >= 0)
    rows = model.columns.effect_rows(used)
    mean, square = np.zeros(used.size), np.zeros(used.size)
    for w, each in zip(grid, weight, strict=True):
        found = effects.posterior(info, model.columns, np.array([w, *BETWEEN[1:]]), settings)
        at = rows @ found.mean
        mean += each * at
        square += each * (at**2 + ((rows @ found.covariance) * rows).sum(axis=1))
    drawn = draw(here, homes(model.columns), settings)
    assert drawn.useless.mean() < 1e-3
    sd = np.sqrt(square - mean**2)
    np.testing.assert_allclose(drawn.theta.mean(axis=0), mean, atol=0.05 * sd.max())
    np.testing.assert_allclose(drawn.theta.std(axis=0), sd, rtol=0.05)


def test_useless_solutions_are_not_pulled_toward_the_mean_of_the_others() -> None:
    estimate = np.array([0.02, -0.03, 0.04, 0.0, 0.03, 0.42, 0.35, 0.45, 0.38, 0.33])
    here = alone(np.eye(10) / 0.08**2, estimate / 0.08**2)
    found = draw(here, np.zeros((10, 0)), DEFAULTS)
    one = draw(here, np.zeros((10, 0)), replace(DEFAULTS, prior_useless=1e-9, prior_useful=1.0))
    assert np.abs(found.theta[:, :5].mean()) < 0.5 * np.abs(one.theta[:, :5].mean())
    assert np.abs(found.theta[:, 5:].mean() - 0.386) < np.abs(one.theta[:, 5:].mean() - 0.386)
    assert found.useless[:, :5].mean() > 0.7
    assert found.useless[:, 5:].mean() < 0.05
    new = fresh(found, 2000, DEFAULTS, np.random.default_rng(1))
    assert np.mean(np.abs(new) < 0.15) == pytest.approx(np.mean(found.share), abs=0.15)


def test_where_all_solutions_do_something_they_are_pulled_toward_their_mean() -> None:
    estimate = np.array([0.35, 0.28, 0.42, 0.31, 0.25, 0.38, 0.33, 0.45, 0.29, 0.36])
    here = alone(np.eye(10) / 0.08**2, estimate / 0.08**2)
    found = draw(here, np.zeros((10, 0)), DEFAULTS)
    one = draw(here, np.zeros((10, 0)), replace(DEFAULTS, prior_useless=1e-9, prior_useful=1.0))
    assert found.useless.mean() < 0.1
    np.testing.assert_allclose(found.theta.mean(axis=0), one.theta.mean(axis=0), atol=0.02)


def test_what_the_data_are_silent_about_is_drawn_from_the_prior() -> None:
    m = np.diag([1.0 / 0.08**2, 0.0, 1.0 / 0.08**2, 1.0 / 0.08**2])
    m[2:, 2:] = 1.0 / 0.08**2
    here = alone(m, m @ np.array([0.3, 0.0, 0.2, 0.0]))
    found = draw(here, np.zeros((4, 0)), MANY)
    assert np.isfinite(found.theta).all()
    mean, sd, _ = enumerated(alone(m + 1e-9 * np.eye(4), here.h), np.zeros((4, 0)), MANY)
    np.testing.assert_allclose(found.theta.mean(axis=0), mean, atol=0.02)
    np.testing.assert_allclose(found.theta.std(axis=0), sd, rtol=0.1)
    prior = match(here, found.theta.mean(axis=0), found.theta.var(axis=0))
    told, covariance = under(here, prior)
    np.testing.assert_allclose(told, found.theta.mean(axis=0), rtol=1e-8)
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_the_matched_prior_leads_to_the_means_and_variances_that_were_asked_for() -> None:
    here = entangled(4, 12)
    precision = np.random.default_rng(2).uniform(20.0, 600.0, 12)
    mean, covariance = under(here, Prior(precision=precision, lean=0.1 * precision))
    prior = match(here, mean, np.diagonal(covariance))
    np.testing.assert_allclose(prior.precision, precision, rtol=1e-3)
    found = under(here, prior)
    np.testing.assert_allclose(found[0], mean, rtol=1e-8)
    np.testing.assert_allclose(np.diagonal(found[1]), np.diagonal(covariance), rtol=1e-4)


def test_variances_beyond_the_data_are_met_by_hardly_any_prior() -> None:
    here = entangled(4, 3)
    mean = np.array([0.1, 0.2, 0.3])
    prior = match(here, mean, np.full(3, 4.0))
    assert (prior.precision <= 1e-5).all()
    np.testing.assert_allclose(under(here, prior)[0], mean, rtol=1e-8)


def test_all_of_beta_given_the_solutions_is_that_of_the_full_matrices() -> None:
    model = small.model(small.panel(), small.actions())
    info, columns = information.integrate(model, SPREAD), model.columns
    here = narrow(info, columns, BETWEEN, small.SETTINGS)
    used, mean = columns.theta[columns.theta >= 0], centres(columns)
    prior = Prior(precision=np.linspace(10.0, 90.0, used.size), lean=np.linspace(-1.0, 3.0, used.size))
    found = widen(here, columns, BETWEEN, prior)
    keep = np.setdiff1d(np.arange(columns.count), mean)
    precision = 1.0 / columns.prior_variance(BETWEEN)
    precision[used] = prior.precision
    lean = np.zeros(columns.count)
    lean[used] = prior.lean
    covariance = np.linalg.inv(info.m[np.ix_(keep, keep)] + np.diag(precision[keep]))
    np.testing.assert_allclose(found.covariance[np.ix_(keep, keep)], covariance, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found.mean[keep], covariance @ (info.h + lean)[keep], rtol=1e-6, atol=1e-12)
    assert not found.covariance[mean].any()
    r = np.random.default_rng(8)
    inside = np.ix_(used, used)
    theta = r.multivariate_normal(found.mean[used], found.covariance[inside], size=40_000)
    rest = draw_rest(here, theta, r.standard_normal((here.rest.size, 40_000)))
    sd = np.sqrt(np.diagonal(found.covariance))[here.rest]
    np.testing.assert_allclose(rest.mean(axis=1), found.mean[here.rest], atol=0.03 * sd.max())
    np.testing.assert_allclose(rest.std(axis=1), sd, rtol=0.03)


def test_every_second_chain_mirrors_its_neighbour() -> None:
    random = Mirrored(np.random.default_rng(3), 6)
    z, x, u = random.normal(4), random.logistic(4), random.uniform()
    np.testing.assert_array_equal(z[::2], -z[1::2])
    np.testing.assert_array_equal(x[::2], -x[1::2])
    np.testing.assert_allclose(u[::2], 1.0 - u[1::2])
    assert ((u > 0) & (u < 1)).all()
