"""Starts commands against a home of their own, and finds whatever is alive because of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cxplan.embedded.home import REPOSITORY

GIVEN_BY_THE_SUITE = (
    *("CXPLAN_", "DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "STATICFILES_STORAGE"),
    *("COV_", "DJANGO_", "PYTEST_"),
)

USER = """
import sys
from cxplan.embedded import ensure_broker, ensure_database
print(ensure_database() if "database" in sys.argv else ensure_broker(), flush=True)
sys.stdin.readline()
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    """That of a fresh shell, with this home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(GIVEN_BY_THE_SUITE)}
    return kept | {"CXPLAN_HOME": str(home)} | more


def run(home: Path, *words: str) -> str:
    """What a Python process in a home says; it has to end well."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=REPOSITORY,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def alive(home: Path) -> dict[int, str]:
    """Processes whose command, folder or environment mentions the home, with their command."""
    needle = os.fsencode(home)
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        if int(place.name) == os.getpid():
            continue
        try:
            command = (place / "cmdline").read_bytes()
            if not command:
                continue
            traces = command + (place / "environ").read_bytes() + os.fsencode(os.readlink(place / "cwd"))
        except OSError:
            continue
        if needle in traces:
            found[int(place.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def named(home: Path, *words: str) -> list[int]:
    """Living processes of the home whose command has all the words.

    A child that was forked a moment ago still bears its parent's command: the parent is the lowest.
    """
    return [pid for pid, command in alive(home).items() if all(word in command for word in words)]


def eventually(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def kill_everything(home: Path) -> None:
    for pid in alive(home):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


class User:
    """A process that asks for a server and holds it until told to leave."""

    def __init__(self, home: Path, what: str = "database", **options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, what],
            cwd=REPOSITORY,
            env=environment(home, **options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def url(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("\n", timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def using(home: Path, what: str = "database") -> Iterator[str]:
    user = User(home, what)
    try:
        yield user.url()
    finally:
        user.leave()
