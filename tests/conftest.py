"""What every test may ask for: a migrated database of its worker, and the cast."""

import os
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from tests import databases


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
