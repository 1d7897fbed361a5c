"""Where this clone keeps its database, broker, secret and logs."""

import hashlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent

# sun_path holds 108 bytes; the longest name we put in the folder takes up to 17 of them.
_LONGEST_SOCKET_FOLDER = 90


class EmbeddedError(RuntimeError):
    """An embedded server cannot be had; the message says what to do."""


def home() -> Path:
    """CXPLAN_HOME, or `var/` in the clone."""
    return Path(os.environ.get("CXPLAN_HOME") or REPOSITORY / "var").resolve()


def folder(*names: str) -> Path:
    """A folder inside the home that only its owner may enter, made when missing."""
    path = home().joinpath(*names)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def secret_key() -> str:
    """The secret generated for this home at first use, kept beside its data."""
    path = folder() / "secret-key"
    if not path.exists():
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            # A link appears whole or not at all, and loses to whoever was first.
            os.link(name, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(name)
    return path.read_text()


def socket_folder(name: str) -> Path:
    """The folder of a server's socket; a short one under /tmp when the home's path is too long."""
    path = home() / "run" / name
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_FOLDER:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"cxplan-{os.geteuid()}-{digest}"


def make_socket_folder(name: str) -> Path:
    path = socket_folder(name)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = path.lstat()
    mine = found.st_uid == os.geteuid() or os.geteuid() == 0
    if not (stat.S_ISDIR(found.st_mode) and mine) or stat.S_IMODE(found.st_mode) & 0o077:
        raise EmbeddedError(f"{path} is not a private folder of this user. Remove it and try again.")
    return path


def log_file(name: str) -> Path:
    """A log in the home; the previous one is kept once when it has grown large."""
    path = folder("logs") / f"{name}.log"
    if path.exists() and path.stat().st_size > 10_000_000:
        path.replace(path.with_suffix(".log.1"))
    return path


def tail(path: Path, lines: int = 12) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 8192))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
