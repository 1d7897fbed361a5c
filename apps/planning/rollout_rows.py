"""A plan in many units: which one starts when, where it stands, and whether the lot still decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from apps.accounts.models import Scope, Unit
from apps.planning.models import Action, Draw, DrawnUnit, Plan
from apps.planning.selectors import STATE_HEADINGS, is_overdue, when
from apps.planning.states import OPEN

UNITS_A_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRow:
    """One unit of the roll-out; `breach` says why it no longer counts as drawn, `is_drawn` that it does."""

    external_id: str
    updated_at: datetime
    unit: str
    region: str
    state: str
    state_label: str
    when: str
    planned_on: date | None
    owner: str
    is_open: bool
    is_overdue: bool
    is_drawn: bool
    breach: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One start date of the draw and how many units drew it."""

    starts_on: date
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """`due` actions can be applied today; `waves` are those of the draw that stands."""

    page: Page[RolloutRow]
    counts: tuple[tuple[str, int], ...]
    total: int
    waiting: int
    due: int
    draw: Draw | None
    waves: tuple[Wave, ...]
    broken: int
    former: tuple[Draw, ...]


def plans_seen(scope: Scope) -> QuerySet[Plan]:
    """Plans with a unit in `scope`."""
    inside = Action.objects.in_scope(scope).filter(plan=OuterRef("pk"))
    return Plan.objects.filter(Exists(inside)).select_related("challenge__metric", "owner", "target_metric")


def plans_managed(scope: Scope) -> QuerySet[Plan]:
    """Plans all of whose units lie in `scope`."""
    actions = Action.objects.filter(plan=OuterRef("pk"))
    return plans_seen(scope).exclude(Exists(actions.exclude(scope.condition("unit__"))))


def waiting_actions(plan: Plan) -> list[Action]:
    """The plan's actions that have not started, in the order in which a stagger deals them."""
    rows = plan.actions.filter(state__in=OPEN).select_related("unit")
    return list(rows.order_by(F("planned_on").asc(nulls_last=True), "unit__name", "pk"))


def due_actions(plan: Plan, *, scope: Scope, as_of: date) -> list[Action]:
    rows = Action.objects.in_scope(scope).filter(plan=plan, state=Action.State.PLANNED, planned_on__lte=as_of)
    return list(rows.select_related("unit").order_by("pk"))


def rollout(*, plan: Plan, scope: Scope, number: str | None, as_of: date) -> Rollout:
    """The units of the plan in `scope`, in a constant number of queries."""
    actions = Action.objects.in_scope(scope).filter(plan=plan)
    tally = dict(actions.order_by().values_list("state").annotate(count=Count("pk")))
    due = actions.filter(state=Action.State.PLANNED, planned_on__lte=as_of).count()
    draws = list(plan.draws.select_related("drawn_by").order_by("-drawn_at", "-pk"))
    draw = next((one for one in draws if one.replaced_at is None), None)
    ordered = actions.select_related("unit", "owner").order_by(
        F("effective_on").asc(nulls_last=True), F("planned_on").asc(nulls_last=True), "unit__name", "pk"
    )
    page = Paginator(ordered, UNITS_A_PAGE).get_page(number)
    shown = list(page.object_list)
    drawn = _drawn(draw, [action.unit_id for action in shown])
    rows = [_row(action, drawn.get(action.unit_id), as_of=as_of) for action in shown]
    waves, broken = _waves(draw)
    return Rollout(
        page=Page(rows, page.number, page.paginator),  # type: ignore[arg-type]  # rows stand for the actions
        counts=tuple((str(label), tally[state]) for state, label in STATE_HEADINGS.items() if tally.get(state)),
        total=sum(tally.values()),
        waiting=sum(tally.get(state, 0) for state in OPEN),
        due=due,
        draw=draw,
        waves=waves,
        broken=broken,
        former=tuple(one for one in draws if one.replaced_at is not None),
    )


def _drawn(draw: Draw | None, units: Sequence[int]) -> dict[int, DrawnUnit]:
    if draw is None:
        return {}
    return {row.unit_id: row for row in draw.units.filter(unit__in=units)}


def _waves(draw: Draw | None) -> tuple[tuple[Wave, ...], int]:
    if draw is None:
        return (), 0
    found = draw.units.order_by("starts_on").values_list("starts_on")
    tally = found.annotate(count=Count("pk"), broken=Count("pk", filter=~Q(breach="")))
    rows = list(tally)
    return tuple(Wave(starts_on=day, count=count) for day, count, _ in rows), sum(row[2] for row in rows)


def _row(action: Action, drawn: DrawnUnit | None, *, as_of: date) -> RolloutRow:
    return RolloutRow(
        external_id=action.external_id,
        updated_at=action.updated_at,
        unit=action.unit.display_name,
        region=action.unit.region,
        state=action.state,
        state_label=action.get_state_display(),
        when=when(action, as_of=as_of),
        planned_on=action.planned_on,
        owner=str(action.owner or action.owner_label),
        is_open=action.state in OPEN,
        is_overdue=is_overdue(action, as_of=as_of),
        is_drawn=drawn is not None and not drawn.breach,
        breach=drawn.get_breach_display() if drawn is not None and drawn.breach else "",
    )


def mark_of(action: Action) -> DrawnUnit | None:
    """What the standing draw of the action's plan says about its unit."""
    if action.plan_id is None:
        return None
    return DrawnUnit.objects.filter(draw__plan=action.plan_id, draw__replaced_at=None, unit=action.unit_id).first()


def regions_and_kinds(units: QuerySet[Unit]) -> tuple[list[str], list[str]]:
    """What units can be narrowed by."""
    pairs = set(units.order_by().values_list("region", "kind").distinct())
    return sorted({region for region, _ in pairs if region}), sorted({kind for _, kind in pairs if kind})
