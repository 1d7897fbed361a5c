"""The supervisor as a person starts it, in a session of its own."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from cxplan.embedded.home import REPOSITORY
from tests.embedded.processes import environment

READY = re.compile(r"http://127\.0\.0\.1:\d+")


class Serving:
    """`manage.py serve` in a session of its own, so that a signal to its group is what Ctrl-C sends."""

    def __init__(self, home: Path, port: int, **settings: str) -> None:
        self.home, self.port = home, port
        self.address = ""
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

    def wait_until_ready(self) -> str:
        """The address under which the pages answer."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("cxplan is at"):
                found = READY.search(line)
                assert found is not None
                self.address = found[0]
                return self.address
        raise AssertionError("".join(self.said))

    def interrupt(self) -> int:
        os.killpg(self.process.pid, signal.SIGINT)
        self.said += self.process.communicate(timeout=60)[0].splitlines()
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def answers(address: str, page: str = "healthz") -> bool:
    try:
        with urllib.request.urlopen(f"{address}/{page}", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
