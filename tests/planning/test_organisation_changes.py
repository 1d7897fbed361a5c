"""However units move, merge, split, close and open again: nothing done is lost, moved or counted twice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import Membership, Role, Unit, UnitPlacement, User
from apps.accounts.person import person_of
from apps.accounts.regrouping import (
    ChangeNotPossible,
    Part,
    close_unit,
    merge_units,
    move_unit,
    reopen_unit,
    split_unit,
    successors_of,
)
from apps.accounts.services import refresh_unit_paths
from apps.core.errors import CxplanError
from apps.feedback.models import Cell, Response
from apps.impact.models import Effect
from apps.library.models import Solution
from apps.planning.applying import apply_action
from apps.planning.closures import choices_of, end_with_unit, ended_with_their_unit, hand_over
from apps.planning.freezing import AppliedSolution
from apps.planning.models import Action, Plan
from apps.planning.plans import create_plan
from apps.planning.states import FROZEN, OPEN
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import CellFactory, EffectFactory, MembershipFactory, ResponseFactory, UnitFactory

FIRST_DAY = date(2024, 6, 5)

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["move", "merge", "split", "close", "reopen", "hand_over", "apply"]),
        st.integers(0, 30),
        st.integers(0, 30),
        # Days since the step before; days by which the change is planned ahead, or told late.
        st.integers(0, 9),
        st.integers(-12, 12),
    ),
    min_size=3,
    max_size=12,
)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What must not change any more once it was so."""

    frozen: dict[int, tuple[Any, ...]]
    effects: set[tuple[int, int, float | None]]
    responses: set[tuple[int, int]]
    cells: set[tuple[int, int]]
    places: dict[tuple[int, date], int | None]
    roles: set[tuple[int, int]]
    actions: set[int]
    solutions: set[tuple[int, int]]


def frozen_of(action: Action) -> tuple[Any, ...]:
    return action.unit_id, action.challenge_id, action.target_metric_id, action.effective_on, action.plan_id


def seen_now(days: list[date]) -> Seen:
    placements = list(UnitPlacement.objects.all())
    return Seen(
        frozen={action.pk: frozen_of(action) for action in Action.objects.filter(state__in=FROZEN)},
        effects=set(Effect.objects.values_list("pk", "action", "effect")),
        responses=set(Response.objects.values_list("pk", "unit")),
        cells=set(Cell.objects.values_list("pk", "unit")),
        places={
            (placement.unit_id, day): placement.parent_id
            for placement in placements
            for day in days
            if placement.valid.lower <= day and (placement.valid.upper is None or day < placement.valid.upper)
        },
        roles=set(Membership.objects.values_list("user", "unit")),
        actions=set(Action.objects.values_list("pk", flat=True)),
        solutions=set(Plan.solutions.through.objects.values_list("plan", "solution")),
    )


def nothing_is_lost(before: Seen, after: Seen, *, told_late: set[date]) -> None:
    for key, kept in before.frozen.items():
        assert after.frozen[key] == kept
    assert after.effects == before.effects
    assert after.responses == before.responses
    assert after.cells == before.cells
    assert after.actions == before.actions
    assert after.solutions == before.solutions
    assert after.roles >= before.roles
    for place, parent in before.places.items():
        assert place in after.places
        if place[1] not in told_late:
            assert after.places[place] == parent


def the_tree_is_whole(top: User, day: date) -> None:
    """Each unit on one place, in sight from the top; sums over the parts are the sum of the whole."""
    scope = person_of(top).scope()
    for unit in Unit.objects.all():
        standing = UnitPlacement.objects.get(unit=unit, valid__contains=day)
        above = Unit.objects.get(pk=standing.parent_id).path if standing.parent_id else ""
        assert unit.path == f"{above}{unit.pk}."
    assert Action.objects.in_scope(scope).count() == Action.objects.count()
    assert Effect.objects.in_scope(scope).count() == Effect.objects.count()
    parts = {
        unit.pk: Cell.objects.filter(unit=unit).aggregate(n=Sum("n"))["n"] or 0 for unit in Unit.objects.all()
    }
    whole = Cell.objects.filter(scope.condition("unit__")).aggregate(n=Sum("n"))["n"] or 0
    assert sum(parts.values()) == whole == (Cell.objects.aggregate(n=Sum("n"))["n"] or 0)


