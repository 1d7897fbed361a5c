"""What do the branches do about it, and when? They act on what they see: after bad weeks, in bad seasons."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxplan.demo.content import KINDS, ChallengeSpec, Content, SolutionSpec
from cxplan.demo.network import Network
from cxplan.demo.world import World

PRIMARY = (3, 15)  # weeks since the effective week, half-open: the window effects are told for
LATE = ((15, 27), (27, 53))
RAMP_WEEKS = 3
FIRST_DECISION = 9
TRAIL = 5  # weeks a branch looks back
MEMORY = 12  # weeks over which a season is felt to be bad
LEVEL_REACTION = 0.3  # weak branches act more in any case
# When branches act: in haste at the end of a bad season, with a plan in a calm one.
CALM_REACTION = -0.8  # after good weeks there is time to plan
SEASON_PULL = {"haste": 1.4, "plan": -0.9}
GAP_WEEKS = 8  # between two actions of a branch on one metric
FORGET_WEEKS = 52  # before a branch tries the same solution again
KIND_SPREAD, USE_SPREAD = 0.12, 0.18  # relative sd of an effect between kinds of branch, and between uses
SECOND_SHARE = 0.08
STOPPED_SHARE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One logged action; weeks count from the start of the chain."""

    unit: int
    challenge: str
    metric: str
    solutions: tuple[str, ...]
    factors: tuple[float, ...]  # how strongly each solution took in this use
    week: int
    weekday: int
    planned: int
    stopped: int | None
    note: str
    randomised: bool


def profile(solution: SolutionSpec, since: np.ndarray) -> np.ndarray:
    """Share of the full effect so many weeks after the start: a linear ramp, then decay if it fades."""
    up = np.clip((since + 1) / RAMP_WEEKS, 0, 1)
    if solution.half_life is None:
        return np.where(since < 0, 0.0, up)
    decay = 0.5 ** (np.maximum(since - RAMP_WEEKS, 0) / solution.half_life)
    return np.where(since < 0, 0.0, up * decay)


