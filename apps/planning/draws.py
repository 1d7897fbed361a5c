"""In which order do units start, and when? A draw that anybody can repeat from its seed."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

FEWEST_UNITS = 6
MOST_STEPS = 12
MOST_WEEKS = 26
SEEDS = 2**31


def draw_steps(regions: Mapping[str, str], *, steps: int, seed: int) -> dict[str, int]:
    """The step (0 … steps − 1) in which each unit starts, evenly in every region and over all.

    `regions` gives the region of each unit's code. Units, regions and steps are put into the order of
    SHA-256("seed:kind:name"), then dealt one after the other, so that the same codes, regions, steps and seed
    give the same order in any language and at any time.
    """
    if not 2 <= steps <= len(regions):
        raise ValueError(f"{len(regions)} units cannot start in {steps} steps")
    members: dict[str, list[str]] = defaultdict(list)
    for code, region in regions.items():
        members[region].append(code)
    dealt = [int(step) for step in _shuffled([str(step) for step in range(steps)], kind="step", seed=seed)]
    order = [
        code
        for region in _shuffled(list(members), kind="region", seed=seed)
        for code in _shuffled(members[region], kind="unit", seed=seed)
    ]
    return {code: dealt[place % steps] for place, code in enumerate(order)}


def start_of(step: int, *, first_on: date, gap_weeks: int) -> date:
    return first_on + timedelta(weeks=step * gap_weeks)


def staggered(count: int, *, first_on: date, gap_weeks: int, steps: int) -> list[date]:
    """The starts of `count` units in the order given: `steps` waves as even as can be, `gap_weeks` apart."""
    waves = min(steps, count) or 1
    return [
        start_of(place * waves // count, first_on=first_on, gap_weeks=gap_weeks) for place in range(count)
    ]  # fmt: skip


def _shuffled(names: Sequence[str], *, kind: str, seed: int) -> list[str]:
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}:{kind}:{name}".encode()).digest())
