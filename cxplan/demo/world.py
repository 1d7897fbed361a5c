"""How does the chain fare week by week, and what average answer follows from it?

State is kept as *goodness*: deviations from each quantity's mean, in its own unit, positive is
better for the customer. With u a branch, t a week, l one of the ratings or inputs:

    D_utl = level_ul + season_rtl + common_tl + region_rtl + state_utl + event_utl + action_utl
    D_utp += sum_o link_op D_uto             inputs carry over to the ratings p
    D_ut,overall = sum_p weight_p D_utp + own level + own state

Level and state are persistent and AR(1); common and regional shocks are AR(1) too. Answers are
rounded and clipped, so a mean on the observed scale comes from a table of expected answers.
"""

import math
from dataclasses import dataclass

import numpy as np

from cxplan.demo.content import KINDS, Content
from cxplan.demo.network import YEAR_WEEKS, Network

SEASON, COMMON, REGION = 1.5, 0.45, 0.28  # amplitude and sd, in units of a quantity's state_sd
COMMON_RHO, REGION_RHO, STATE_RHO = 0.9, 0.7, 0.8
MEAN_OVERALL, MEAN_RECOMMEND = 7.1, 7.5
OVERALL_LEVEL, OVERALL_STATE = 0.12, 0.08
RECOMMEND_SLOPE = 1.1
PERSON, ITEM = 1.1, 1.5  # sd of a customer's general mood and of one rating, points of 0-10
PERSON_SHORT, ITEM_SHORT = 0.45, 0.80  # the same on a five-point scale
OVERALL_OWN, RECOMMEND_OWN = 1.0, 0.9
STORY_GAP = {"counter-rating": -0.75, "wait-minutes": -3.0}
GRID = np.arange(-4.0, 15.0, 0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How answers to the ratings, the overall question and the recommendation arise."""

    means: np.ndarray  # (ratings,)
    weights: np.ndarray  # (ratings,) what a point moves in the overall rating
    person: np.ndarray  # (ratings,) sd of mood
    item: np.ndarray  # (ratings,) sd of the single rating

    @property
    def overall_sd(self) -> float:
        return math.sqrt(PERSON**2 + float(((self.weights * self.item) ** 2).sum()) + OVERALL_OWN**2)

    @property
    def recommend_sd(self) -> float:
        return math.sqrt((RECOMMEND_SLOPE * self.overall_sd) ** 2 + RECOMMEND_OWN**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that happens to the chain before anybody acts."""

    base: np.ndarray  # (branches, weeks, latents) goodness before links and actions
    overall: np.ndarray  # (branches, weeks) own level and state of the overall rating
    badness: np.ndarray  # (branches, weeks) how bad the season and the common shock are
    volume: np.ndarray  # (branches, weeks) relative number of customers, 0 when closed
    scale: Scale
    links: np.ndarray  # (inputs, ratings)
    tables: np.ndarray  # (kinds, ratings + 2, grid) expected score by mean before rounding

    def spread(self, goodness: np.ndarray) -> np.ndarray:
        """Carry goodness of the latents (..., latents) over to ratings, inputs, overall, recommend."""
        ratings = self.links.shape[1]
        perceived = goodness[..., :ratings] + goodness[..., ratings:] @ self.links
        overall = (perceived @ self.scale.weights)[..., None]
        return np.concatenate([perceived, goodness[..., ratings:], overall, RECOMMEND_SLOPE * overall], axis=-1)

    def expected(self, kind: int, column: int, goodness: np.ndarray) -> np.ndarray:
        """Mean score in a branch of a kind; for inputs, goodness itself, since they are not rounded away."""
        ratings, inputs = self.links.shape[1], self.links.shape[0]
        if ratings <= column < ratings + inputs:
            return goodness
        row = column if column < ratings else column - inputs
        means = np.append(self.scale.means, [MEAN_OVERALL, MEAN_RECOMMEND])
        score: np.ndarray = np.interp(means[row] + goodness, GRID, self.tables[kind, row])
        return score


def autoregression(rng: np.random.Generator, shape: tuple[int, ...], rho: float | np.ndarray) -> np.ndarray:
    """Stationary AR(1) series of unit variance along the last axis."""
    noise = rng.normal(size=shape)
    out = np.empty(shape)
    out[..., 0] = noise[..., 0]
    for step in range(1, shape[-1]):
        out[..., step] = rho * out[..., step - 1] + np.sqrt(1 - rho**2) * noise[..., step]
    return out


def build_world(content: Content, network: Network, *, rng: np.random.Generator) -> World:
    """Draw levels, seasons, shocks and states."""
    units, weeks, latents = len(network.branches), network.weeks, len(content.latents)
    ratings = len(content.ratings)
    spec = [{**content.truth["perception"], **content.truth["operational"]}[code] for code in content.latents]
    unit_sd = np.array([entry["unit_sd"] for entry in spec])
    state_sd = np.array([entry["state_sd"] for entry in spec])
    regions = [entry["code"] for entry in content.chain["region"]]
    region = np.array([regions.index(branch.region) for branch in network.branches])

    shared = rng.normal(size=(units, 1))
    level = unit_sd * (math.sqrt(0.4) * shared + math.sqrt(0.6) * rng.normal(size=(units, latents)))
    peak = np.array([entry["peak_week"] for entry in content.chain["region"]])
    fullness = np.cos(2 * np.pi * (network.week_of_year[None, :] - peak[:, None]) / YEAR_WEEKS)
    scale_sd = np.array([entry.get("season_sd", entry["state_sd"]) for entry in spec])
    season = -SEASON * fullness[:, :, None] * scale_sd
    common = COMMON * autoregression(rng, (latents, weeks), COMMON_RHO).T * scale_sd
    shock = REGION * autoregression(rng, (len(regions), latents, weeks), REGION_RHO).swapaxes(1, 2) * scale_sd
    state_rho = np.array([entry.get("state_rho", STATE_RHO) for entry in spec])
    state = autoregression(rng, (units, latents, weeks), state_rho).swapaxes(1, 2) * state_sd
    base = level[:, None, :] + season[region] + common[None] + shock[region] + state
    for code, gap in STORY_GAP.items():
        column = content.latents.index(code)
        base[network.story, :, column] += gap - level[network.story, column]

    weeks_factor = np.exp(rng.normal(0, 0.06, weeks))
    strength = np.array([entry["peak"] for entry in content.chain["region"]])
    sizes = np.array([branch.size for branch in network.branches])
    volume = sizes[:, None] * np.exp(strength[region, None] * fullness[region]) * weeks_factor * network.open
    for event in network.disturbances:
        where = slice(None) if event.branch is None else slice(event.branch, event.branch + 1)
        during = slice(event.week, event.week + event.length)
        volume[where, during] *= event.volume
        for code, points in event.effect.items():
            base[where, during, content.latents.index(code)] += points

    scale = _scale(content)
    bad = -(season + common)[region, :, :ratings] / scale_sd[:ratings]
    overall = OVERALL_LEVEL * rng.normal(size=(units, 1)) + OVERALL_STATE * autoregression(
        rng, (units, weeks), STATE_RHO
    )
    return World(
        base=base,
        overall=overall,
        badness=bad.mean(axis=2),
        volume=volume,
        scale=scale,
        links=content.links(),
        tables=_tables(content, scale),
    )


def _scale(content: Content) -> Scale:
    short = np.array([content.metric(code).high <= 5 for code in content.ratings])
    return Scale(
        means=np.array([entry["mean"] for entry in content.truth["perception"].values()]),
        weights=np.array([content.truth["weight"][code] for code in content.ratings]),
        person=np.where(short, PERSON_SHORT, PERSON),
        item=np.where(short, ITEM_SHORT, ITEM),
    )


def _tables(content: Content, scale: Scale) -> np.ndarray:
    """Expected score over customers of a kind of branch, by mean before rounding; mixes the segments."""
    shares, shifts = content.segment_shares(), content.segment_shifts()
    overall_shift = (shifts @ scale.weights)[:, None]
    shifts = np.hstack([shifts, overall_shift, RECOMMEND_SLOPE * overall_shift])
    sds = np.append(np.hypot(scale.person, scale.item), [scale.overall_sd, scale.recommend_sd])
    tables = np.zeros((len(KINDS), len(sds), len(GRID)))
    for row, code in enumerate((*content.ratings, "overall", "recommend")):
        metric = content.metric(code)
        answers = np.arange(metric.low, metric.high + 1)
        score = score_of(answers, scoring=metric.scoring, threshold=metric.threshold)
        for segment in range(len(shifts)):
            cuts = (answers[1:] - 0.5 - shifts[segment, row])[None, :]
            above = 1 - _normal_cdf((cuts - GRID[:, None]) / sds[row])
            mean = score[0] + above @ np.diff(score)
            tables[:, row] += shares[:, segment, None] * mean
    return tables


def score_of(answers: np.ndarray, *, scoring: str, threshold: float | None) -> np.ndarray:
    """The number whose mean is the metric, for higher-is-better answers."""
    if scoring == "nps":
        return np.where(answers >= 9, 100.0, np.where(answers >= 7, 0.0, -100.0))
    if scoring == "share" and threshold is not None:
        return np.where(answers >= threshold, 100.0, 0.0)
    return answers.astype(float)


_Z = np.arange(-8.0, 8.0, 0.002)
_CDF = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in _Z])


def _normal_cdf(z: np.ndarray) -> np.ndarray:
    below: np.ndarray = np.interp(z, _Z, _CDF)
    return below
