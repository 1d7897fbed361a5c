"""The database and the broker that come with cxplan, for a clone with neither."""

import os

from cxplan.embedded import postgres, valkey
from cxplan.embedded.home import EmbeddedError, home, secret_key

__all__ = ["EmbeddedError", "ensure_broker", "ensure_database", "home", "secret_key"]


def ensure_database() -> str:
    """The address of a database that is up: DATABASE_URL as it is, or the embedded one.

    The embedded server stays up until the last process that asked for it has ended.
    """
    given = os.environ.get("DATABASE_URL")
    if given:
        return given
    postgres.ensure()
    return postgres.url()


def ensure_broker() -> str:
    """The address of a broker that is up: CELERY_BROKER_URL as it is, or the embedded one."""
    given = os.environ.get("CELERY_BROKER_URL")
    # A management command has the embedded one's address from the start, and no server behind it.
    if given and given != valkey.url():
        return given
    valkey.ensure()
    return valkey.url()
