"""Which of two ranked solutions is better, and how sure is that?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.core import formats

SURE = 0.80  # from here two neighbours can be told apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The chance that the row's solution is better than the column's; empty on the diagonal."""

    text: str
    label: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    rank: int
    title: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A ranked solution, with its chances of being better than others by their ids."""

    solution_id: int
    rank: int
    title: str
    better: Mapping[str, float]


def pair_table(entrants: Sequence[Entrant]) -> tuple[PairRow, ...]:
    """Each ranked solution against each other one, in the order of their ranks; nothing where it is not known."""
    ordered = sorted(entrants, key=lambda entrant: entrant.rank)
    if len(ordered) < 2 or not any(entrant.better for entrant in ordered):
        return ()
    return tuple(
        PairRow(rank=one.rank, title=one.title, pairs=tuple(_pair(one, other) for other in ordered))
        for one in ordered
    )


def _pair(one: Entrant, other: Entrant) -> Pair:
    chance = one.better.get(str(other.solution_id))
    if chance is None:
        return Pair(text="", label="", tone="none")
    text = formats.percent(min(0.99, max(0.01, chance)))
    label = _("%(one)s is better than %(other)s with a chance of %(chance)s")
    tone = "better" if chance >= SURE else "worse" if chance <= 1 - SURE else "unclear"
    return Pair(text=text, label=label % {"one": one.title, "other": other.title, "chance": text}, tone=tone)
