"""Under which term of today is a term of the past shown, and is the tree in order?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a term stands; `merged_into` is None unless it was merged."""

    pk: int
    parent: int | None
    merged_into: int | None
    is_retired: bool

    @property
    def is_current(self) -> bool:
        return self.merged_into is None and not self.is_retired


def current_terms(places: Iterable[Place]) -> dict[int, int]:
    """The term under which each term's records are counted: exactly one for each.

    What was merged counts for what it was merged into; what was retired counts for the nearest current term
    above it. A retired term with nothing current above it stands for itself.
    """
    by_pk = {place.pk: place for place in places}
    return {pk: _current(place, by_pk) for pk, place in by_pk.items()}


def faults(places: Iterable[Place]) -> set[tuple[int, str]]:
    """What must not be in a tree of terms: (the term, what is wrong with it)."""
    by_pk = {place.pk: place for place in places}
    found = set()
    for place in by_pk.values():
        if place.pk in ancestors(place.pk, by_pk):
            found.add((place.pk, "cycle"))
        into = by_pk.get(place.merged_into) if place.merged_into is not None else None
        if into is not None and into.merged_into is not None:
            found.add((place.pk, "chain"))
        above = by_pk.get(place.parent) if place.parent is not None else None
        if above is not None and place.merged_into is None:
            if above.merged_into is not None:
                found.add((place.pk, "under_merged"))
            elif above.is_retired and not place.is_retired:
                found.add((place.pk, "under_retired"))
    return found


def ancestors(pk: int, places: Mapping[int, Place]) -> set[int]:
    """Everything above a term; the term itself is among them only when the tree has a cycle there."""
    seen: set[int] = set()
    place = places.get(pk)
    while place is not None and place.parent is not None and place.parent not in seen:
        seen.add(place.parent)
        place = places.get(place.parent)
    return seen


def _current(place: Place, by_pk: Mapping[int, Place]) -> int:
    first = by_pk.get(place.merged_into, place) if place.merged_into is not None else place
    at, seen = first, {first.pk}
    while not at.is_current:
        step = at.merged_into if at.merged_into is not None else at.parent
        following = by_pk.get(step) if step is not None else None
        if following is None or following.pk in seen:
            return first.pk
        seen.add(following.pk)
        at = following
    return at.pk
