"""Gives a management command the environment that settings read, and the servers it needs."""

import os
from collections.abc import Sequence

from cxplan.embedded import child, ensure_database, postgres, valkey
from cxplan.embedded.home import folder, secret_key
from cxplan.embedded.schema import ensure_migrated

# These touch no row; everything else finds a database that is up.
WITHOUT_DATABASE = frozenset(
    [
        *("build_assets", "collectstatic", "findstatic"),
        *("check_catalogues", "compile_catalogues", "compilemessages", "makemessages", "messages"),
        *("diffsettings", "help", "spectacular", "startapp", "startproject", "version"),
    ]
)
# These find it as it is; everything else finds its tables up to date.
WITHOUT_MIGRATION = frozenset(
    ["check", "makemigrations", "migrate", "showmigrations", "sqlmigrate", "squashmigrations"]
)


def prepare(arguments: Sequence[str]) -> None:
    """Set what is not set: the secret, the database and the broker's address."""
    command = arguments[0] if arguments else "help"
    if os.environ.get("CXPLAN_ENDS_WITH_PARENT"):
        # `make` is the parent: without it nobody could stop what it started.
        child.die_with_parent()
    folder("assets")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxplan.settings")
    # Measurement works on many small matrices: threads would only wait for one another.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if not os.environ.get("SECRET_KEY"):
        os.environ["SECRET_KEY"] = secret_key()
    if not os.environ.get("CELERY_BROKER_URL"):
        # Only `serve` starts it: a task that nobody takes now is found again from the data.
        os.environ["CELERY_BROKER_URL"] = valkey.url()
    if os.environ.get("DATABASE_URL"):
        return
    if command in WITHOUT_DATABASE or command.startswith("-") or {"-h", "--help", "--version"} & set(arguments):
        os.environ["DATABASE_URL"] = postgres.url()
        return
    os.environ["DATABASE_URL"] = ensure_database()
    if command not in WITHOUT_MIGRATION:
        ensure_migrated()