@dataclass(kw_only=True)
class Managers:
    """The branches' decisions so far and what they change, updated week by week."""

    content: Content
    network: Network
    world: World
    rng: np.random.Generator
    decisions: list[Decision] = field(default_factory=list)

    def __post_init__(self) -> None:
        units, weeks, latents = self.world.base.shape
        self.effect = np.zeros((units, weeks, latents))
        self.observed = np.full((units, weeks, latents), np.nan)
        self.solution = {solution.code: solution for solution in self.content.solutions}
        self.direct = {code: self._direct(solution) for code, solution in self.solution.items()}
        spread = self.rng.normal(0, KIND_SPREAD, (len(self.solution), len(KINDS)))
        spread -= spread.mean(axis=1, keepdims=True)
        self.by_kind = dict(zip(self.solution, 1 + spread, strict=True))
        self.last: dict[tuple[int, str], list[int]] = {}
        self.used: dict[tuple[int, str], int] = {}
        self.kinds = self.network.kinds
        # Branches act on the weeks they have seen, so most plans come at the end of a bad season.
        badness = np.pad(self.world.badness, ((0, 0), (MEMORY - 1, 0)), mode="edge")
        seen = np.lib.stride_tricks.sliding_window_view(badness, MEMORY, axis=1).mean(axis=2)
        self.bad = (seen - seen.mean()) / seen.std()
        self.rates = {mood: self._rate(pull) for mood, pull in SEASON_PULL.items()}
        self._plan_ahead()

    def _direct(self, solution: SolutionSpec) -> np.ndarray:
        """Effect on each latent before links, such that listed metrics change by the listed amount in total."""
        ratings = len(self.content.ratings)
        vector = np.array([solution.effect.get(code, 0.0) for code in self.content.latents])
        carried = vector[ratings:] @ self.world.links
        for index, code in enumerate(self.content.ratings):
            if code in solution.effect:
                vector[index] -= carried[index]
        return vector

    def change(self, decision: Decision, weeks: np.ndarray, *, only: str | None = None) -> np.ndarray:
        """What one action changes in the latents in given weeks, shape (weeks, latents)."""
        total = np.zeros((len(weeks), self.effect.shape[2]))
        since = weeks - decision.week
        active = np.ones(len(weeks)) if decision.stopped is None else (weeks < decision.stopped).astype(float)
        kind = int(self.kinds[decision.unit])
        for code, factor in zip(decision.solutions, decision.factors, strict=True):
            if only is None or code == only:
                size = profile(self.solution[code], since) * active * factor * self.by_kind[code][kind]
                total += size[:, None] * self.direct[code]
        return total

    def act(self, week: int) -> None:
        """Look at what is known at the end of a week and decide; actions start one or two weeks later."""
        if not FIRST_DECISION <= week < self.network.weeks - 2:
            return
        fall, level = self._signals(week)
        size = len(self.network.branches) * self.network.weeks / (120 * 104)
        for challenge in self.content.challenges:
            demand = self.content.truth["demand"].get(challenge.code)
            if demand is None:
                continue
            column = self.content.latents.index(challenge.metric)
            planned = demand.get("planned", 0.3)
            for mood, share in (("haste", 1 - planned), ("plan", planned)):
                reaction = demand["reaction"] if mood == "haste" else CALM_REACTION
                pull = reaction * fall[:, column] + LEVEL_REACTION * level[:, column]
                pull += SEASON_PULL[mood] * self.bad[:, week]
                for _ in range(self.rng.poisson(demand["actions"] * size * share * self.rates[mood][week])):
                    self._start(challenge, week, pull, fall[:, column])

    def _rate(self, pull: float) -> np.ndarray:
        """Share of a period's actions that are decided in each week."""
        rate: np.ndarray = np.exp(pull * self.bad).mean(axis=0)
        rate[:FIRST_DECISION] = 0
        rate[-2:] = 0
        rate /= rate.sum()
        return rate

    def _start(self, challenge: ChallengeSpec, week: int, pull: np.ndarray, fall: np.ndarray) -> None:
        """Draw a branch that is free, and what it does."""
        start = week + int(self.rng.integers(1, 3))
        free = self._free(challenge.code, challenge.metric, start)
        if not free.any():
            return
        weight = np.exp(np.clip(pull, -6, 6)) * free
        unit = int(self.rng.choice(len(weight), p=weight / weight.sum()))
        solutions = self._choose(challenge.code, unit, week, float(fall[unit]))
        if solutions:
            self._log(unit, challenge.code, solutions, week=start, planned=week + 1)

    def _signals(self, week: int) -> tuple[np.ndarray, np.ndarray]:
        """How far each branch's last weeks fell below its past, and how bad its past is, standardised."""
        past = _mean(self.observed[:, : week + 1 - TRAIL])
        recent = _mean(self.observed[:, week + 1 - TRAIL : week + 1])
        return _standard(past - recent), _standard(-past)

    def _free(self, challenge: str, metric: str, week: int) -> np.ndarray:
        """Branches that are open, have some history, and are not busy with the same metric."""
        free = np.array([branch.first + 8 <= week < branch.stop - 4 for branch in self.network.branches])
        for unit in np.flatnonzero(free):
            weeks = self.last.get((int(unit), metric), [])
            free[unit] = all(abs(week - other) >= GAP_WEEKS for other in weeks)
        free[self.network.story] &= challenge not in self.content.truth["story_keeps"]
        return free

    def _choose(self, challenge: str, unit: int, week: int, fall: float) -> tuple[str, ...]:
        """Quick fixes after a bad spell, careful ones in calm; a partner now and then."""
        offered = [solution for solution in self.content.solutions if challenge in solution.challenges]
        fresh = [
            solution
            for solution in offered
            if solution.popularity > 0
            and week >= solution.available_from * self.network.weeks
            and week - self.used.get((unit, solution.code), -FORGET_WEEKS) >= FORGET_WEEKS
        ]
        if not fresh:
            return ()
        bad = float(self.bad[unit, week])
        weight = np.array(
            [solution.popularity * math.exp(solution.panic * fall + solution.season * bad) for solution in fresh]
        )
        first = fresh[int(self.rng.choice(len(fresh), p=weight / weight.sum()))].code
        chosen = [first]
        codes = [solution.code for solution in fresh]
        for pair in self.content.truth["pair"]:
            if first in pair["solutions"] and self.rng.random() < pair["share"]:
                chosen += [code for code in pair["solutions"] if code != first and code in codes]
        if len(chosen) == 1 and self.rng.random() < SECOND_SHARE and len(codes) > 1:
            chosen.append(str(self.rng.choice([code for code in codes if code != first])))
        return tuple(chosen)

    def _log(
        self,
        unit: int,
        challenge: str,
        solutions: tuple[str, ...],
        *,
        week: int,
        planned: int,
        stopped: int | None = None,
        note: str = "",
        randomised: bool = False,
        ordinary: bool = True,
    ) -> None:
        metric = next(spec.metric for spec in self.content.challenges if spec.code == challenge)
        if ordinary and self.rng.random() < STOPPED_SHARE:
            stopped = week + int(self.rng.integers(4, 10))
            if stopped >= self.network.weeks:
                stopped = None
        factors = 1 + self.rng.normal(0, USE_SPREAD, len(solutions))
        decision = Decision(
            unit=unit,
            challenge=challenge,
            metric=metric,
            solutions=solutions,
            factors=tuple(float(factor) for factor in factors),
            week=week,
            weekday=int(self.rng.choice([0, 0, 0, 1, 2])) if ordinary else 0,
            planned=planned,
            stopped=stopped,
            note=note,
            randomised=randomised,
        )
        self.decisions.append(decision)
        self.last.setdefault((unit, metric), []).append(week)
        for code in solutions:
            self.used[unit, code] = week
        weeks = np.arange(week, self.network.weeks)
        self.effect[unit, week:] += self.change(decision, weeks)

    def _plan_ahead(self) -> None:
        """What is fixed beforehand: the lot, the launch for all, and the story of the sign-in's branch."""
        for item in self._scheduled():
            self._log(ordinary=False, **item)

    def _scheduled(self) -> Iterator[dict[str, Any]]:
        weeks = self.network.weeks
        for entry in self.content.truth["rollout"]:
            start = round(entry["start"] * weeks)
            members = [
                index
                for index, branch in enumerate(self.network.branches)
                if branch.region == entry["region"] and branch.first == 0 and branch.stop == weeks
            ]
            order = self.rng.permutation(members)
            for wave, group in enumerate(np.array_split(order, entry["waves"])):
                week = start + wave * entry["gap_weeks"]
                for unit in group:
                    yield {
                        "unit": int(unit),
                        "challenge": entry["challenge"],
                        "solutions": (entry["solution"],),
                        "week": week,
                        "planned": start - 4,
                        "note": entry["note"],
                        "randomised": True,
                    }
        for entry in self.content.truth["launch"]:
            week = round(entry["start"] * weeks)
            for unit, branch in enumerate(self.network.branches):
                if branch.first + 2 <= week < branch.stop:
                    yield {
                        "unit": unit,
                        "challenge": entry["challenge"],
                        "solutions": (entry["solution"],),
                        "week": week,
                        "planned": week - 8,
                        "note": entry["note"],
                    }
        for entry in self.content.truth["story"]:
            week = weeks - entry["weeks_ago"]
            if week >= FIRST_DECISION:
                yield {
                    "unit": self.network.story,
                    "challenge": entry["challenge"],
                    "solutions": tuple(entry["solutions"]),
                    "week": week,
                    "planned": week - 2,
                    "stopped": week + entry["stopped_after"] if "stopped_after" in entry else None,
                    "note": entry.get("note", ""),
                }


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over weeks of what was seen; nan where nothing was."""
    seen = np.isfinite(values)
    count = seen.sum(axis=1)
    return np.where(count > 0, np.where(seen, values, 0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _standard(values: np.ndarray) -> np.ndarray:
    """Centred and scaled over branches; 0 where nothing is known."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, values, 0).sum(axis=0) / count
    apart = np.where(known, values - centre, 0)
    sd = np.sqrt((apart**2).sum(axis=0) / count)
    return apart / np.where(sd > 0, sd, 1)
