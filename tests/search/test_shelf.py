"""What a search keeps in memory is exactly what a fresh reading gives, whatever changed since."""

import random
from datetime import date

import numpy as np
import pytest
from django.db import connection, transaction
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from apps.accounts.person import person_of
from apps.impact.models import RankedSolution
from apps.library.models import Solution, SolutionLink
from apps.search import shelf
from apps.search.counting import Best, Coded, Pairs
from apps.search.forms import question_of
from apps.search.selectors import find
from apps.search.services import KEPT_CHANGES, forget_changes
from apps.search.tasks import forget_old_changes
from apps.taxonomy.models import Challenge
from tests.factories import (
    ChallengeFactory,
    RankedSolutionFactory,
    SolutionFactory,
    SolutionLinkFactory,
    TouchpointFactory,
)

pytestmark = pytest.mark.django_db


def asked(query, user):
    return find(question_of(QueryDict(query)), person=person_of(user))


def codes(query, user):
    return [hit.code for hit in asked(query, user).sections[0].hits]


def values(part):
    """Any part of a shelf as plain values, to be compared."""
    if isinstance(part, np.ndarray):
        return part.tolist() if part.dtype != np.float64 else np.nan_to_num(part, nan=-1e9).tolist()
    if isinstance(part, Coded | Pairs | Best | shelf.Shelf):
        return {name: values(getattr(part, name)) for name in part.__slots__}
    return part


def fresh():
    shelf._kept.read = None
    return shelf.current_shelf()


def change_something(rng):
    """One random change of a row that a search counts, as services, imports and measurements make them."""
    solutions = list(Solution.objects.order_by("pk"))
    challenges = list(Challenge.objects.order_by("pk"))
    solution, challenge = rng.choice(solutions), rng.choice(challenges)
    rows = RankedSolution.objects.filter(solution=solution, challenge=challenge)

    def restate():
        Solution.objects.filter(pk=solution.pk).update(
            status=rng.choice(Solution.Status.values), cost=rng.choice([None, 1, 5]), title=f"Sign {rng.random()}"
        )

    def link():
        SolutionLink.objects.get_or_create(challenge=challenge, solution=solution)

    def unlink():
        SolutionLink.objects.filter(solution=solution).delete()

    def rank():
        context = rng.choice(["", "airport", "city"])
        if not rows.filter(context=context).exists():
            RankedSolutionFactory(
                solution=solution,
                challenge=challenge,
                context=context,
                context_count=rng.randrange(3),
                evidence=rng.randrange(6),
                action_count=rng.randrange(9),
                verdict=rng.choice(RankedSolution.Verdict.values),
            )

    def measure():
        rows.update(evidence=rng.randrange(6), effect=rng.choice([None, 1.0, -2.0]))

    def merge():
        other = rng.choice(challenges)
        if other != challenge and other.merged_into_id is None:
            Challenge.objects.filter(merged_into=challenge).update(merged_into=other)
            Challenge.objects.filter(pk=challenge.pk).update(merged_into=other)

    def move():
        Challenge.objects.filter(pk=challenge.pk).update(
            touchpoint=rng.choice([None, challenges[0].touchpoint_id])
        )

    def undo():
        with transaction.atomic():
            SolutionFactory(title="Never there")
            transaction.set_rollback(True)

    rng.choice(
        [restate, link, link, unlink, rank, rank, measure, merge, move, undo, SolutionFactory, rows.delete]
    )()


@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_is_what_a_fresh_reading_gives_after_any_change(seed):
    rng = random.Random(seed)
    top = ChallengeFactory(code="top", touchpoint=TouchpointFactory(code="counter"))
    for number in range(4):
        below = ChallengeFactory(code=f"below-{number}", parent=top)
        Challenge.objects.filter(pk=below.pk).update(path=f"{top.path}{below.pk}.")
    SolutionFactory.create_batch(5)
    for _ in range(40):
        change_something(rng)
        kept = shelf.current_shelf()
        assert values(kept) == values(fresh())


def test_an_unchanged_library_is_read_once():
    SolutionFactory(code="sign")
    first = shelf.current_shelf()
    with CaptureQueriesContext(connection) as captured:
        assert shelf.current_shelf() is first
    assert len(captured) == 1


def test_what_is_published_is_found_at_once_and_what_is_retired_is_gone_at_once(staff, lead):
    draft = SolutionFactory(code="sign", title="A sign", status=Solution.Status.DRAFT)
    assert codes("what=solutions", staff) == codes("what=solutions&q=sign", staff) == []
    for status, is_found in (("published", True), ("retired", False), ("draft", False), ("published", True)):
        Solution.objects.filter(pk=draft.pk).update(status=status)
        assert codes("what=solutions", staff) == codes("what=solutions&q=sign", staff) == ["sign"] * is_found
        assert codes(f"what=solutions&status={status}", lead) == ["sign"]


