"""Merge, split, move, retire, restore and undo: what they refuse and what they leave behind."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.taxonomy import services
from apps.taxonomy.aliases import create_alias, ignore_labels, map_labels
from apps.taxonomy.journal import UndoRefused
from apps.taxonomy.models import Alias, Challenge, UnmappedLabel
from apps.taxonomy.services import (
    CodeTaken,
    EditConflict,
    NewTerm,
    SplitIncomplete,
    TermInUse,
    TermMisplaced,
    TermNotCurrent,
    TooLateToUndo,
)
from tests.factories import ActionFactory, ChallengeFactory, MetricFactory
from tests.taxonomy_factories import UnmappedLabelFactory

pytestmark = pytest.mark.django_db
DAY = date(2024, 5, 6)


def newest() -> AuditEvent:
    return AuditEvent.objects.order_by("-pk")[0]


def undo(change: AuditEvent) -> None:
    services.undo_change(change=change, at=timezone.now(), actor=None)


def test_what_was_merged_goes_along_when_its_target_is_merged():
    first, second, third = ChallengeFactory(), ChallengeFactory(), ChallengeFactory()
    services.merge_challenge(challenge=first, into=second, actor=None)
    services.merge_challenge(challenge=second, into=third, actor=None)
    assert set(Challenge.objects.standing_for(third)) == {first, second, third}
    first.refresh_from_db()
    assert first.standing == third


def test_a_merged_term_leaves_its_children_to_the_one_that_stays():
    parent, into = ChallengeFactory(), ChallengeFactory()
    child = ChallengeFactory(parent=parent)
    services.merge_challenge(challenge=parent, into=into, actor=None)
    child.refresh_from_db()
    assert child.parent == into
    assert child.path.startswith(into.path)


def test_impossible_places_are_refused():
    parent = ChallengeFactory()
    child = ChallengeFactory(parent=parent)
    grandchild = ChallengeFactory(parent=child)
    with pytest.raises(TermMisplaced):
        services.move_challenge(challenge=parent, parent=grandchild, actor=None)
    with pytest.raises(TermMisplaced):
        services.merge_challenge(challenge=parent, into=parent, actor=None)
    with pytest.raises(TermMisplaced):
        services.merge_challenge(challenge=parent, into=grandchild, actor=None)
    with pytest.raises(TermInUse):
        services.retire_challenge(challenge=parent, on=DAY, actor=None)
    services.retire_challenge(challenge=grandchild, on=DAY, actor=None)
    with pytest.raises(TermNotCurrent):
        services.merge_challenge(challenge=child, into=grandchild, actor=None)
    with pytest.raises(TermNotCurrent):
        services.move_challenge(challenge=child, parent=grandchild, actor=None)


def test_a_split_makes_parts_beside_the_old_one_and_points_to_them():
    parent, other = ChallengeFactory(), ChallengeFactory()
    old = ChallengeFactory(parent=parent)
    part = NewTerm(code="part", name="Part")
    with pytest.raises(SplitIncomplete):
        services.split_challenge(challenge=old, parts=[other], on=DAY, actor=None)
    services.split_challenge(challenge=old, parts=[other, part], on=DAY, actor=None)
    made = Challenge.objects.get(code="part")
    old.refresh_from_db()
    assert (made.parent, made.metric, old.retired_on) == (parent, old.metric, DAY)
    assert set(old.parts.all()) == {other, made}
    undo(newest())
    old.refresh_from_db()
    assert (old.retired_on, old.parts.count(), Challenge.objects.filter(code="part").count()) == (None, 0, 0)


def test_an_undo_is_refused_once_something_depends_on_the_change():
    old, other = ChallengeFactory(), ChallengeFactory()
    services.split_challenge(challenge=old, parts=[other, NewTerm(code="part", name="Part")], on=DAY, actor=None)
    split = newest()
    ActionFactory(challenge=Challenge.objects.get(code="part"))
    with pytest.raises(UndoRefused, match="in use by now"):
        undo(split)
    assert Challenge.objects.get(pk=old.pk).retired_on == DAY


def test_an_undo_is_refused_when_the_row_changed_again():
    term, one, two = ChallengeFactory(), ChallengeFactory(), ChallengeFactory()
    services.move_challenge(challenge=term, parent=one, actor=None)
    first = newest()
    services.move_challenge(challenge=term, parent=two, actor=None)
    with pytest.raises(UndoRefused, match="changed again"):
        undo(first)


def test_an_undo_that_would_make_a_circle_is_refused():
    upper, lower = ChallengeFactory(), ChallengeFactory()
    child = ChallengeFactory(parent=upper)
    services.move_challenge(challenge=child, parent=lower, actor=None)
    moved = newest()
    services.move_challenge(challenge=upper, parent=child, actor=None)
    with pytest.raises(UndoRefused, match="builds on this one"):
        undo(moved)
    child.refresh_from_db()
    assert child.parent == lower


def test_a_change_can_be_undone_for_a_day_and_once():
    term = ChallengeFactory(name="Before")
    services.change_challenge(challenge=term, changes={"name": "After"}, actor=None)
    change = newest()
    with pytest.raises(TooLateToUndo):
        services.undo_change(change=change, at=timezone.now() + timedelta(days=1, minutes=1), actor=None)
    undo(change)
    assert Challenge.objects.get(pk=term.pk).name == "Before"
    with pytest.raises(UndoRefused, match="already"):
        undo(change)


def test_an_edit_on_top_of_another_one_is_noticed():
    term = ChallengeFactory()
    seen = services.version_of(term)
    services.change_challenge(challenge=term, changes={"name": "One"}, seen=seen, actor=None)
    with pytest.raises(EditConflict) as conflict:
        services.change_challenge(challenge=term, changes={"name": "Two"}, seen=seen, actor=None)
    services.change_challenge(challenge=term, changes={"name": "Two"}, seen=conflict.value.version, actor=None)
    assert Challenge.objects.get(pk=term.pk).name == "Two"


def test_a_code_is_given_once():
    ChallengeFactory(code="queue")
    with pytest.raises(CodeTaken):
        services.create_challenge(code="QUEUE", name="Queue", actor=None)


def test_another_metric_of_a_challenge_leaves_the_target_of_an_applied_action(lead):
    action = ActionFactory()
    services.change_challenge(challenge=action.challenge, changes={"metric": MetricFactory()}, actor=lead)
    before = action.target_metric_id
    action.refresh_from_db()
    assert action.target_metric_id == before


def test_labels_are_mapped_at_once_and_come_back_by_one_undo():
    term = ChallengeFactory()
    labels = [UnmappedLabelFactory() for _ in range(3)]
    map_labels(meanings=[(label, term) for label in labels], actor=None)
    assert Alias.objects.count() == 3
    assert UnmappedLabel.objects.waiting().count() == 0
    undo(newest())
    assert Alias.objects.count() == 0
    assert UnmappedLabel.objects.waiting().count() == 3


def test_a_label_set_aside_comes_back_by_an_undo():
    ignore_labels(labels=[UnmappedLabelFactory()], actor=None)
    assert UnmappedLabel.objects.ignored().count() == 1
    undo(newest())
    assert UnmappedLabel.objects.waiting().count() == 1


def test_an_alias_keeps_off_terms_out_of_use():
    gone = ChallengeFactory(retired_on=DAY)
    with pytest.raises(TermNotCurrent):
        create_alias(source="helpdesk", label="Queue", challenge=gone, actor=None)
