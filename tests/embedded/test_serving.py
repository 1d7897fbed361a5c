"""The supervisor: everything up with one command, kept up, and gone without a trace."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from cxplan.embedded.home import REPOSITORY
from tests.embedded.processes import alive, environment, eventually, kill_everything, named

# One home for all of them, on one worker.
pytestmark = pytest.mark.xdist_group("serving")

READY = re.compile(r"http://127\.0\.0\.1:\d+")


class Serving:
    """`manage.py serve` in a session of its own, so that a signal to its group is what Ctrl-C sends."""

    def __init__(self, home: Path, port: int, **settings: str) -> None:
        self.home = home
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=REPOSITORY,
            env=environment(home, PYTHONUNBUFFERED="1", **settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def address(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("cxplan is at"):
                found = READY.search(line)
                assert found is not None
                return found[0]
        raise AssertionError("".join(self.said))

    def interrupt(self) -> int:
        os.killpg(self.process.pid, signal.SIGINT)
        self.said += self.process.communicate(timeout=60)[0].splitlines()
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    # Leaves room for the next ones.
    return min(number, 65000)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_ctrl_c_ends_everything_it_started(served_home: Path, port: int) -> None:
    serving = Serving(served_home, port)
    address = serving.address()
    assert answers(address)
    for part in ("gunicorn", "celery --app cxplan --quiet worker", "celery --app cxplan --quiet beat"):
        assert named(served_home, part), part
    assert serving.interrupt() == 0, serving.said
    assert alive(served_home) == {}
    assert not (served_home / "run" / "served-at").exists()


def test_a_taken_port_gives_the_next_and_says_so(served_home: Path, port: int) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        serving = Serving(served_home, port)
        address = serving.address()
    assert address == f"http://127.0.0.1:{port + 1}"
    assert f"Port {port} is taken; using {port + 1}.\n" in serving.said
    assert serving.interrupt() == 0, serving.said


def test_a_home_is_served_once(served_home: Path, port: int) -> None:
    first = Serving(served_home, port)
    address = first.address()
    second = Serving(served_home, port)
    output = second.process.communicate(timeout=60)[0]
    assert second.process.returncode == 1
    assert f"served already: {address}" in output
    assert answers(address)
    assert first.interrupt() == 0, first.said


def test_a_killed_part_comes_back(served_home: Path, port: int) -> None:
    serving = Serving(served_home, port)
    address = serving.address()
    for part in ("gunicorn", "--quiet worker", "--quiet beat", "valkey-server", "bin/postgres -D"):
        before = named(served_home, part)
        oldest = min(before)
        # A pool process at work, which would not notice that its worker is gone.
        for pid in before:
            if part == "--quiet worker" and pid != oldest:
                os.kill(pid, signal.SIGSTOP)
        os.kill(oldest, signal.SIGKILL)
        eventually(lambda before=before, part=part: set(named(served_home, part)) - set(before), 30)
        eventually(lambda before=before: not set(before) & set(alive(served_home)), 30)
        eventually(lambda: answers(address), 30)
    eventually(lambda: ready(address), 30)
    assert serving.interrupt() == 0, serving.said
    assert alive(served_home) == {}


def test_a_killed_supervisor_leaves_nothing_and_the_next_one_starts(served_home: Path, port: int) -> None:
    serving = Serving(served_home, port)
    serving.address()
    serving.kill()
    eventually(lambda: alive(served_home) == {}, 30)
    serving = Serving(served_home, port)
    assert ready(serving.address())
    kill_everything(served_home)
    serving.process.communicate()
    serving = Serving(served_home, port)
    assert ready(serving.address())
    assert serving.interrupt() == 0, serving.said
    assert alive(served_home) == {}


def test_other_commands_work_beside_it_and_do_not_end_it(served_home: Path, port: int) -> None:
    serving = Serving(served_home, port)
    address = serving.address()
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", "from django.db import connection as c; c.cursor()"],
        cwd=REPOSITORY,
        env=environment(served_home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ready(address)
    assert serving.interrupt() == 0, serving.said


def ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
