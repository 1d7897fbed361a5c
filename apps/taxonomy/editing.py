"""What the tree looks like to those who edit it, and what changed in the last day."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import AuditEvent
from apps.taxonomy.models import Challenge
from apps.taxonomy.selectors import drawn
from apps.taxonomy.services import UNDO_WITHIN, UNDONE

CHANGES_SHOWN = 30
LABELS = {
    "taxonomy.challenge.created": gettext_lazy("“%(name)s” was created"),
    "taxonomy.challenge.changed": gettext_lazy("“%(name)s” was edited"),
    "taxonomy.challenge.moved": gettext_lazy("“%(name)s” was moved"),
    "taxonomy.challenge.merged": gettext_lazy("“%(name)s” was merged into %(into)s"),
    "taxonomy.challenge.split": gettext_lazy("“%(name)s” was split"),
    "taxonomy.challenge.retired": gettext_lazy("“%(name)s” was retired"),
    "taxonomy.challenge.restored": gettext_lazy("“%(name)s” was restored"),
    "taxonomy.alias.created": gettext_lazy("The label “%(name)s” was mapped"),
    "taxonomy.alias.changed": gettext_lazy("The alias “%(name)s” was changed"),
    "taxonomy.alias.removed": gettext_lazy("The alias “%(name)s” was removed"),
    "taxonomy.labels.mapped": gettext_lazy("%(name)s labels were mapped"),
    "taxonomy.labels.ignored": gettext_lazy("%(name)s labels were set aside"),
    "taxonomy.labels.reopened": gettext_lazy("%(name)s labels came back"),
    "taxonomy.journey.changed": gettext_lazy("The journey “%(name)s” was changed"),
    UNDONE: gettext_lazy("A change of “%(name)s” was undone"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A row of the tree; `children` is empty while the row is folded."""

    pk: int
    code: str
    name: str
    metric: str
    severity: int
    child_count: int
    is_open: bool
    is_marked: bool
    level: int
    place: int
    siblings: int
    children: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """A term out of use, and what became of it."""

    code: str
    name: str
    fate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    pk: int
    text: str
    by: str
    at: datetime
    may_undo: bool


def tree(*, opened: Collection[str] = (), marked: str = "") -> tuple[Node, ...]:
    """The current terms, folded but for the way to `opened` and `marked`."""
    terms = drawn(Challenge.objects.current())
    by_pk = {term.pk: term for term in terms}
    children: dict[int | None, list[Challenge]] = {}
    for term in terms:
        children.setdefault(_visible_parent(term, by_pk), []).append(term)
    wanted = {code.lower() for code in opened}
    unfolded = {term.pk for term in terms if term.code.lower() in wanted}
    for term in terms:
        if term.code.lower() == marked.lower():
            unfolded |= {pk for pk in term.ancestor_ids if pk in by_pk}
    return _nodes(None, 1, children, unfolded, marked.lower())


def branch(code: str, *, level: int) -> tuple[Node, ...]:
    """What stands directly under a term."""
    terms = Challenge.objects.current().filter(parent__code__iexact=code).select_related("metric")
    inner = Challenge.objects.current().filter(parent__in=terms).values_list("parent_id", flat=True)
    children: dict[int | None, list[Challenge]] = {None: list(terms)}
    for parent in inner:
        children.setdefault(parent, []).append(Challenge())
    return _nodes(None, level, children, set(), "")


def former_terms(*, limit: int) -> list[Former]:
    """Terms out of use, the newest first, with what stands for them."""
    gone = Challenge.objects.exclude(pk__in=Challenge.objects.current().values("pk"))
    rows = gone.select_related("merged_into").prefetch_related("parts").order_by("-retired_on", "-pk")[:limit]
    return [Former(code=term.code, name=term.display_name, fate=fate_of(term)) for term in rows]


def fate_of(term: Challenge) -> str:
    """What became of a term that is not in use."""
    if term.merged_into is not None:
        return _("merged into %(name)s") % {"name": term.merged_into.display_name}
    parts = ", ".join(sorted(part.display_name for part in term.parts.all()))
    return _("split into %(names)s") % {"names": parts} if parts else _("retired")


def recent_changes(*, at: datetime) -> list[Change]:
    """The changes of the vocabulary that can still be undone, the newest first; two queries."""
    events = list(
        AuditEvent.objects.filter(event__in=LABELS, at__gt=at - UNDO_WITHIN)
        .select_related("actor")
        .order_by("-pk")[:CHANGES_SHOWN]
    )
    pks = [event.pk for event in events]
    undone = set(
        AuditEvent.objects.filter(event=UNDONE, data__undoes__in=pks).values_list("data__undoes", flat=True)
    )
    return [
        Change(
            pk=event.pk,
            text=_told(event),
            by=str(event.actor or ""),
            at=event.at,
            may_undo="rows" in event.data and event.pk not in undone,
        )
        for event in events
    ]


def _told(event: AuditEvent) -> str:
    values = {"name": "", "into": "", **event.data}
    return str(LABELS[event.event]) % values


def _visible_parent(term: Challenge, by_pk: Mapping[int, Challenge]) -> int | None:
    """The nearest current term above: one that an import put under a retired one is shown all the same."""
    return next((pk for pk in reversed(term.ancestor_ids) if pk in by_pk), None)


def _nodes(
    parent: int | None,
    level: int,
    children: Mapping[int | None, list[Challenge]],
    unfolded: Collection[int],
    marked: str,
) -> tuple[Node, ...]:
    inner = sorted(children.get(parent, []), key=lambda term: (term.display_name.casefold(), term.code))
    return tuple(
        Node(
            pk=term.pk,
            code=term.code,
            name=term.display_name,
            metric=term.metric.display_name if term.metric else "",
            severity=term.severity,
            child_count=len(children.get(term.pk, [])),
            is_open=term.pk in unfolded,
            is_marked=term.code.lower() == marked,
            level=level,
            place=place,
            siblings=len(inner),
            children=_nodes(term.pk, level + 1, children, unfolded, marked) if term.pk in unfolded else (),
        )
        for place, term in enumerate(inner, 1)
    )
