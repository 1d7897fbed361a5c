"""A migrated template database, kept between runs, and a clone of it for each worker."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from cxplan.embedded import keeper
from cxplan.embedded.schema import fingerprint

_TEMPLATE, _CLONE = "cxplan_template_", "cxplan_test_"


def url_of(name: str) -> str:
    """The address of another database on the test server."""
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def clone_name() -> str:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return f"{_CLONE}{os.environ['CXPLAN_TEST_RUN']}_{worker}"


def make_clone(migrate: Callable[[str], None]) -> str:
    """A fresh database with all tables; `migrate` fills the named one when the template is outdated."""
    template = _TEMPLATE + fingerprint()[:16]
    with _alone(), _server() as server:
        if not _exists(server, template):
            building = template + "_new"
            _drop(server, building)
            _run(server, "CREATE DATABASE {} TEMPLATE template0", building)
            migrate(building)
            _run(server, "ALTER DATABASE {} RENAME TO {}", building, template)
        clone = clone_name()
        _drop(server, clone)
        _run(server, "CREATE DATABASE {} TEMPLATE {}", clone, template)
    return clone


def drop_clone(name: str) -> None:
    with _server() as server:
        _drop(server, name)


def drop_leftovers() -> None:
    """Remove what killed runs left, and templates of other states of the code."""
    current = _TEMPLATE + fingerprint()[:16]
    with _alone(), _server() as server:
        rows = server.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s) OR starts_with(datname, %s)",
            [_TEMPLATE, _CLONE],
        ).fetchall()
        for (name,) in rows:
            if name != current:
                _drop(server, name)


@contextmanager
def _alone() -> Iterator[None]:
    folder = Path(os.environ["CXPLAN_TEST_TEMPLATES"])
    folder.mkdir(parents=True, exist_ok=True)
    lock = keeper.take(folder / "template.lock", fcntl.LOCK_EX)
    assert lock is not None
    try:
        yield
    finally:
        os.close(lock)


def _server() -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url_of("postgres"), autocommit=True)


def _run(server: "psycopg.Connection[tuple[object, ...]]", statement: str, *names: str) -> None:
    server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _drop(server: "psycopg.Connection[tuple[object, ...]]", name: str) -> None:
    _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _exists(server: "psycopg.Connection[tuple[object, ...]]", name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None
