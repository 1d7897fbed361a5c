"""Joins the users of a kept server, starting its keeper when there is none, and leaves at exit."""

import atexit
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cxplan.embedded import keeper
from cxplan.embedded.home import EmbeddedError, log_file, socket_folder, tail

START_SECONDS = 600.0
LEAVE_SECONDS = 90.0
MOST_KEEPERS = 2


@dataclass(kw_only=True)
class KeptServer:
    """One process's share in a server of a home.

    `answers` is a real connection: True when the server answers, False when it does not.
    `prepare` gives the command line through child.py and its environment, after it has made whatever
    must be there before the first start.
    """

    name: str
    locks: Path
    answers: Callable[[], bool]
    prepare: Callable[[], tuple[list[str], dict[str, str]]]
    stop_signals: list[int]
    stale: list[Path] = field(default_factory=list)

    _users: int | None = None
    _owner: int | None = None
    _started: subprocess.Popen[bytes] | None = None

    def join(self) -> bool:
        """Hold the server up until this process ends or leaves; True when it had to be started."""
        if self._users is None or self._owner != os.getpid():
            self.locks.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._users = keeper.take(self.locks / "users", fcntl.LOCK_SH)
            self._owner = os.getpid()
            atexit.register(self._leave_at_exit, os.getpid())
        if self.is_kept() and self.answers():
            return False
        door = keeper.take(self.locks / "door", fcntl.LOCK_EX)
        assert door is not None
        try:
            if self.is_kept() and self.answers():
                return False
            self._start()
        finally:
            os.close(door)
        return True

    def is_kept(self) -> bool:
        """Whether a keeper lives."""
        lock = keeper.take(self.locks / "keeper", fcntl.LOCK_SH | fcntl.LOCK_NB)
        if lock is None:
            return True
        os.close(lock)
        return False

    def descriptor(self) -> int:
        """The held lock, to be passed on to children that must not lose the server either."""
        assert self._users is not None
        return self._users

    def leave(self) -> None:
        """Let go; the last one out waits until the server is gone."""
        if self._users is None:
            return
        os.close(self._users)
        self._users = None
        deadline = time.monotonic() + LEAVE_SECONDS
        while self.is_kept() and time.monotonic() < deadline and not self._has_other_users():
            time.sleep(0.01)
        if self._started is not None:
            self._started.poll()

    def _leave_at_exit(self, owner: int) -> None:
        # A forked child runs its parent's exit functions too.
        if os.getpid() == owner == self._owner:
            self.leave()

    def _has_other_users(self) -> bool:
        users = self.locks / "users"
        probe = keeper.take(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if probe is None:
            probe = keeper.take(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if probe is None:
                return False
            os.close(probe)
            return True
        os.close(probe)
        return False

    def _start(self) -> None:
        begun = time.monotonic()
        keepers = 0
        told = False
        while not self.answers():
            if not self.is_kept() and (self._started is None or self._started.poll() is not None):
                # A second one: the first may have found an old keeper that was about to leave.
                if keepers == MOST_KEEPERS:
                    raise self._failure("does not start")
                self._start_keeper()
                keepers += 1
            elapsed = time.monotonic() - begun
            if elapsed > START_SECONDS:
                raise self._failure(f"is not ready after {elapsed:.0f} s")
            if elapsed > 5 and not told:
                print(f"Waiting for the embedded {self.name} server ...", file=sys.stderr, flush=True)
                told = True
            time.sleep(0.02)

    def _start_keeper(self) -> None:
        argv, environment = self.prepare()
        specification: keeper.Specification = {
            "name": self.name,
            "argv": argv,
            "environment": environment,
            "stop_signals": self.stop_signals,
            "stale": [str(path) for path in self.stale],
            "sockets": str(socket_folder(self.name)),
        }
        with log_file(self.name).open("ab") as output:
            self._started = subprocess.Popen(
                [sys.executable, "-I", "-S", keeper.__file__, str(self.locks)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
            )
        assert self._started.stdin is not None
        with self._started.stdin as stdin:
            stdin.write(json.dumps(specification).encode())

    def _failure(self, what: str) -> EmbeddedError:
        log = log_file(self.name)
        return EmbeddedError(f"The embedded {self.name} server {what}. The end of {log}:\n{tail(log)}")
