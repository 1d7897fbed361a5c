"""Units move, merge, split, close and open again; what happened before stays where it happened."""

from datetime import date, timedelta
from random import Random

import pytest

from apps.accounts.models import AuditEvent, Membership, Role, Unit, UnitPlacement, User
from apps.accounts.person import person_of
from apps.accounts.regrouping import (
    ChangeNotPossible,
    Part,
    close_unit,
    merge_units,
    move_unit,
    rename_unit,
    reopen_unit,
    split_unit,
    successors_of,
)
from apps.accounts.services import refresh_unit_paths
from tests.conftest import Chain
from tests.factories import MembershipFactory, UnitFactory

TODAY = date(2024, 6, 5)


def sees(user: User, unit: Unit) -> bool:
    unit.refresh_from_db()
    return person_of(user).scope().holds(unit.path)


def test_a_move_counts_from_its_day_and_the_past_stays(chain: Chain, lead: User) -> None:
    moved = move_unit(unit=chain.lille, parent=chain.south, on=TODAY, as_of=TODAY, actor=lead)
    moved.refresh_from_db()
    assert moved.path == f"{chain.south.path}{moved.pk}."
    before = UnitPlacement.objects.get(unit=moved, valid__contains=TODAY - timedelta(days=1))
    assert before.parent == chain.north
    event = AuditEvent.objects.get(event="accounts.unit.moved")
    assert event.data == {"from": "NORTH", "to": "SOUTH", "on": "2024-06-05"}


def test_a_move_planned_ahead_begins_on_its_day(chain: Chain, lead: User) -> None:
    day = TODAY + timedelta(days=10)
    move_unit(unit=chain.lille, parent=chain.south, on=day, as_of=TODAY, actor=lead)
    chain.lille.refresh_from_db()
    assert chain.lille.path.startswith(chain.north.path)
    refresh_unit_paths(as_of=day)
    chain.lille.refresh_from_db()
    assert chain.lille.path.startswith(chain.south.path)


def test_no_unit_stands_below_itself(chain: Chain, lead: User) -> None:
    for parent in (chain.north, chain.lille):
        with pytest.raises(ChangeNotPossible):
            move_unit(unit=chain.north, parent=parent, on=TODAY, as_of=TODAY, actor=lead)


def test_a_merged_unit_closes_points_on_and_shares_its_people(chain: Chain, lead: User, manager: User) -> None:
    MembershipFactory(user=manager, unit=chain.reims, role=Role.STAFF)
    merge_units(units=[chain.lille], into=chain.reims, on=TODAY, as_of=TODAY, actor=lead)
    chain.lille.refresh_from_db()
    assert (chain.lille.closed_on, chain.lille.successor) == (TODAY, chain.reims)
    assert successors_of(chain.lille) == [chain.reims]
    roles = dict(Membership.objects.filter(user=manager).values_list("unit__code", "role"))
    assert roles == {"LILLE": Role.MANAGER, "REIMS": Role.MANAGER}


def test_what_was_below_a_merged_unit_follows(chain: Chain, lead: User) -> None:
    merge_units(units=[chain.north], into=chain.south, on=TODAY, as_of=TODAY, actor=lead)
    chain.lille.refresh_from_db()
    assert chain.lille.path.startswith(chain.south.path)


def test_a_split_opens_parts_beside_the_old_one(chain: Chain, lead: User, manager: User) -> None:
    parts = [Part(code="L1", name="Lille Gare"), Part(code="L2", name="Lille Aéroport")]
    made = split_unit(unit=chain.lille, parts=parts, on=TODAY, as_of=TODAY, actor=lead)
    chain.lille.refresh_from_db()
    assert chain.lille.closed_on == TODAY
    assert successors_of(chain.lille) == made
    assert all(unit.path.startswith(chain.north.path) and unit.opened_on == TODAY for unit in made)
    assert all(sees(manager, unit) for unit in [*made, chain.lille])
    with pytest.raises(ChangeNotPossible):
        split_unit(unit=chain.reims, parts=[parts[0], Part(code="l1", name="")], on=TODAY, as_of=TODAY, actor=lead)


def test_a_unit_closes_after_what_is_below_and_opens_again(chain: Chain, lead: User) -> None:
    with pytest.raises(ChangeNotPossible):
        close_unit(unit=chain.north, on=TODAY, as_of=TODAY, actor=lead)
    closed = close_unit(unit=chain.lille, on=TODAY, as_of=TODAY, actor=lead)
    with pytest.raises(ChangeNotPossible):
        close_unit(unit=closed, on=TODAY, as_of=TODAY, actor=lead)
    assert reopen_unit(unit=closed, actor=lead).closed_on is None


def test_a_new_name_leaves_the_old_one_in_the_records(chain: Chain, lead: User) -> None:
    rename_unit(unit=chain.lille, name="Lille Europe", actor=lead)
    event = AuditEvent.objects.get(event="accounts.unit.renamed")
    assert event.data["before"]["name"] == "Lille"


@pytest.mark.parametrize("seed", range(4))
def test_any_sequence_of_changes_keeps_the_tree_whole(chain: Chain, lead: User, seed: int) -> None:
    """Every unit stays in the tree on one place a day, visible from the top; the past is never rewritten."""
    rng = Random(seed)
    for number in range(4):
        UnitFactory(code=f"S{number}", parent=rng.choice([chain.north, chain.south]))
    day = TODAY
    past: dict[tuple[int, date], int | None] = {}
    for turn in range(14):
        day += timedelta(days=rng.randint(1, 9))
        units = list(Unit.objects.exclude(pk=chain.organisation.pk).order_by("pk"))
        one, other = rng.sample(units, 2)
        kind = rng.choice(["move", "merge", "split", "close", "reopen"])
        try:
            if kind == "move":
                move_unit(unit=one, parent=other, on=day, as_of=day, actor=lead)
            elif kind == "merge":
                merge_units(units=[one], into=other, on=day, as_of=day, actor=lead)
            elif kind == "split":
                parts = [Part(code=f"P{turn}-{half}", name="") for half in "ab"]
                split_unit(unit=one, parts=parts, on=day, as_of=day, actor=lead)
            elif kind == "close":
                close_unit(unit=one, on=day, as_of=day, actor=lead)
            else:
                reopen_unit(unit=one, actor=lead)
        except ChangeNotPossible:
            pass
        for (unit, then), parent in past.items():
            stood = UnitPlacement.objects.get(unit=unit, valid__contains=then)
            assert stood.parent_id == parent
        for unit in Unit.objects.all():
            standing = UnitPlacement.objects.get(unit=unit, valid__contains=day)
            past[(unit.pk, day)] = standing.parent_id
            above = Unit.objects.get(pk=standing.parent_id).path if standing.parent_id else ""
            assert unit.path == f"{above}{unit.pk}."
            assert sees(lead, unit)
            if unit.successor_id:
                assert unit.closed_on is not None
