"""The order of a roll-out is drawn evenly, can be repeated from its seed, and is kept honest afterwards."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from apps.accounts.models import AuditEvent, Unit, User
from apps.library.models import Solution
from apps.notifications.models import Notification
from apps.planning.drawing import DrawNotPossible, draw_plan, due_read_outs, read_out, review_marks
from apps.planning.draws import draw_steps, staggered
from apps.planning.focuses import FocusLimit
from apps.planning.models import Action, Draw, DrawnUnit, Plan
from apps.planning.plans import create_plan, withdraw_action
from apps.planning.rollouts import DrawStands, add_units, apply_due, move_start, set_starts
from apps.planning.rules import DateNotPossible, ReasonMissing
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import ActionFactory, UnitFactory
from tests.planning.conftest import TODAY
from tests.planning.helpers import apply

NOW = datetime(2024, 6, 5, 9, tzinfo=UTC)
FIRST = date(2024, 6, 10)
Breach = DrawnUnit.Breach


@pytest.fixture
def places(chain: Chain) -> list[Unit]:
    return [
        UnitFactory(code=f"B{number}", region="North" if number < 5 else "South", parent=chain.north)
        for number in range(8)
    ]


@pytest.fixture
def rollout(places: list[Unit], challenge: Challenge, training: Solution, lead: User) -> Plan:
    return create_plan(
        challenge=challenge, units=places, solutions=[training], owner=lead, planned_on=FIRST, actor=lead
    )


@pytest.fixture
def draw(rollout: Plan, lead: User) -> Draw:
    return drawn(rollout, lead)


def drawn(plan: Plan, actor: User, **design: object) -> Draw:
    asked = {"steps": 4, "gap_weeks": 3, "first_on": FIRST, "seed": 7, "at": NOW} | design
    return draw_plan(plan=plan, actor=actor, **asked)  # type: ignore[arg-type]


def first_wave(draw: Draw) -> Action:
    unit = draw.units.order_by("starts_on", "pk")[0].unit
    return draw.plan.actions.get(unit=unit)


def last_wave(draw: Draw) -> Action:
    unit = draw.units.order_by("-starts_on", "pk")[0].unit
    return draw.plan.actions.get(unit=unit)


def breach_of(draw: Draw, action: Action) -> str:
    return draw.units.get(unit=action.unit_id).breach


# The draw itself


def test_steps_are_even_over_all_units_and_in_every_region() -> None:
    regions = {f"u{number}": f"r{number % 3}" for number in range(31)}
    for seed in range(30):
        steps = draw_steps(regions, steps=4, seed=seed)
        assert max(Counter(steps.values()).values()) - min(Counter(steps.values()).values()) <= 1
        for region in ("r0", "r1", "r2"):
            mine = Counter(step for code, step in steps.items() if regions[code] == region)
            assert max(mine.values()) - min(mine[step] for step in range(4)) <= 1


def test_a_draw_can_be_repeated_and_another_seed_draws_another_order() -> None:
    regions = {f"u{number}": "" for number in range(12)}
    backwards = dict(reversed(regions.items()))
    assert draw_steps(regions, steps=3, seed=5) == draw_steps(backwards, steps=3, seed=5)
    assert draw_steps(regions, steps=3, seed=5) != draw_steps(regions, steps=3, seed=6)


def test_every_unit_has_the_same_chance_of_every_step() -> None:
    regions = {f"u{number}": "a" if number < 5 else "b" for number in range(8)}
    tally = Counter(draw_steps(regions, steps=4, seed=seed)["u0"] for seed in range(2_000))
    # Four steps, 2,000 draws: 500 each, give or take four standard deviations of 19.
    assert all(abs(tally[step] - 500) < 78 for step in range(4))


def test_waves_are_as_even_as_can_be() -> None:
    days = staggered(7, first_on=FIRST, gap_weeks=2, steps=3)
    assert days == sorted(days)
    assert sorted(Counter(days).values()) == [2, 2, 3]
    assert days[-1] == FIRST + timedelta(weeks=4)


# Frozen


def test_a_draw_is_frozen_with_everything_it_was_drawn_from(draw: Draw, rollout: Plan, lead: User) -> None:
    rollout.refresh_from_db()
    assert rollout.is_randomised
    assert all(action.is_randomised for action in rollout.actions.all())
    starts = {row.unit_id: row.starts_on for row in draw.units.all()}
    assert {action.unit_id: action.planned_on for action in rollout.actions.all()} == starts
    data = AuditEvent.objects.get(event="planning.plan.drawn").data
    assert data["seed"] == 7
    regions = {unit["code"]: unit["region"] for unit in data["units"]}
    assert {unit["code"]: unit["step"] for unit in data["units"]} == draw_steps(regions, steps=4, seed=7)
    assert draw.drawn_by == lead


def test_nobody_draws_again_in_silence(draw: Draw, rollout: Plan, lead: User) -> None:
    with pytest.raises(ReasonMissing):
        drawn(rollout, lead, seed=8)
    again = drawn(rollout, lead, seed=8, reason="Two branches close for works")
    draw.refresh_from_db()
    assert draw.replaced_at == NOW
    assert draw.units.count() == 8
    assert list(rollout.draws.filter(replaced_at=None)) == [again]


@pytest.mark.parametrize(
    ("design", "error"),
    [
        ({"steps": 9}, DrawNotPossible),
        ({"gap_weeks": 0}, DrawNotPossible),
        ({"first_on": TODAY - timedelta(days=1)}, DateNotPossible),
    ],
)
def test_a_design_that_can_not_be_is_refused(
    rollout: Plan, lead: User, design: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        drawn(rollout, lead, **design)
    assert not rollout.draws.exists()


def test_five_units_are_no_fair_test(places: list[Unit], rollout: Plan, lead: User) -> None:
    for action in rollout.actions.order_by("pk")[:3]:
        withdraw_action(action=action, actor=lead)
    with pytest.raises(DrawNotPossible):
        drawn(rollout, lead)


def test_drawn_starts_are_not_set_otherwise_all_at_once(draw: Draw, rollout: Plan, lead: User) -> None:
    starts = {action.pk: FIRST for action in rollout.actions.all()}
    with pytest.raises(DrawStands):
        set_starts(plan=rollout, starts=starts, as_of=TODAY, actor=lead)


# Kept honest


def test_a_unit_that_starts_as_drawn_keeps_its_mark(draw: Draw, training: Solution) -> None:
    action = apply(first_wave(draw), training, on=FIRST + timedelta(days=3))
    assert action.is_randomised
    assert breach_of(draw, action) == ""


def test_a_unit_that_starts_before_its_day_loses_its_mark(draw: Draw, training: Solution) -> None:
    action = apply(last_wave(draw), training, on=TODAY)
    assert not action.is_randomised
    assert breach_of(draw, action) == Breach.EARLY
    event = AuditEvent.objects.about(action).get(event="planning.action.mark_withheld")
    assert event.data == {"reason": "early"}


def test_a_unit_that_starts_in_the_weeks_of_the_next_loses_its_mark(draw: Draw, training: Solution) -> None:
    action = apply(first_wave(draw), training, on=FIRST + timedelta(weeks=3))
    assert breach_of(draw, action) == Breach.LATE


def test_another_action_while_a_unit_waits_costs_its_mark(draw: Draw, challenge: Challenge) -> None:
    waits = last_wave(draw)
    ActionFactory(unit=waits.unit, challenge=challenge, target_metric=challenge.metric, effective_on=FIRST)
    assert review_marks(draws=[draw], actor=None) == 1
    assert review_marks(draws=[draw], actor=None) == 0
    waits.refresh_from_db()
    assert not waits.is_randomised
    assert breach_of(draw, waits) == Breach.OTHER


def test_an_action_for_another_problem_costs_nothing(draw: Draw) -> None:
    ActionFactory(unit=last_wave(draw).unit, effective_on=FIRST)
    assert review_marks(draws=[draw], actor=None) == 0


def test_a_moved_start_is_flagged_and_moved_back_is_not(draw: Draw, lead: User) -> None:
    action = first_wave(draw)
    move_start(action=action, planned_on=FIRST + timedelta(days=1), as_of=TODAY, actor=lead)
    assert breach_of(draw, action) == Breach.MOVED
    move_start(action=action, planned_on=FIRST, as_of=TODAY, actor=lead)
    action.refresh_from_db()
    assert action.is_randomised
    assert breach_of(draw, action) == ""


def test_a_unit_taken_out_is_remembered(draw: Draw, lead: User) -> None:
    action = first_wave(draw)
    unit = action.unit
    withdraw_action(action=action, reason="Closes", actor=lead)
    review_marks(draws=[draw], actor=None)
    assert draw.units.get(unit=unit).breach == Breach.GONE


def test_units_that_join_later_are_no_part_of_the_draw(
    draw: Draw, rollout: Plan, chain: Chain, lead: User
) -> None:
    (action,) = add_units(
        plan=rollout,
        units=[chain.nice],
        planned_on=FIRST,
        focus=FocusLimit(at_most=2, as_of=TODAY),
        actor=lead,
    )
    assert action.state == Action.State.PLANNED
    assert not action.is_randomised
    assert draw.units.count() == 8


# Applied at once, and read out


def test_what_is_due_is_applied_at_once_and_the_rest_waits(draw: Draw, rollout: Plan, lead: User) -> None:
    done = apply_due(plan=rollout, actions=list(rollout.actions.all()), as_of=FIRST, actor=lead)
    assert len(done) == 2
    assert all(action.effective_on == FIRST and action.is_randomised for action in done)
    assert rollout.actions.filter(state=Action.State.PLANNED).count() == 6


def test_the_owner_is_told_once_when_the_last_window_is_over(draw: Draw, lead: User) -> None:
    last = FIRST + timedelta(weeks=9)
    assert draw.reads_on >= last + timedelta(weeks=15)
    assert due_read_outs(as_of=draw.reads_on - timedelta(days=1)) == []
    assert due_read_outs(as_of=draw.reads_on) == [draw]
    at = datetime.combine(draw.reads_on, NOW.time(), UTC)
    assert read_out(draw=draw, at=at)
    assert not read_out(draw=draw, at=at)
    assert Notification.objects.filter(user=lead, kind="planning.draw.readable").count() == 1


def test_a_late_start_puts_the_read_out_off(draw: Draw, training: Solution) -> None:
    late = FIRST + timedelta(weeks=20)
    apply(last_wave(draw), training, on=late)
    before = draw.reads_on
    assert not read_out(draw=draw, at=datetime.combine(before, NOW.time(), UTC))
    draw.refresh_from_db()
    assert draw.reads_on > before
