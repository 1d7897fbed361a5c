"""A region with a lead of its own, and people who propose."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from apps.accounts.models import Role, Unit, User
from apps.ideas.models import Idea
from apps.ideas.services import create_idea
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import ChallengeFactory, MembershipFactory
from tests.ideas_factories import IdeaFactory

NOW = datetime(2024, 6, 5, 10, tzinfo=UTC)


@pytest.fixture
def north_lead(chain: Chain) -> User:
    """CX lead of the region NORTH, with LILLE and REIMS."""
    return MembershipFactory(
        user__email="north@example.org", user__name="Nora North", unit=chain.north, role=Role.LEAD
    ).user


@pytest.fixture
def colleague(chain: Chain) -> User:
    """Staff of NICE, in the other region."""
    return MembershipFactory(user__email="nina@example.org", user__name="Nina Nice", unit=chain.nice).user


@pytest.fixture
def challenge(db: None) -> Challenge:
    return ChallengeFactory(code="waiting", name="Long wait at the counter", name_fr="Longue attente au comptoir")


@pytest.fixture
def idea(chain: Chain, staff: User, lead: User, north_lead: User) -> Idea:
    """A public idea of the staff of LILLE."""
    return IdeaFactory(title="A greeter at the door", author=staff, unit=chain.lille, level=chain.north)


@pytest.fixture
def propose(chain: Chain) -> Callable[..., Idea]:
    def propose(actor: User, text: str = "Put a greeter at the door", unit: Unit | None = None, **more) -> Idea:
        return create_idea(text=text, unit=unit or chain.lille, at=NOW, actor=actor, **more)

    return propose


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in
