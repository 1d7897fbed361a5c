"""What every test may ask for: a migrated database of its worker, and the cast."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.utils import translation
from pytest_django.plugin import DjangoDbBlocker
from rest_framework.test import APIClient

from apps.accounts.models import ApiToken, Role, Unit, User
from apps.accounts.services import create_token
from tests import databases
from tests.factories import MembershipFactory, UnitFactory, UserFactory


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Clone the migrated template for this worker; child processes find the clone by DATABASE_URL."""

    def use(name: str) -> None:
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name

    def migrate(name: str) -> None:
        use(name)
        call_command("migrate", interactive=False, verbosity=0)
        connection.close()

    with django_db_blocker.unblock():
        clone = databases.make_clone(migrate)
        use(clone)
        os.environ["DATABASE_URL"] = databases.url_of(clone)
    yield
    with django_db_blocker.unblock():
        connection.close()
        databases.drop_clone(clone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A small organisation: two regions of two branches each."""

    organisation: Unit
    north: Unit
    south: Unit
    lille: Unit
    reims: Unit
    nice: Unit
    arles: Unit


@pytest.fixture
def chain(db: None) -> Chain:
    organisation = UnitFactory(code="ORG", name="Organisation", kind="organisation")
    north = UnitFactory(code="NORTH", name="North", kind="region", parent=organisation)
    south = UnitFactory(code="SOUTH", name="South", kind="region", parent=organisation)
    return Chain(
        organisation=organisation,
        north=north,
        south=south,
        lille=UnitFactory(code="LILLE", name="Lille", parent=north),
        reims=UnitFactory(code="REIMS", name="Reims", parent=north),
        nice=UnitFactory(code="NICE", name="Nice", parent=south),
        arles=UnitFactory(code="ARLES", name="Arles", parent=south),
    )


@pytest.fixture
def lead(chain: Chain) -> User:
    """CX lead of the whole organisation."""
    return MembershipFactory(
        user__email="lead@example.org", user__name="Lea Lead", unit=chain.organisation, role=Role.LEAD
    ).user


@pytest.fixture
def manager(chain: Chain) -> User:
    """Manager of the branch LILLE."""
    return MembershipFactory(
        user__email="manager@example.org", user__name="Max Manager", unit=chain.lille, role=Role.MANAGER
    ).user


@pytest.fixture
def staff(chain: Chain) -> User:
    """Staff of the branch LILLE."""
    return MembershipFactory(
        user__email="staff@example.org", user__name="Sam Staff", unit=chain.lille, role=Role.STAFF
    ).user


@pytest.fixture
def outsider(chain: Chain) -> User:
    """Manager of NICE, in the other region."""
    return MembershipFactory(
        user__email="outsider@example.org", user__name="Otto Outsider", unit=chain.nice, role=Role.MANAGER
    ).user


@pytest.fixture
def admin_user(chain: Chain) -> User:
    """Administrator of the organisation, who may also open the support pages."""
    user = UserFactory(email="admin@example.org", name="Ada Admin", is_staff=True, is_superuser=True)
    MembershipFactory(user=user, unit=chain.organisation, role=Role.ADMIN)
    return user


@pytest.fixture
def api() -> Callable[..., APIClient]:
    """`api(user, scopes=…)` is a program acting for that person with a token; `api(None)` is nobody."""

    def client_of(user: User | None, scopes: Sequence[str] = tuple(ApiToken.Access.values)) -> APIClient:
        client = APIClient()
        if user is not None:
            _, secret = create_token(user=user, name="test", scopes=scopes, expires_at=None, actor=user)
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return client_of


@pytest.fixture(autouse=True)
def clean_process() -> Iterator[None]:
    """Neither the rate limit's counts of calls nor the language of the last request leak from test to test."""
    yield
    cache.clear()
    translation.deactivate()
