"""Two people at the same instant: one gets through, the other is told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.core.errors import CxplanError
from apps.library.models import Solution
from apps.planning.applying import apply_action
from apps.planning.freezing import AppliedSolution
from apps.planning.models import Action, ActionSolution, Plan
from apps.planning.plans import change_plan, create_plan
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.planning.conftest import TODAY

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 4


def at_once(work: Callable[[], object]) -> list[str]:
    """Run `work` in several threads at the same moment; "" or the code of the refusal of each."""
    barrier = Barrier(PEOPLE)

    def one(_: int) -> str:
        try:
            barrier.wait(timeout=10)
            work()
        except CxplanError as error:
            return error.code
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(PEOPLE) as threads:
        return sorted(threads.map(one, range(PEOPLE)))


def test_an_action_is_applied_by_one_of_them(planned: Action, training: Solution, manager: User) -> None:
    outcomes = at_once(
        lambda: apply_action(
            action=planned,
            effective_on=TODAY,
            solutions=[AppliedSolution(solution=training)],
            as_of=TODAY,
            actor=manager,
        )
    )
    assert outcomes == ["", *["step_not_possible"] * (PEOPLE - 1)]
    assert ActionSolution.objects.count() == 1


def test_a_double_tap_plans_once(chain: Chain, challenge: Challenge, training: Solution, manager: User) -> None:
    outcomes = at_once(
        lambda: create_plan(
            challenge=challenge,
            units=[chain.lille],
            solutions=[training],
            owner=manager,
            planned_on=TODAY,
            actor=manager,
        )
    )
    assert outcomes == ["", *["already_planned"] * (PEOPLE - 1)]
    assert (Plan.objects.count(), Action.objects.count()) == (1, 1)


def test_changes_of_one_plan_in_two_units_do_not_block_each_other(
    chain: Chain, challenge: Challenge, training: Solution, kiosk: Solution, manager: User
) -> None:
    plan = create_plan(
        challenge=challenge,
        units=[chain.lille, chain.reims],
        solutions=[training],
        owner=manager,
        planned_on=TODAY,
        actor=manager,
    )
    turns = count()
    actions = list(plan.actions.order_by("pk"))

    def change_one() -> None:
        turn = next(turns)
        change_plan(action=actions[turn % 2], changes={"intention": f"Try {turn}"}, actor=manager)

    assert at_once(change_one) == [""] * PEOPLE