def people_keep_what_they_had(roles: dict[tuple[int, int], str]) -> None:
    for (user, unit), role in roles.items():
        held = Membership.objects.get(user=user, unit=unit)
        assert Role(held.role).includes(Role(role))
    for unit in Unit.objects.filter(closed_on__isnull=False).exclude(successor=None):
        assert unit.successor is not None
        into = dict(Membership.objects.filter(unit=unit.successor).values_list("user", "role"))
        for user, role in Membership.objects.filter(unit=unit).values_list("user", "role"):
            assert Role(into[user]).includes(Role(role))


def plans_follow_as_documented(day: date) -> None:
    for action in Action.objects.select_related("unit"):
        closed_on = action.unit.closed_on
        if action.state in (Action.State.APPLIED, Action.State.SUSTAINED) and closed_on is not None:
            assert closed_on > day or (action.effective_on is not None and action.effective_on >= day)
        if action.state in OPEN and closed_on is not None:
            assert choices_of(action) == successors_of(action.unit)
    for plan in Plan.objects.all():
        units = list(plan.actions.filter(state__in=OPEN).values_list("unit", flat=True))
        assert len(units) == len(set(units))


@pytest.fixture
def begin(chain: Chain, challenge: Challenge, training: Solution, lead: User) -> Callable[[], None]:
    """Something planned, done, measured and answered in every branch."""

    def fill() -> None:
        branches = [chain.lille, chain.reims, chain.nice, chain.arles]
        branches += [UnitFactory(code=f"S{n}", parent=(chain.north, chain.south)[n % 2]) for n in range(2)]
        plan = create_plan(
            challenge=challenge,
            units=branches,
            solutions=[training],
            owner=lead,
            planned_on=FIRST_DAY + timedelta(days=30),
            actor=lead,
        )
        for number, action in enumerate(plan.actions.order_by("pk")):
            MembershipFactory(unit=action.unit, role=(Role.STAFF, Role.MANAGER)[number % 2])
            ResponseFactory(unit=action.unit)
            CellFactory(unit=action.unit, metric=challenge.metric, n=10 + number)
            if number % 2:
                applied = put_in_place(action, FIRST_DAY - timedelta(days=40))
                EffectFactory(action=applied, effect=float(number))

    return fill


def put_in_place(action: Action, day: date) -> Action:
    assert action.plan is not None
    solutions = [AppliedSolution(solution=solution) for solution in action.plan.solutions.all()]
    as_of = max(day, FIRST_DAY)
    return apply_action(action=action, effective_on=day, solutions=solutions, as_of=as_of, actor=None)


def change(kind: str, turn: int, one: int, other: int, on: date, today: date, top: User) -> None:
    """One step; what is refused leaves all as it was."""
    units = list(Unit.objects.exclude(code="ORG").order_by("pk"))
    unit, target = units[one % len(units)], units[other % len(units)]
    waiting = list(Action.objects.filter(state__in=OPEN).order_by("pk"))
    asked: dict[str, Any] = {"on": on, "as_of": today, "actor": top}
    if kind == "move":
        move_unit(unit=unit, parent=target, **asked)
    elif kind == "merge":
        merge_units(units=[unit], into=target, **asked)
    elif kind == "split":
        parts = [Part(code=f"P{turn}-{half}", name="") for half in "ab"]
        split_unit(unit=unit, parts=parts, **asked)
    elif kind == "close":
        close_unit(unit=unit, **asked)
    elif kind == "reopen":
        reopen_unit(unit=unit, actor=top)
    elif kind == "apply" and waiting:
        put_in_place(waiting[one % len(waiting)], today)
    elif kind == "hand_over" and waiting:
        action = waiting[one % len(waiting)]
        to = choices_of(action)
        if to:
            hand_over(action=action, to=to[other % len(to)], actor=top)


