"""Brings the embedded database's tables up to the code, at no cost when they are."""

import fcntl
import hashlib
import os
import sys

import psycopg
from psycopg import sql

from cxplan.embedded import keeper, postgres
from cxplan.embedded.home import REPOSITORY, folder


def fingerprint() -> str:
    """What decides the tables: our migrations, and the pins of packages that bring their own."""
    digest = hashlib.sha256()
    for path in [REPOSITORY / "requirements.txt", *sorted(REPOSITORY.glob("apps/*/migrations/*.py"))]:
        digest.update(str(path.relative_to(REPOSITORY)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def ensure_migrated() -> None:
    """Migrate the embedded database when its mark is not that of the code; several may ask at once."""
    wanted = f"migrated:{fingerprint()}"
    if _mark() == wanted:
        return
    lock = keeper.take(folder("run") / "migrate.lock", fcntl.LOCK_EX)
    assert lock is not None
    try:
        if _mark() == wanted:
            return
        _migrate()
        _set_mark(wanted)
    finally:
        os.close(lock)


def _migrate() -> None:
    import django  # noqa: PLC0415  Django may only be set up once DATABASE_URL is known
    from django.core.management import call_command  # noqa: PLC0415

    print("Bringing the database's tables up to date ...", file=sys.stderr, flush=True)
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def _mark() -> str | None:
    """The mark travels with the database, so that no file can claim what another database holds."""
    with psycopg.connect(postgres.url()) as connection:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    return row[0] if row else None


def _set_mark(mark: str) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(postgres.DATABASE), sql.Literal(mark))
        )
