"""The tree of challenges, one challenge with its place in the tree, and what a search finds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, Value

from apps.core.searching import Searchable
from apps.taxonomy.models import Alias, Challenge, Metric, Touchpoint
from apps.taxonomy.standing import Place, current_terms

# A tree of more terms shows its branches folded.
UNFOLDED_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A name and the code its page is found by."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A challenge under a branch; `depth` counts the levels below the branch's own children."""

    code: str
    name: str
    touchpoint: str
    metric: str
    depth: int
    is_parent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A challenge at the top of the tree and all that stand under it, depth first; none while it is folded."""

    code: str
    name: str
    count: int
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengePage:
    """A challenge with its ancestors, the root first, its children and other systems' names for it."""

    challenge: Challenge
    metric: Metric | None
    touchpoint: str
    journey: str
    ancestors: tuple[Term, ...]
    children: tuple[Term, ...]
    aliases: tuple[str, ...]
    # What a split made of it, by the terms of today; what was merged into it; what stood under it and is retired.
    parts: tuple[Term, ...]
    took_in: tuple[str, ...]
    former_children: tuple[Term, ...]


def places() -> list[Place]:
    """Where every term stands, current or not; one query."""
    rows = Challenge.objects.values_list("pk", "parent_id", "merged_into_id", "retired_on")
    return [
        Place(pk=pk, parent=parent, merged_into=merged_into, is_retired=retired_on is not None)
        for pk, parent, merged_into, retired_on in rows
    ]


def terms_shown_under() -> dict[int, int]:
    """For each term the one under which its records are counted today; one query."""
    return current_terms(places())


def challenge_tree(*, query: str = "", under: str = "") -> tuple[Branch, ...]:
    """The current challenges by branch; with a query, those it finds and their branches.

    Of a large tree only the branch whose code is `under` has its leaves.
    """
    challenges = drawn(Challenge.objects.current())
    by_id = {challenge.pk: challenge for challenge in challenges}
    if query:
        found = set(matching(query).values_list("pk", flat=True))
        # A branch that is found shows all it holds.
        challenges = [c for c in challenges if found & {*_line(c, by_id)}]
    children: dict[int | None, list[Challenge]] = {}
    kept = {pk for challenge in challenges for pk in _line(challenge, by_id)}
    for challenge in by_id.values():
        if challenge.pk in kept:
            parent = challenge.parent_id if challenge.parent_id in kept else None
            children.setdefault(parent, []).append(challenge)
    for siblings in children.values():
        siblings.sort(key=_position)
    is_small = len(kept) <= UNFOLDED_MOST
    return tuple(
        Branch(
            code=top.code,
            name=top.display_name,
            count=sum(1 for _leaf in _below(top, children)),
            leaves=tuple(_leaves(top, children, 0)) if is_small or top.code.lower() == under.lower() else (),
        )
        for top in children.get(None, [])
    )


def drawn(terms: QuerySet[Challenge]) -> list[Challenge]:
    """What a tree shows of each term; three queries, none of them wide."""
    rows = list(terms.only("code", "name", "name_fr", "path", "severity", "parent", "touchpoint", "metric"))
    touchpoints = Touchpoint.objects.in_bulk({row.touchpoint_id for row in rows if row.touchpoint_id})
    metrics = Metric.objects.in_bulk({row.metric_id for row in rows if row.metric_id})
    for row in rows:
        row.touchpoint = touchpoints[row.touchpoint_id] if row.touchpoint_id else None
        row.metric = metrics[row.metric_id] if row.metric_id else None
    return rows


def matching(query: str) -> QuerySet[Challenge]:
    """Current challenges whose name, description, code or alias has the words, small slips of a name forgiven."""
    words: Any = Searchable(Value(query))  # the stubs know only of texts
    called = Alias.objects.alias(plain_label=Searchable("label")).filter(plain_label__contains=words)
    return Challenge.objects.current().filter(
        Q(search_text__contains=words)
        | Q(search_name__trigram_word_similar=words)
        | Q(pk__in=called.values("challenge"))
    )


def challenge_page(code: str) -> ChallengePage | None:
    """A challenge by its code, also a retired one: history keeps its links."""
    challenge = (
        Challenge.objects.select_related("metric", "touchpoint__journey", "merged_into")
        .filter(code__iexact=code)
        .first()
    )
    if challenge is None:
        return None
    above = [int(step) for step in challenge.path.rstrip(".").split(".")[:-1] if step]
    near = Q(pk__in=above) | Q(parent=challenge, merged_into=None) | Q(merged_into=challenge)
    related = list(Challenge.objects.filter(near).select_related("touchpoint"))
    parts = {part.standing.pk: part.standing for part in challenge.parts.select_related("merged_into")}
    children = [c for c in sorted(related, key=_position) if c.parent_id == challenge.pk and not c.merged_into_id]
    by_id = {other.pk: other for other in related}
    touchpoint = challenge.touchpoint
    return ChallengePage(
        challenge=challenge,
        metric=challenge.metric,
        touchpoint=touchpoint.display_name if touchpoint else "",
        journey=touchpoint.journey.display_name if touchpoint else "",
        ancestors=tuple(_term(by_id[pk]) for pk in above if pk in by_id),
        children=tuple(_term(c) for c in children if c.is_current),
        former_children=tuple(_term(c) for c in children if not c.is_current),
        took_in=tuple(c.display_name for c in related if c.merged_into_id == challenge.pk),
        parts=tuple(_term(part) for part in parts.values()),
        aliases=tuple(f"{alias.source}: {alias.label}" for alias in challenge.aliases.order_by("source", "label")),
    )


def _below(parent: Challenge, children: dict[int | None, list[Challenge]]) -> Iterable[Challenge]:
    for child in children.get(parent.pk, []):
        yield child
        yield from _below(child, children)


def _leaves(parent: Challenge, children: dict[int | None, list[Challenge]], depth: int) -> Iterable[Leaf]:
    for child in children.get(parent.pk, []):
        yield Leaf(
            code=child.code,
            name=child.display_name,
            touchpoint=child.touchpoint.display_name if child.touchpoint else "",
            metric=child.metric.display_name if child.metric else "",
            depth=depth,
            is_parent=child.pk in children,
        )
        yield from _leaves(child, children, depth + 1)


def _line(challenge: Challenge, by_id: dict[int, Challenge]) -> Iterable[int]:
    """The challenge and its ancestors; a broken chain just ends."""
    current: Challenge | None = challenge
    seen: set[int] = set()
    while current is not None and current.pk not in seen:
        seen.add(current.pk)
        current = by_id.get(current.parent_id) if current.parent_id else None
    return seen


def _position(challenge: Challenge) -> tuple[int, str]:
    """Along the journey, then by name."""
    touchpoint = challenge.touchpoint
    return (touchpoint.position if touchpoint else 10_000, challenge.display_name.casefold())


def _term(challenge: Challenge) -> Term:
    return Term(code=challenge.code, name=challenge.display_name)
