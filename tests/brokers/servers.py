"""Brokers of other makes, started as whoever runs the tests, in a folder and on ports of their own."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from cxplan.embedded import child
from tests.embedded.processes import alive, eventually

# Debian's own command changes to a user of its own, whose home is not ours to write to.
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"
READY_SECONDS = 60.0


def program(name: str) -> str:
    """The path of a server; where it is not installed the test is skipped, unless nothing may be."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"]))
    if found is None:
        if os.environ.get("CXPLAN_SKIP_NOTHING"):
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")
    return found


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def running(
    argv: Sequence[str], folder: Path, number: int = signal.SIGTERM, **environment: str
) -> Iterator[subprocess.Popen]:
    """A server in a session of its own, which is gone at the end with all it started."""
    with (folder / "output").open("ab") as output:
        process = subprocess.Popen(
            child.command(argv, on_parent_death=signal.SIGKILL),
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def await_answer(url: str, folder: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            with Connection(url, connect_timeout=5) as connection:
                connection.ensure_connection(max_retries=1, timeout=5)
        except (OSError, OperationalError) as error:
            if time.monotonic() > end:
                raise AssertionError((folder / "output").read_text()[-2000:]) from error
            time.sleep(0.1)
        else:
            return


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    server, (port,) = program("redis-server"), free_ports(1)
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running([server, *options], folder):
        url = f"redis://127.0.0.1:{port}/0"
        await_answer(url, folder)
        yield url
    eventually(lambda: not alive(folder))


@contextmanager
def rabbitmq(folder: Path) -> Iterator[str]:
    server, names = program(RABBITMQ), program("epmd")
    port, distribution, epmd = free_ports(3)
    environment = {
        "ERL_EPMD_PORT": str(epmd),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"cxplan-{token_hex(4)}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_CONFIG_FILE": str(folder / "settings"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -start_epmd false",
        # The virtual machine in the place of the shell, so that it gets our signals.
        "RABBITMQ_ALLOW_INPUT": "1",
    }
    (folder / "plugins").write_text("[].\n")
    (folder / "settings.conf").write_text("log.console = false\nnum_acceptors.tcp = 2\n")
    # Left to itself the node would start a name server that outlives it.
    with (
        running([names, "-port", str(epmd), "-address", "127.0.0.1"], folder),
        running([server, "-noinput"], folder, **environment),
    ):
        url = f"amqp://guest:guest@127.0.0.1:{port}//"
        await_answer(url, folder)
        yield url
    eventually(lambda: not alive(folder))
