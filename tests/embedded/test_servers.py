"""Embedded PostgreSQL and Valkey: shared while used, gone afterwards, back after anything."""

import os
import signal
import socket
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from cxplan.embedded.home import make_socket_folder
from tests.embedded.processes import User, alive, eventually, kill_everything, named, using


def test_a_database_sorts_and_folds_the_same_on_every_machine(home: Path) -> None:
    with using(home) as url, psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding), upper('é'),"
            " current_setting('timezone') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row == ("b", "C.UTF-8", "UTF8", "É", "UTC")


def test_the_role_may_create_extensions(home: Path) -> None:
    with using(home) as url, psycopg.connect(url) as connection:
        for name in ("pg_trgm", "unaccent", "btree_gist", "ltree"):
            connection.execute(f"CREATE EXTENSION {name}")


def test_nothing_is_left_when_the_last_user_has_gone(home: Path) -> None:
    first, second = User(home), User(home)
    url = first.url()
    assert second.url() == url
    first.leave()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.leave()
    assert alive(home) == {}


def test_many_starting_at_once_share_one_server(home: Path) -> None:
    users = [User(home) for _ in range(6)]
    urls = {user.url() for user in users}
    assert len(urls) == 1
    assert len(named(home, "keeper.py")) == 1
    for user in users:
        user.leave()
    assert alive(home) == {}


def test_coming_and_going_never_meets_a_closed_door(home: Path) -> None:
    for _ in range(8):
        leaving = User(home)
        leaving.url()
        coming = User(home)
        leaving.leave()
        with psycopg.connect(coming.url()) as connection:
            connection.execute("SELECT 1")
        coming.leave()


def test_homes_side_by_side_share_nothing(tmp_path: Path) -> None:
    with using(tmp_path / "one") as one, using(tmp_path / "two") as two:
        assert one != two
        with psycopg.connect(one) as connection:
            connection.execute("CREATE TABLE only_here (id int)")
        with psycopg.connect(two) as connection:
            assert connection.execute("SELECT to_regclass('only_here')").fetchone() == (None,)


def test_a_home_too_deep_for_a_socket_works(tmp_path: Path) -> None:
    deep = tmp_path / "/".join(["a long folder name"] * 8)
    with using(deep) as url, psycopg.connect(url) as connection:
        connection.execute("SELECT 1")
    with using(deep, "broker") as url:
        sockets = Path(unquote(urlsplit(url).path)).parent
        assert len(str(sockets)) < 90
    assert alive(deep) == {}
    assert not sockets.exists()


@pytest.mark.parametrize("what", ["database", "broker"])
def test_a_killed_user_takes_the_server_along(home: Path, what: str) -> None:
    user = User(home, what)
    user.url()
    user.kill()
    eventually(lambda: alive(home) == {})


@pytest.mark.parametrize(("what", "name"), [("database", "postgres"), ("broker", "valkey")])
def test_a_killed_keeper_takes_the_server_along_and_the_next_user_starts_anew(
    home: Path, what: str, name: str
) -> None:
    user = User(home, what)
    user.url()
    (keeper,) = named(home, "keeper.py", name)
    os.kill(keeper, signal.SIGKILL)
    with using(home, what) as url:
        assert _answers(url)
    user.leave()
    eventually(lambda: alive(home) == {})


def test_a_killed_server_is_started_again_under_its_users(home: Path) -> None:
    with using(home) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (id int)")
        postmaster = min(named(home, "bin/postgres", "-D"))
        os.kill(postmaster, signal.SIGKILL)

        def is_back() -> bool:
            try:
                with psycopg.connect(url) as connection:
                    return connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
            except psycopg.OperationalError:
                return False

        eventually(is_back)
    assert alive(home) == {}


def test_everything_killed_at_once_keeps_what_was_committed(home: Path) -> None:
    user = User(home)
    url = user.url()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE rows AS SELECT generate_series(1, 1000) AS id")
        with psycopg.connect(url) as unfinished:
            unfinished.execute("INSERT INTO rows SELECT generate_series(1001, 2000)")
            kill_everything(home)
            unfinished.close()
    user.kill()
    with using(home) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (1000,)


def test_pid_files_that_name_a_stranger_are_no_obstacle(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with using(home):
        pass
    monkeypatch.setenv("CXPLAN_HOME", str(home))
    for path in (home / "postgres" / "postmaster.pid", make_socket_folder("postgres") / ".s.PGSQL.5432.lock"):
        path.write_text(f"{os.getppid()}\n{home}/postgres\n0\n5432\n\n\n")
    with using(home) as url, psycopg.connect(url) as connection:
        connection.execute("SELECT 1")


def test_an_initialisation_that_was_cut_off_is_done_again(home: Path) -> None:
    leftover = home / "postgres.new-killed"
    leftover.mkdir(parents=True)
    (leftover / "PG_VERSION").write_text("18\n")
    with using(home) as url, psycopg.connect(url) as connection:
        connection.execute("SELECT 1")
    assert not leftover.exists()


def test_the_broker_keeps_its_messages(home: Path) -> None:
    with using(home, "broker") as url:
        assert _command(url, "RPUSH queue message") == ":1"
    with using(home, "broker") as url:
        assert _command(url, "LLEN queue") == ":1"


def test_addresses_of_other_servers_are_left_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cxplan.embedded import ensure_broker, ensure_database

    monkeypatch.setenv("CXPLAN_HOME", str(home))
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone@db.example/cx")
    monkeypatch.setenv("CELERY_BROKER_URL", "amqp://broker.example")
    assert ensure_database() == "postgresql://someone@db.example/cx"
    assert ensure_broker() == "amqp://broker.example"
    assert not home.exists()


def _answers(url: str) -> bool:
    if url.startswith("postgresql"):
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    return _command(url, "PING") == "+PONG"


def _command(url: str, words: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(unquote(urlsplit(url).path))
        connection.sendall(words.encode() + b"\r\n")
        return connection.recv(1000).decode().split("\r\n")[0]
