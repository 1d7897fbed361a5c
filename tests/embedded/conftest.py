"""Homes that end clean, whatever the test did."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.embedded.processes import kill_everything
from tests.embedded.serving import Serving


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "a home"
    yield path
    kill_everything(path)


@pytest.fixture(scope="session")
def served_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for all tests of what is served, so that its tables and assets are made once."""
    path = tmp_path_factory.mktemp("served") / "a home"
    yield path
    kill_everything(path)


@pytest.fixture(scope="session")
def mail_port() -> int:
    """Where the served home sends its mail; nothing listens there until a test does."""
    return _free_port()


@pytest.fixture(scope="session")
def port() -> int:
    # Leaves room for the next ones.
    return min(_free_port(), 65000)


@pytest.fixture(scope="session")
def serving(served_home: Path, port: int, mail_port: int) -> Iterator[Serving]:
    """The home, served: starting it takes longer than most of what is asked of it. Its port was taken."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        started = Serving(served_home, port, EMAIL_URL=f"smtp://127.0.0.1:{mail_port}?tls=off")
        started.wait_until_ready()
    yield started
    started.kill()


def _free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    return number
