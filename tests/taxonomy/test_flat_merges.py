"""Terms that were merged in chains, as they once could be, point to where the chain ends."""

from collections.abc import Mapping

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from apps.taxonomy.models import Challenge
from tests.factories import ChallengeFactory

pytestmark = pytest.mark.django_db
BEFORE, FLAT = ("taxonomy", "0002_standing_terms_and_versions"), ("taxonomy", "0003_flat_merges")


def flattened(merges: Mapping[str, str]) -> dict[str, str | None]:
    """What each term stands under after the migration, when `merges` says what was merged into what."""
    names = dict.fromkeys([*merges, *merges.values()])
    terms = {name: ChallengeFactory(code=name) for name in names}
    for name, target in merges.items():
        Challenge.objects.filter(pk=terms[name].pk).update(merged_into=terms[target])
    loader = MigrationLoader(connection)
    with connection.schema_editor() as editor:
        loader.get_migration(*FLAT).apply(loader.project_state(BEFORE), editor)
    return dict(Challenge.objects.values_list("code", "merged_into__code"))


def test_every_link_of_a_chain_points_to_its_end():
    assert flattened({"a": "b", "b": "c", "c": "d"}) == {"a": "d", "b": "d", "c": "d", "d": None}


def test_branches_of_a_chain_meet_at_its_end():
    merges = {"a": "b", "x": "b", "b": "c", "y": "c"}
    assert flattened(merges) == {"a": "c", "x": "c", "b": "c", "y": "c", "c": None}


def test_what_was_flat_stays_and_what_was_never_merged_too():
    ChallengeFactory(code="alone")
    assert flattened({"a": "b", "x": "y"}) == {"a": "b", "b": None, "x": "y", "y": None, "alone": None}


def test_a_circle_is_cut_and_so_is_what_led_into_it():
    merges = {"a": "b", "b": "a", "into": "a", "x": "y"}
    assert flattened(merges) == {"a": None, "b": None, "into": None, "x": "y", "y": None}


def test_a_long_chain_is_walked_to_its_end():
    merges = {f"t{step}": f"t{step + 1}" for step in range(60)}
    assert flattened(merges) == {f"t{step}": "t60" for step in range(60)} | {"t60": None}