def in_the_night(day: date) -> None:
    """What runs by itself."""
    refresh_unit_paths(as_of=day)
    for action in ended_with_their_unit(as_of=day):
        end_with_unit(action=action, at=datetime.combine(day, time(4), UTC))


@given(steps=STEPS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_changes_keeps_history_and_plans(
    begin: Callable[[], None], lead: User, steps: list[tuple[str, int, int, int, int]]
) -> None:
    with transaction.atomic():
        begin()
        days, today = [FIRST_DAY - timedelta(days=60), FIRST_DAY], FIRST_DAY
        for turn, (kind, one, other, later, ahead) in enumerate(steps):
            today += timedelta(days=later)
            in_the_night(today)
            before = seen_now(days)
            roles = {
                (user, unit): role for user, unit, role in Membership.objects.values_list("user", "unit", "role")
            }
            on = today + timedelta(days=ahead)
            try:
                with transaction.atomic():
                    change(kind, turn, one, other, on, today, lead)
            except CxplanError:
                assert seen_now(days) == before
            in_the_night(today)
            days.append(today)
            late = {day for day in days if on <= day}
            nothing_is_lost(before, seen_now(days), told_late=late)
            the_tree_is_whole(lead, today)
            people_keep_what_they_had(roles)
            plans_follow_as_documented(today)
        transaction.set_rollback(True)


def test_a_place_taken_before_the_day_is_not_replaced(chain: Chain, lead: User) -> None:
    """Neither by a move to a day before the unit stood anywhere, nor by one told late."""
    placed = UnitPlacement.objects.get(unit=chain.lille).valid.lower
    with pytest.raises(ChangeNotPossible, match="has stood there only since"):
        move_unit(unit=chain.lille, parent=chain.south, on=placed - timedelta(days=1), as_of=FIRST_DAY, actor=lead)
    moved_on = FIRST_DAY - timedelta(days=10)
    move_unit(unit=chain.lille, parent=chain.south, on=moved_on, as_of=FIRST_DAY, actor=lead)
    with pytest.raises(ChangeNotPossible, match=moved_on.isoformat()):
        move_unit(
            unit=chain.lille, parent=chain.north, on=moved_on - timedelta(days=5), as_of=FIRST_DAY, actor=lead
        )
    held = UnitPlacement.objects.filter(unit=chain.lille).order_by("valid").values_list("parent__code", flat=True)
    assert list(held) == ["NORTH", "SOUTH"]


def test_a_move_planned_for_later_gives_way_to_another(chain: Chain, lead: User) -> None:
    later = FIRST_DAY + timedelta(days=20)
    move_unit(unit=chain.lille, parent=chain.south, on=later, as_of=FIRST_DAY, actor=lead)
    sooner = FIRST_DAY + timedelta(days=5)
    move_unit(unit=chain.lille, parent=chain.organisation, on=sooner, as_of=FIRST_DAY, actor=lead)
    held = UnitPlacement.objects.filter(unit=chain.lille).order_by("valid").values_list("parent__code", flat=True)
    assert list(held) == ["NORTH", "ORG"]


def test_two_moves_planned_for_later_do_not_put_a_unit_below_itself(chain: Chain, lead: User) -> None:
    plus = [FIRST_DAY + timedelta(days=days) for days in (10, 20)]
    move_unit(unit=chain.north, parent=chain.south, on=plus[1], as_of=FIRST_DAY, actor=lead)
    with pytest.raises(ChangeNotPossible, match="below itself"):
        move_unit(unit=chain.south, parent=chain.north, on=plus[0], as_of=FIRST_DAY, actor=lead)
    refresh_unit_paths(as_of=plus[1])
    the_tree_is_whole(lead, plus[1])
