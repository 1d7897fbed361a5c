"""What does each solution and each action truly change in the demonstration chain?"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from cxplan.demo.content import KINDS, Content
from cxplan.demo.decisions import LATE, PRIMARY, Decision, Managers, profile
from cxplan.demo.network import Network
from cxplan.demo.world import RECOMMEND_SLOPE, World

NEGLIGIBLE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionTruth:
    """What a solution changes in one metric; positive is better for the customer.

    Attributes
    ----------
    effect : primary window, weeks 3 to 15, on the scale on which scores are reported (points of
        0-10, percentage points of a share, NPS points, units of an input); kinds of branch weigh alike
    latent : the same before answers are rounded and clipped; None where the metric is not a rating or input
    late1, late2 : the effect in weeks 15 to 27 and 27 to 53
    realised : mean over the actions that used it with a full primary window; None when there are none
    actions, units : how often and in how many branches it was used for a challenge with this outcome
    """

    solution: str
    metric: str
    effect: float
    latent: float | None
    late1: float
    late2: float
    realised: float | None
    actions: int
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTruth:
    """What one action changed over the weeks of its primary window that were observed, by metric."""

    action: str
    unit: str
    challenge: str
    metric: str
    solutions: tuple[str, ...]
    weeks: int
    effect: float | None
    others: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTruth:
    """The answer sheet of a generated chain, kept as truth.json beside its files."""

    seed: int
    start: str
    end: str
    branches: int
    weeks: int
    responses: int
    scores: int
    flagship: str
    flagship_metric: str
    story_branch: str
    sign_ins: dict[str, str]
    solutions: tuple[SolutionTruth, ...]
    actions: tuple[ActionTruth, ...]
    useless: tuple[str, ...]
    never_used: tuple[str, ...]
    gaps: tuple[str, ...]
    drawn_by_lot: tuple[str, ...]
    everywhere_at_once: tuple[str, ...]

    def effect(self, solution: str, metric: str) -> float:
        """True effect in the primary window; 0 where a solution does not touch a metric."""
        for row in self.solutions:
            if row.solution == solution and row.metric == metric:
                return row.effect
        return 0.0

    def ranking(self, solutions: tuple[str, ...], metric: str) -> list[tuple[str, float]]:
        """Solutions with their true effect on a metric, best first."""
        return sorted(((code, self.effect(code, metric)) for code in solutions), key=lambda row: (-row[1], row[0]))

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        data = json.loads(path.read_text(encoding="utf-8"))
        data["solutions"] = tuple(SolutionTruth(**row) for row in data["solutions"])
        data["actions"] = tuple(
            ActionTruth(**{**row, "solutions": tuple(row["solutions"])}) for row in data["actions"]
        )
        for name in ("useless", "never_used", "gaps", "drawn_by_lot", "everywhere_at_once"):
            data[name] = tuple(data[name])
        return cls(**data)


class Oracle:
    """Computes effects by taking an action, or a solution in it, out of the world again."""

    def __init__(self, content: Content, network: Network, world: World, managers: Managers) -> None:
        self.content, self.network, self.world, self.managers = content, network, world, managers
        self.metrics = (*content.latents, "overall", "recommend")
        own = np.stack([world.overall, RECOMMEND_SLOPE * world.overall], axis=-1)
        self.actual = self._spread(world.base + managers.effect, own)
        self.untouched = self._spread(world.base, own)
        self.kinds = network.kinds

    def _spread(self, goodness: np.ndarray, own: np.ndarray) -> np.ndarray:
        spread = self.world.spread(goodness)
        spread[..., -2:] += own
        return spread

    def action(self, name: str, decision: Decision) -> ActionTruth:
        """Mean over the observed weeks of the primary window, of the actual score minus that without it."""
        weeks = self._window(decision)
        found = self._difference(decision, weeks, None)
        target = found.pop(decision.metric, 0.0) if len(weeks) else None
        return ActionTruth(
            action=name,
            unit=self.network.branches[decision.unit].code,
            challenge=decision.challenge,
            metric=decision.metric,
            solutions=decision.solutions,
            weeks=len(weeks),
            effect=target,
            others=found,
        )

    def _window(self, decision: Decision) -> np.ndarray:
        branch = self.network.branches[decision.unit]
        stop = min(decision.week + PRIMARY[1], branch.stop, decision.stopped or self.network.weeks)
        return np.arange(min(decision.week + PRIMARY[0], stop), stop)

    def _difference(self, decision: Decision, weeks: np.ndarray, only: str | None) -> dict[str, float]:
        if not len(weeks):
            return {}
        change = self.world.spread(self.managers.change(decision, weeks, only=only))
        actual = self.actual[decision.unit, weeks]
        return self._scores(int(self.kinds[decision.unit]), actual, actual - change)

    def _scores(self, kind: int, given: np.ndarray, without: np.ndarray) -> dict[str, float]:
        found = {}
        for column, code in enumerate(self.metrics):
            if np.abs(given[..., column] - without[..., column]).max() > NEGLIGIBLE:
                change = self.world.expected(kind, column, given[..., column]) - self.world.expected(
                    kind, column, without[..., column]
                )
                found[code] = round(float(change.mean()), 4)
        return found

    def solution(self, code: str) -> list[SolutionTruth]:
        """All metrics that a solution touches."""
        solution = self.managers.solution[code]
        direct = self.world.spread(self.managers.direct[code])
        shares = [float(profile(solution, np.arange(*window)).mean()) for window in (PRIMARY, *LATE)]
        touched = [column for column in range(len(direct)) if abs(direct[column]) > NEGLIGIBLE]
        by_window = [self._population(code, direct * share, touched) for share in shares]
        rows = []
        for column in touched:
            metric = self.metrics[column]
            mine = [
                (decision, self._window(decision))
                for decision in self.managers.decisions
                if code in decision.solutions and decision.metric == metric
            ]
            full = [
                self._difference(decision, weeks, code).get(metric, 0.0)
                for decision, weeks in mine
                if len(weeks) == PRIMARY[1] - PRIMARY[0]
            ]
            rows.append(
                SolutionTruth(
                    solution=code,
                    metric=metric,
                    effect=by_window[0][column],
                    latent=round(float(direct[column] * shares[0]), 4) if column < len(direct) - 2 else None,
                    late1=by_window[1][column],
                    late2=by_window[2][column],
                    realised=round(float(np.mean(full)), 4) if full else None,
                    actions=len(mine),
                    units=len({decision.unit for decision, _ in mine}),
                )
            )
        return rows

    def _population(self, code: str, change: np.ndarray, touched: list[int]) -> dict[int, float]:
        """Effect in a chain where nobody acts, averaged within and then over the kinds of branch."""
        out = {}
        for column in touched:
            means = []
            for kind in range(len(KINDS)):
                level = self.untouched[self.kinds == kind, :, column]
                if level.size:
                    size = change[column] * self.managers.by_kind[code][kind]
                    gain = self.world.expected(kind, column, level + size) - self.world.expected(
                        kind, column, level
                    )
                    means.append(gain.mean())
            out[column] = round(float(np.mean(means)), 4)
        return out