def test_a_solution_that_goes_while_it_is_searched_for_is_not_shown(staff):
    sign, stamp = SolutionFactory(code="sign"), SolutionFactory(code="stamp")
    kept = shelf.current_shelf()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        Solution.objects.filter(pk=sign.pk).update(status=Solution.Status.DRAFT)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    assert shelf.current_shelf() is kept
    assert codes("what=solutions", staff) == [stamp.code]


def test_among_equal_evidence_the_verdict_decides_as_on_the_strip():
    solution = SolutionFactory()
    for verdict, uses in (("unknown", 9), ("works", 2), ("harmful", 5)):
        RankedSolutionFactory(
            solution=solution, evidence=3, verdict=verdict, action_count=uses, effect=float(uses)
        )
    best = fresh().best
    assert best.verdict.values[best.verdict.codes[0]] == "works"
    assert best.effect.tolist() == [2.0]


def test_a_challenge_counts_what_is_linked_below_it(staff):
    top = ChallengeFactory(code="counter")
    below = ChallengeFactory(code="queue", parent=top)
    Challenge.objects.filter(pk=below.pk).update(path=f"{top.path}{below.pk}.")
    sign = SolutionFactory(code="sign")
    for challenge in (top, below):
        SolutionLinkFactory(challenge=challenge, solution=sign)
    SolutionLinkFactory(challenge=below, solution=SolutionFactory(code="stamp"))
    found = asked("what=solutions", staff)
    facet = next(facet for facet in found.facets if facet.name == "challenge")
    assert {value.value: value.count for value in facet.values} == {"counter": 2, "queue": 2}
    for value in facet.values:
        assert asked(f"what=solutions&challenge={value.value}", staff).sections[0].total == value.count


def test_old_notes_are_forgotten_and_the_answer_stays_the_same(staff):
    for number in range(KEPT_CHANGES + 20):
        SolutionFactory(code=f"s{number:03}", title=f"Sign {number:03}")
    before = codes("what=solutions", staff)
    assert forget_changes() >= 20
    assert codes("what=solutions", staff) == before
    SolutionFactory(code="s-new", title="Another")
    assert codes("what=solutions", staff)[0] == "s-new"
    forget_old_changes()
    assert codes("what=solutions", staff)[0] == "s-new"


def test_a_change_is_seen_by_who_asks_only_after_it_was_forgotten(staff):
    sign = SolutionFactory(code="sign")
    queue = ChallengeFactory(code="queue")
    assert codes("what=solutions&challenge=queue", staff) == []
    SolutionLinkFactory(solution=sign, challenge=queue)
    with connection.cursor() as cursor:
        for _ in range(KEPT_CHANGES + 20):
            cursor.execute("UPDATE library_solution SET cost = cost")
    forget_changes()
    assert codes("what=solutions&challenge=queue", staff) == ["sign"]


def test_a_table_that_is_emptied_at_once_is_read_again(staff):
    link = SolutionLinkFactory(solution=SolutionFactory(code="sign"), challenge=ChallengeFactory(code="queue"))
    assert codes("what=solutions&challenge=queue", staff) == [link.solution.code]
    with connection.cursor() as cursor:
        # What is checked at the end of a transaction would stand in the way.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE library_solutionlink")
    assert codes("what=solutions&challenge=queue", staff) == []


def test_rows_that_are_copied_into_a_table_are_read_at_once(staff):
    link = SolutionLinkFactory(solution=SolutionFactory(code="sign"), challenge=ChallengeFactory(code="queue"))
    with connection.cursor() as cursor:
        with cursor.copy("COPY library_solutionlink TO STDOUT") as out:
            rows = b"".join(bytes(block) for block in out)
        link.delete()
        assert codes("what=solutions&challenge=queue", staff) == []
        with cursor.copy("COPY library_solutionlink FROM STDIN") as into:
            into.write(rows)
    assert codes("what=solutions&challenge=queue", staff) == ["sign"]


def test_a_change_that_is_not_committed_is_not_seen_by_others(staff):
    SolutionFactory(code="sign")
    before = shelf.current_shelf()
    with transaction.atomic():
        SolutionFactory(code="stamp", created_at=date(2024, 1, 1))
        assert shelf.current_shelf().size == 2
        transaction.set_rollback(True)
    assert values(shelf.current_shelf()) == values(before)
