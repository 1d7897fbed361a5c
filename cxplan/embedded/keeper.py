"""Keeps one server up for as long as any process holds its users lock, then stops it.

A detached script of its own (standard library only). The locks are the kernel's, so a user that is
killed lets go like one that leaves; the server carries a parent-death signal, so it cannot outlive a
keeper that is killed. Files, all in the folder that is its argument:

- `users`: shared by every process that needs the server, exclusive for the keeper that stops it;
- `keeper`: held by the one keeper;
- `server`: held by the server's own processes through an inherited descriptor, so that "none of them
  is left" is a fact and not a guess from a pid file.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TypedDict

LINGER_SECONDS = 90.0
QUICK_DEATH_SECONDS = 2.0
MOST_QUICK_DEATHS = 3


class Specification(TypedDict):
    """What the process that needs a server tells its keeper, as JSON on standard input."""

    name: str
    argv: list[str]
    environment: dict[str, str]
    stop_signals: list[int]
    stale: list[str]
    sockets: str


def take(path: Path, operation: int) -> int | None:
    """Open and lock a file; None when a non-blocking lock is not to be had."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, operation)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


class Keeper:
    def __init__(self, locks: Path, specification: Specification) -> None:
        self.locks = locks
        self.specification = specification
        self.happenings: SimpleQueue[str] = SimpleQueue()

    def run(self) -> int:
        if not self._is_the_one():
            return 0
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self.happenings.put("told to stop"))
        threading.Thread(target=self._wait_for_last_user, daemon=True).start()
        quick_deaths = 0
        while True:
            started = time.monotonic()
            server = self._start()
            if server is None:
                return 1
            reason = self.happenings.get()
            if server.poll() is None:
                self._say(f"stopping: {reason}")
                self._stop(server)
                # Nobody can be on the way in: the users lock is held to the end.
                with suppress(OSError):
                    os.rmdir(self.specification["sockets"])
                return 0
            if reason != "server ended":
                return 0
            quick_deaths = quick_deaths + 1 if time.monotonic() - started < QUICK_DEATH_SECONDS else 0
            self._say(f"ended by itself with {server.returncode}")
            if quick_deaths >= MOST_QUICK_DEATHS:
                self._say("giving up")
                return 1
            time.sleep(0.2 * quick_deaths)

    def _is_the_one(self) -> bool:
        # Whoever asks whether there is a keeper holds its lock for a moment: one refusal proves nothing.
        for _ in range(50):
            if take(self.locks / "keeper", fcntl.LOCK_EX | fcntl.LOCK_NB) is not None:
                return True
            time.sleep(0.01)
        return False

    def _wait_for_last_user(self) -> None:
        take(self.locks / "users", fcntl.LOCK_EX)
        self.happenings.put("nobody uses it")

    def _start(self) -> subprocess.Popen[bytes] | None:
        deadline = time.monotonic() + LINGER_SECONDS
        while (lock := take(self.locks / "server", fcntl.LOCK_EX | fcntl.LOCK_NB)) is None:
            # Processes of a server whose keeper was killed are still on their way out.
            if time.monotonic() > deadline:
                self._say("processes of an earlier server do not end")
                return None
            time.sleep(0.02)
        for path in self.specification["stale"]:
            Path(path).unlink(missing_ok=True)
        # argv already goes through child.py, but was written before this process had a pid.
        argv = [str(os.getpid()) if word == "{keeper}" else word for word in self.specification["argv"]]
        server = subprocess.Popen(
            argv,
            env=self.specification["environment"],
            stdin=subprocess.DEVNULL,
            pass_fds=[lock],
            start_new_session=True,
        )
        os.close(lock)
        threading.Thread(target=self._wait_for_end, args=[server], daemon=True).start()
        return server

    def _wait_for_end(self, server: subprocess.Popen[bytes]) -> None:
        server.wait()
        self.happenings.put("server ended")

    def _stop(self, server: subprocess.Popen[bytes]) -> None:
        for number in (*self.specification["stop_signals"], signal.SIGKILL):
            server.send_signal(number)
            try:
                server.wait(LINGER_SECONDS / 3)
            except subprocess.TimeoutExpired:
                continue
            return

    def _say(self, words: str) -> None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        print(f"{stamp} keeper of {self.specification['name']}: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(Keeper(Path(sys.argv[1]), json.load(sys.stdin)).run())
