"""Runs the whole of cxplan on one machine: database, broker, web, worker and beat, watched until told to stop."""

import fcntl
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from django.core.management import call_command
from django.db import connections

from cxplan.embedded import child, ensure_broker, home, keeper, postgres, valkey
from cxplan.embedded.home import REPOSITORY, EmbeddedError, folder, log_file, tail
from cxplan.embedded.kept import KeptServer

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PORTS_TRIED = 100
READY_SECONDS = 120.0
WATCH_SECONDS = 0.5
# A part that ends this soon after its start has failed; so many failures in a row end everything.
QUICK_DEATH_SECONDS = 20.0
MOST_QUICK_DEATHS = 5
# Between the polite and the firm signal; a task cut off is delivered again, so little is lost.
PATIENCE_SECONDS = 10.0


class ServeError(RuntimeError):
    """The parts cannot be run; the message says why."""


@dataclass(kw_only=True)
class Part:
    """One supervised process and its record."""

    name: str
    argv: list[str]
    death_signal: int
    firm_signal: int
    niceness: int = 0
    descriptors: list[int] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    quick_deaths: int = 0

    def start(self) -> None:
        self.started_at = time.monotonic()
        with log_file(self.name).open("ab") as output:
            self.process = subprocess.Popen(
                child.command(self.argv, on_parent_death=self.death_signal),
                cwd=REPOSITORY,
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=self.descriptors,
                start_new_session=True,
            )
        if self.niceness:
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, self.process.pid, self.niceness)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tell(self, number: int) -> None:
        if self.process is not None and self.is_running():
            self.process.send_signal(number)

    def kill_session(self) -> None:
        """End what the process may have left in its session, such as a pool child at work."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Stop:
    """Asked for by SIGINT, SIGTERM or SIGHUP; a second one asks for haste.

    A pipe and not an Event: a handler that set one while its own thread waits on it would lock up.
    """

    def __init__(self) -> None:
        self.is_asked = False
        self.in_haste = False
        self._read, self._write = os.pipe()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.in_haste = self.is_asked
        self.is_asked = True
        os.write(self._write, b"!")

    def wait(self, seconds: float) -> bool:
        select.select([self._read], [], [], seconds)
        return self.is_asked


def serve(*, host: str, port: int, on_ready: Callable[[str], None]) -> int:
    """Run everything until told to stop; `on_ready` gets the address once the pages answer.

    Returns the exit code: 0 when told to stop, 1 when a part could not be kept up.
    """
    stop = Stop()
    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    try:
        with _only_one(), _listening(host, port) as (listener, address), _servers() as kept:
            parts = _parts(listener, [server.descriptor() for server in kept])
            return _run(parts, kept, address, stop=stop, on_ready=on_ready)
    except (ServeError, EmbeddedError) as error:
        _say(str(error))
        return 1
    finally:
        # All that is left is to exit; one more Ctrl-C must not turn that into a failure.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _run(
    parts: list[Part], kept: list[KeptServer], address: str, *, stop: Stop, on_ready: Callable[[str], None]
) -> int:
    (folder("run") / "served-at").write_text(address)
    try:
        for part in parts:
            part.start()
        ready_by: float | None = time.monotonic() + READY_SECONDS
        while not stop.wait(WATCH_SECONDS):
            if _make_was_interrupted():
                break
            for server in kept:
                if not server.is_kept():
                    server.join()
            for part in parts:
                _keep_up(part)
            if ready_by is not None and _pages_answer(address):
                ready_by = None
                on_ready(address)
            if ready_by is not None and time.monotonic() > ready_by:
                raise ServeError(f"The pages do not answer. The end of the log:\n{tail(log_file('web'))}")
        return 0
    finally:
        _say("Stopping ...")
        _stop(parts, stop)
        (folder("run") / "served-at").unlink(missing_ok=True)


def _make_was_interrupted() -> bool:
    """Whether the make that started us got a SIGINT of its own: it would wait for us, and say nothing."""
    if not os.environ.get("CXPLAN_ENDS_WITH_PARENT"):
        return False
    with suppress(OSError):
        for line in Path(f"/proc/{os.getppid()}/status").read_text().splitlines():
            # make blocks the signal while it handles it, which lasts until its children have ended.
            if line.startswith("SigBlk:"):
                return bool(int(line.split()[1], 16) >> (signal.SIGINT - 1) & 1)
    return False


def _keep_up(part: Part) -> None:
    if part.is_running():
        return
    part.kill_session()
    if time.monotonic() - part.started_at < QUICK_DEATH_SECONDS:
        part.quick_deaths += 1
        if part.quick_deaths >= MOST_QUICK_DEATHS:
            raise ServeError(f"{part.name} does not stay up. The end of its log:\n{tail(log_file(part.name))}")
        time.sleep(0.2 * 2**part.quick_deaths)
    else:
        part.quick_deaths = 0
    _say(f"{part.name} ended by itself and is started again; see {log_file(part.name)}")
    part.start()


def _stop(parts: list[Part], stop: Stop) -> None:
    for number in ("polite", "firm"):
        for part in parts:
            part.tell(signal.SIGTERM if number == "polite" else part.firm_signal)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(part.is_running() for part in parts) and time.monotonic() < deadline and not stop.in_haste:
            time.sleep(0.05)
    for part in parts:
        part.kill_session()
        if part.process is not None:
            part.process.wait()


@contextmanager
def _servers() -> Iterator[list[KeptServer]]:
    """The embedded servers this run uses, up and migrated; given up at the end."""
    if not (folder("assets") / ".built").exists():
        # In a process of its own: the chart library may not be called in one that forks.
        subprocess.run(
            [sys.executable, "manage.py", "build_assets"], cwd=REPOSITORY, check=True, stdout=sys.stderr
        )
    # Connections opened before (by a command that loads data first) would outlive their server.
    connections.close_all()
    kept = []
    if os.environ["DATABASE_URL"] == postgres.url():
        postgres.ensure()
        kept.append(postgres.server(home()))
    else:
        call_command("migrate", interactive=False, verbosity=0)
        connections.close_all()
    if ensure_broker() == valkey.url():
        kept.append(valkey.server(home()))
    try:
        yield kept
    finally:
        for server in reversed(kept):
            server.leave()


def _parts(listener: socket.socket, locks: list[int]) -> list[Part]:
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "--app", "cxplan", "--quiet"]
    cores = os.cpu_count() or 1
    return [
        Part(
            name="web",
            argv=[
                *python, "gunicorn", "cxplan.wsgi:application", "--bind", f"fd://{listener.fileno()}",
                "--worker-class", "gthread", "--workers", "2", "--threads", "4",
                "--timeout", "60", "--graceful-timeout", "5", "--no-control-socket",
            ],
            death_signal=signal.SIGTERM,
            firm_signal=signal.SIGQUIT,
            descriptors=[listener.fileno(), *locks],
        ),
        Part(
            name="worker",
            argv=[
                *celery, "worker", "--concurrency", str(min(cores, 4)), "--loglevel", "INFO",
                "--without-gossip", "--without-mingle",
            ],
            # Nobody is left to wait for its tasks, which are delivered again; and a signal that it may handle can
            # come while it starts, and be lost. Its pool processes die with it.
            death_signal=signal.SIGKILL,
            firm_signal=signal.SIGQUIT,
            # Pages come first where cores are few.
            niceness=10,
            descriptors=locks,
            environment={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        ),
        Part(
            name="beat",
            argv=[*celery, "beat", "--schedule", str(folder("run") / "beat-schedule"), "--loglevel", "WARNING"],
            death_signal=signal.SIGTERM,
            firm_signal=signal.SIGKILL,
            descriptors=locks,
        ),
    ]  # fmt: skip


@contextmanager
def _only_one() -> Iterator[None]:
    lock = keeper.take(folder("run") / "serve.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
    if lock is None:
        place = folder("run") / "served-at"
        where = place.read_text() if place.exists() else "another process"
        raise ServeError(f"This home is served already: {where}. Stop that one, or set CXPLAN_HOME.")
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def _listening(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    """A listening socket, kept here so that a restart of the web server turns nobody away."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(512)
        except OSError as error:
            listener.close()
            if isinstance(error, PermissionError | socket.gaierror):
                raise ServeError(f"Cannot listen on {host}:{candidate}: {error}") from error
            continue
        if candidate != port:
            _say(f"Port {port} is taken; using {candidate}.")
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        try:
            yield listener, f"http://{shown}:{candidate}"
        finally:
            listener.close()
        return
    raise ServeError(f"No free port from {port} on {host}.")


def _pages_answer(address: str) -> bool:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
