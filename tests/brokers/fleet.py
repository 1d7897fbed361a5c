"""Worker processes and a beat on one broker, and what a test asks of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from kombu import Connection

from apps.impact.staleness import LOCK_METRIC
from cxplan.embedded import child
from cxplan.embedded.home import REPOSITORY

WORKERS = ("one", "two")


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Two workers of two processes each, and a beat."""

    url: str
    folder: Path
    workers: dict[str, subprocess.Popen]

    def send(self, task: Any, **arguments: Any) -> None:
        """Put a task into this broker, as the web process does in its own."""
        with Connection(self.url) as broker:
            task.apply_async(kwargs=arguments, connection=broker)

    def kill(self, name: str) -> None:
        """kill -9 of a worker with all its processes."""
        os.killpg(self.workers[name].pid, signal.SIGKILL)
        self.workers[name].wait()

    def log(self) -> str:
        return "\n".join(path.read_text()[-3000:] for path in sorted(self.folder.glob("*.log")))


def leader() -> str | None:
    """The worker that is computing at this moment: it holds the lock of a metric whose run is under way."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT application_name FROM impact_run run
            JOIN pg_locks ON locktype = 'advisory' AND classid = %s AND objid = run.metric_id AND granted
            JOIN pg_stat_activity USING (pid)
            WHERE run.state = 'running' AND run.phase IN ('units', 'effects') AND datname = current_database()
            """,
            [LOCK_METRIC],
        )
        row = cursor.fetchone()
    return row[0] if row else None


@contextmanager
def fleet(url: str, folder: Path, *, units_in_a_chunk: int) -> Iterator[Fleet]:
    celery = [sys.executable, "-m", "celery", "--app", "cxplan", "--quiet"]
    worker = [
        *celery,
        "worker",
        "--concurrency",
        "2",
        "--without-gossip",
        "--without-mingle",
        "--loglevel",
        "INFO",
    ]
    beat = [*celery, "beat", "--schedule", str(folder / "schedule"), "--loglevel", "WARNING"]
    with ExitStack() as stack:

        def start(name: str, argv: list[str]) -> subprocess.Popen:
            output = stack.enter_context((folder / f"{name}.log").open("ab"))
            process = subprocess.Popen(
                child.command(argv, on_parent_death=signal.SIGKILL),
                cwd=REPOSITORY,
                env={
                    **os.environ,
                    "CELERY_BROKER_URL": url,
                    "IMPACT_CHUNK_UNITS": str(units_in_a_chunk),
                    "PGAPPNAME": name,
                    "FLEET_FOLDER": str(folder),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            stack.callback(_end, process)
            return process

        workers = {name: start(name, [*worker, "--hostname", f"{name}@%h"]) for name in WORKERS}
        start("beat", beat)
        yield Fleet(url=url, folder=folder, workers=workers)


def _end(process: subprocess.Popen) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(condition: Callable[[], object], fleet: Fleet, seconds: float, step: float = 0.02) -> Any:
    """What `condition` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"it did not happen; the logs end with\n{fleet.log()}")
        time.sleep(step)
    return found
