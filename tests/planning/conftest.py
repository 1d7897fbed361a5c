"""A challenge with two remedies, and an action of Lille in each state."""

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.library.models import Solution, SolutionVersion
from apps.planning.applying import apply_action
from apps.planning.freezing import AppliedSolution
from apps.planning.models import Action, Plan
from apps.planning.plans import create_plan
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import ChallengeFactory, SolutionFactory, SolutionLinkFactory, SolutionVersionFactory

TODAY = date(2024, 6, 5)


@pytest.fixture
def challenge(db: None) -> Challenge:
    return ChallengeFactory(code="waiting", name="Waiting too long at the counter")


@pytest.fixture
def training(challenge: Challenge) -> Solution:
    return linked(challenge, code="training", title="Queue training")


@pytest.fixture
def kiosk(challenge: Challenge) -> Solution:
    return linked(challenge, code="kiosk", title="Self-service kiosk")


def linked(challenge: Challenge, *, code: str, title: str) -> Solution:
    solution = SolutionFactory(code=code, title=title)
    SolutionVersionFactory(solution=solution)
    SolutionLinkFactory(challenge=challenge, solution=solution)
    return solution


def new_version(solution: Solution) -> SolutionVersion:
    return SolutionVersionFactory(solution=solution, title="Rewritten since")


@pytest.fixture
def plan(chain: Chain, challenge: Challenge, training: Solution, manager: User) -> Plan:
    return create_plan(
        challenge=challenge,
        units=[chain.lille],
        solutions=[training],
        owner=manager,
        intention="On Mondays at the counter",
        planned_on=date(2024, 6, 10),
        actor=manager,
    )


@pytest.fixture
def planned(plan: Plan) -> Action:
    return plan.actions.get()


@pytest.fixture
def applied(planned: Action, training: Solution, manager: User) -> Action:
    return apply_action(
        action=planned,
        effective_on=date(2024, 6, 3),
        solutions=[AppliedSolution(solution=training, dose="8 people", fidelity=90)],
        as_of=TODAY,
        actor=manager,
    )


@pytest.fixture
def signed_in(client: Client) -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client.force_login(user)
        return client

    return sign_in
