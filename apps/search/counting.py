"""How many solutions are left under each choice, and in what order do they come? Arrays alone, no row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.search.question import Question

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
Mask = NDArray[np.bool_]

# What a verdict is worth beside a likeness of 1.5 for words in a title and 0.5 for words below it.
WORTH = {
    "works": 0.25,
    "likely_works": 0.15,
    "trade_off": 0.1,
    "unknown": 0.0,
    "unlikely": -0.1,
    "harmful": -0.2,
}
EVIDENCE_WORTH = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """One value for each solution: `codes` are places in `values`."""

    codes: Whole
    values: tuple[str, ...]

    def having(self, value: str) -> Mask:
        place = self.values.index(value) if value in self.values else -1
        return np.equal(self.codes, place)

    def counts(self, among: Mask) -> dict[str, int]:
        return _named(np.bincount(self.codes[among], minlength=len(self.values)), self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Any number of values for each solution: places of both, each pair once."""

    solutions: Whole
    codes: Whole
    values: tuple[str, ...]

    def having(self, value: str, size: int) -> Mask:
        mask = np.zeros(size, np.bool_)
        if value in self.values:
            mask[self.solutions[self.codes == self.values.index(value)]] = True
        return mask

    def counts(self, among: Mask) -> dict[str, int]:
        return _named(np.bincount(self.codes[among[self.solutions]], minlength=len(self.values)), self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """What is best known of each solution; no effect is NaN."""

    evidence: Coded
    verdict: Coded
    effect: Real


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Every solution of the library, whatever its status, in the order of keys."""

    pks: Whole
    # In the order of titles.
    rank: Whole
    kind: Coded
    cost: Coded
    language: Coded
    status: Coded
    lag_days: Whole
    created: Whole
    best: Best
    # Under the challenge that stands for the one it was linked to, and under all above it.
    challenges: Pairs
    touchpoints: Pairs
    unit_kinds: Pairs

    @property
    def size(self) -> int:
        return len(self.pks)


def places_of(wanted: Whole, keys: Whole) -> tuple[Whole, Mask]:
    """Where keys stand among sorted ones, and which of them are there at all."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
    places = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
    return places, np.equal(keys[places], wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of a question the database had to say: the keys behind its codes, and what its words are like."""

    challenge: str
    touchpoint: str
    # The status looked at, and those that the person may see.
    status: str
    statuses: tuple[str, ...]
    # For each solution, NaN where the words do not find it; None when there are no words.
    likeness: Real | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The keys of what is left, the best first, and for each facet how many each value would leave."""

    pks: Whole
    counts: Mapping[str, Mapping[str, int]]


def answer(question: Question, asked: Asked, shelf: Shelf, best: Best) -> Answer:
    """A facet is counted under all the other facets, so that each choice tells what it would leave."""
    found = np.logical_or.reduce([shelf.status.having(status) for status in asked.statuses])
    if asked.likeness is not None:
        found &= ~np.isnan(asked.likeness)
    chosen = _chosen(question, asked, shelf, best)
    counted: dict[str, Coded | Pairs] = {
        "kind": shelf.kind,
        "evidence": best.evidence,
        "verdict": best.verdict,
        "cost": shelf.cost,
        "language": shelf.language,
        "status": shelf.status,
        "challenge": shelf.challenges,
        "touchpoint": shelf.touchpoints,
        "unit_kind": shelf.unit_kinds,
    }
    counts = {
        name: values.counts(_all(found, [mask for other, mask in chosen.items() if other != name]))
        for name, values in counted.items()
    }
    left = np.flatnonzero(_all(found, list(chosen.values())))
    score = _SCORES[question.order](shelf, best, asked.likeness)[left]
    return Answer(pks=shelf.pks[left[np.lexsort((shelf.rank[left], -score))]], counts=counts)


def _chosen(question: Question, asked: Asked, shelf: Shelf, best: Best) -> dict[str, Mask]:
    masks = {"status": shelf.status.having(asked.status)}
    if question.kind:
        masks["kind"] = shelf.kind.having(question.kind)
    if question.evidence is not None:
        masks["evidence"] = best.evidence.codes >= question.evidence
    if question.verdict:
        masks["verdict"] = best.verdict.having(question.verdict)
    if question.cost is not None:
        masks["cost"] = (shelf.cost.codes > 0) & (shelf.cost.codes <= question.cost)
    if question.language:
        masks["language"] = shelf.language.having(question.language)
    if question.challenge:
        masks["challenge"] = shelf.challenges.having(asked.challenge, shelf.size)
    if question.touchpoint:
        masks["touchpoint"] = shelf.touchpoints.having(asked.touchpoint, shelf.size)
    if question.unit_kind:
        masks["unit_kind"] = shelf.unit_kinds.having(question.unit_kind, shelf.size)
    return masks


def _all(found: Mask, masks: list[Mask]) -> Mask:
    met = found.copy()
    for mask in masks:
        met &= mask
    return met


def _named(numbers: Whole, values: tuple[str, ...]) -> dict[str, int]:
    return {values[place]: int(numbers[place]) for place in np.flatnonzero(numbers) if values[place]}


def _worth(best: Best) -> Real:
    worth = np.array([WORTH[verdict] for verdict in best.verdict.values])
    return worth[best.verdict.codes]


def _by_match(_shelf: Shelf, best: Best, likeness: Real | None) -> Real:
    known = EVIDENCE_WORTH * best.evidence.codes + _worth(best)
    return known if likeness is None else known + likeness


_SCORES: Mapping[str, Callable[[Shelf, Best, Real | None], Real]] = {
    "": _by_match,
    "evidence": lambda _shelf, best, _likeness: best.evidence.codes + _worth(best),
    "impact": lambda _shelf, best, _likeness: np.nan_to_num(best.effect, nan=-np.inf),
    "cost": lambda shelf, _best, _likeness: -np.where(shelf.cost.codes > 0, shelf.cost.codes, np.inf),
    "speed": lambda shelf, _best, _likeness: -shelf.lag_days.astype(np.float64),
    "newest": lambda shelf, _best, _likeness: shelf.created.astype(np.float64),
}
