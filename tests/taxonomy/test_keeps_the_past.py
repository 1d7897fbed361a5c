"""Nothing a lead does to the tree orphans, hides or counts twice what was recorded."""

from collections import Counter
from datetime import date

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import AuditEvent
from apps.core.errors import CxplanError
from apps.feedback.models import ResponseChallenge
from apps.impact.models import Effect
from apps.impact.selectors import effect_rows
from apps.library.models import SolutionLink
from apps.planning.models import Action
from apps.taxonomy import services
from apps.taxonomy.models import Challenge
from apps.taxonomy.selectors import places, terms_shown_under
from apps.taxonomy.services import NewTerm
from apps.taxonomy.standing import faults
from tests.factories import (
    ActionFactory,
    ChallengeFactory,
    EffectFactory,
    MetricFactory,
    ResponseChallengeFactory,
    ResponseFactory,
    SolutionLinkFactory,
    UnitFactory,
)

pytestmark = pytest.mark.django_db
DAY = date(2024, 5, 6)
STEPS = ("merge", "split", "move", "retire", "restore", "undo")
A_STEP = st.tuples(st.sampled_from(STEPS), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))


@pytest.fixture
def recorded(db):
    """A tree of three levels; each term has a coding, an action with its effect, and a solution."""
    metric, unit = MetricFactory(), UnitFactory()
    roots = [ChallengeFactory(metric=metric) for _ in range(2)]
    middle = [ChallengeFactory(parent=root, metric=metric) for root in roots for _ in range(2)]
    leaves = [ChallengeFactory(parent=parent, metric=metric) for parent in middle[:3]]
    response = ResponseFactory(unit=unit)
    for term in [*roots, *middle, *leaves]:
        ResponseChallengeFactory(response=response, challenge=term)
        EffectFactory(action=ActionFactory(challenge=term, unit=unit))
        SolutionLinkFactory(challenge=term)


def step(kind: str, first: int, second: int, third: int) -> None:
    terms = list(Challenge.objects.order_by("pk"))
    term, other, last = (terms[number % len(terms)] for number in (first, second, third))
    match kind:
        case "merge":
            services.merge_challenge(challenge=term, into=other, actor=None)
        case "move":
            services.move_challenge(challenge=term, parent=None if third % 5 == 0 else other, actor=None)
        case "retire":
            services.retire_challenge(challenge=term, on=DAY, actor=None)
        case "restore":
            services.restore_challenge(challenge=term, actor=None)
        case "split":
            made = NewTerm(code=f"part-{len(terms)}", name="Part")
            services.split_challenge(
                challenge=term, parts=[other, last if third % 2 else made], on=DAY, actor=None
            )
        case "undo":
            changes = list(AuditEvent.objects.filter(event__startswith="taxonomy.challenge.").order_by("-pk"))
            if changes:
                services.undo_change(change=changes[first % len(changes)], at=timezone.now(), actor=None)


def snapshot() -> dict[str, list[tuple[int, int]]]:
    """Each record with the term on which it was made."""
    return {
        "codings": list(ResponseChallenge.objects.order_by("pk").values_list("pk", "challenge_id")),
        "actions": list(Action.objects.order_by("pk").values_list("pk", "challenge_id")),
        "targets": list(Action.objects.order_by("pk").values_list("pk", "target_metric_id")),
        "effects": list(Effect.objects.order_by("pk").values_list("pk", "action__challenge_id")),
        "links": list(SolutionLink.objects.order_by("pk").values_list("pk", "challenge_id")),
    }


def check(before: dict[str, list[tuple[int, int]]]) -> None:
    assert snapshot() == before, "a record left its term"
    assert faults(places()) == set()
    terms = {term.pk: term for term in Challenge.objects.all()}
    for term in terms.values():
        above = f"{terms[term.parent_id].path}" if term.parent_id else ""
        assert term.path == f"{above}{term.pk}."
    shown = terms_shown_under()
    assert set(shown) == set(terms)
    standing = [term for term in terms.values() if term.merged_into_id is None]
    for pk in set(shown.values()):
        assert (
            terms[pk].is_current
            or terms[pk].parent_id is None
            or not any(terms[above].is_current for above in terms[pk].ancestor_ids)
        )
    # Each record is in the standing set of exactly one term.
    for name, recorded in before.items():
        if name == "targets":
            continue
        counts = Counter(
            pk for term in standing for pk in Challenge.objects.standing_for(term).values_list("pk", flat=True)
        )
        assert set(counts.values()) == {1}
        # Summed over the terms at the top, the records are as many as there are.
        tops = Counter(terms[terms[of].standing.pk].path.split(".")[0] for _pk, of in recorded)
        assert sum(tops.values()) == len(recorded)
        assert all(terms[int(top)].merged_into_id is None for top in tops)
    actions = Action.objects.count()
    assert sum(len(effect_rows(challenge=term)) for term in standing) == actions == len(effect_rows())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(A_STEP, min_size=1, max_size=8))
def test_any_sequence_of_changes_keeps_every_record_under_exactly_one_term(recorded, steps):
    point = transaction.savepoint()
    try:
        before = snapshot()
        for taken in steps:
            inner = transaction.savepoint()
            try:
                step(*taken)
            except CxplanError:
                transaction.savepoint_rollback(inner)
            check(before)
    finally:
        transaction.savepoint_rollback(point)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(A_STEP.filter(lambda taken: taken[0] != "undo"), min_size=1, max_size=6))
def test_undoing_everything_backwards_leads_back_to_the_start(recorded, steps):
    def tree():
        fields = ("pk", "parent_id", "path", "merged_into_id", "retired_on", "parts")
        return list(Challenge.objects.order_by("pk", "parts").values_list(*fields))

    point = transaction.savepoint()
    try:
        before, known = tree(), set(AuditEvent.objects.values_list("pk", flat=True))
        for taken in steps:
            inner = transaction.savepoint()
            try:
                step(*taken)
            except CxplanError:
                transaction.savepoint_rollback(inner)
        for change in AuditEvent.objects.exclude(pk__in=known).order_by("-pk"):
            services.undo_change(change=change, at=timezone.now(), actor=None)
        assert tree() == before
    finally:
        transaction.savepoint_rollback(point)
