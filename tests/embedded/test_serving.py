"""The supervisor: everything up with one command, kept up, and gone without a trace."""

import os
import signal
from pathlib import Path

import pytest

from tests.embedded.processes import alive, eventually, kill_everything, named, run
from tests.embedded.serving import Serving, answers

# One served home for all of them, on one worker.
pytestmark = pytest.mark.xdist_group("serving")


def test_a_taken_port_gives_the_next_and_says_so(serving: Serving) -> None:
    assert serving.address == f"http://127.0.0.1:{serving.port + 1}"
    assert f"Port {serving.port} is taken; using {serving.port + 1}.\n" in serving.said


def test_every_part_is_up(serving: Serving) -> None:
    assert answers(serving.address)
    for part in ("gunicorn", "celery --app cxplan --quiet worker", "celery --app cxplan --quiet beat"):
        assert named(serving.home, part), part


def test_a_home_is_served_once(serving: Serving) -> None:
    second = Serving(serving.home, serving.port)
    output = second.process.communicate(timeout=60)[0]
    assert second.process.returncode == 1
    assert f"served already: {serving.address}" in output
    assert answers(serving.address)


def test_other_commands_work_beside_it_and_do_not_end_it(serving: Serving) -> None:
    run(serving.home, "manage.py", "shell", "-v0", "-c", "from django.db import connection as c; c.cursor()")
    assert answers(serving.address, "readyz")


def test_a_killed_part_comes_back(serving: Serving) -> None:
    for part in ("gunicorn", "--quiet worker", "--quiet beat", "valkey-server", "bin/postgres -D"):
        before = named(serving.home, part)
        oldest = min(before)
        # A pool process at work, which would not notice that its worker is gone.
        for pid in before:
            if part == "--quiet worker" and pid != oldest:
                os.kill(pid, signal.SIGSTOP)
        os.kill(oldest, signal.SIGKILL)
        eventually(lambda before=before, part=part: set(named(serving.home, part)) - set(before), 30)
        eventually(lambda before=before: not set(before) & set(alive(serving.home)), 30)
        eventually(lambda: answers(serving.address), 30)
    eventually(lambda: answers(serving.address, "readyz"), 30)


def test_a_killed_supervisor_leaves_nothing_and_the_next_one_starts(serving: Serving) -> None:
    home = serving.home
    serving.kill()
    eventually(lambda: alive(home) == {}, 30)
    following = Serving(home, serving.port)
    assert answers(following.wait_until_ready(), "readyz")
    kill_everything(home)
    following.process.communicate()


def test_ctrl_c_ends_everything_it_started(served_home: Path, port: int) -> None:
    serving = Serving(served_home, port)
    assert answers(serving.wait_until_ready(), "readyz")
    assert serving.interrupt() == 0, serving.said
    assert alive(served_home) == {}
    assert not (served_home / "run" / "served-at").exists()
