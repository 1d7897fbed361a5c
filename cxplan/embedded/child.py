"""Starts a program that dies with its parent and, where it refuses root, runs as nobody.

Run as a script of its own (standard library only): what it does must happen between fork and exec,
where a threaded parent may not run Python.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

NOBODY = 65534

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CLONE_NEWUSER = 0x10000000
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def die_with_parent(number: int = signal.SIGTERM, *, parent: int | None = None) -> None:
    """Have the kernel send this process a signal when its parent dies; exit if it is dead already."""
    expected = os.getppid() if parent is None else parent
    _call("prctl", _PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != expected:
        os._exit(1)


def command(
    argv: Sequence[str | os.PathLike[str]],
    *,
    on_parent_death: int,
    not_as_root: bool = False,
    owned: Sequence[Path] = (),
) -> list[str]:
    """The command line that starts `argv` as a child of the calling process, through this script.

    `owned` are the folders the program must own when it may not run as root.
    """
    wrapper = [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(on_parent_death))]
    if not_as_root and os.geteuid() == 0:
        wrapper += ["--not-as-root", *map(str, owned)]
    return [*wrapper, "--", *(os.fspath(word) for word in argv)]


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*(ctypes.c_ulong(argument) for argument in arguments)) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def _drop_root(owned: Sequence[str]) -> None:
    """Become nobody: of a namespace of our own where allowed, as in containers it often is not."""
    if not _may_have_namespace():
        _give(owned, NOBODY)
        _become_nobody()
        return
    # Before the change: from inside, files of the true nobody look like our own.
    _give(owned, 0)
    _call("unshare", _CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} 0 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} 0 1")


def _may_have_namespace() -> bool:
    pid = os.fork()
    if pid == 0:
        try:
            _call("unshare", _CLONE_NEWUSER)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def _give(folders: Sequence[str], user: int) -> None:
    """Hand folders over, in case they were made by the other way of not being root."""
    for folder in folders:
        if os.stat(folder).st_uid == user:
            continue
        for path, _, files in os.walk(folder):
            for name in (path, *(os.path.join(path, file) for file in files)):
                os.chown(name, user, user, follow_symlinks=False)


def _become_nobody() -> None:
    _call("prctl", _PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    try:
        # Root's own folders (a clone under /root) stay closed to nobody without this one right.
        _keep_only(_CAP_DAC_OVERRIDE)
    except OSError:
        print("cxplan: nobody has no right of its own to read this folder", file=sys.stderr)


def _keep_only(capability: int) -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def main(arguments: Sequence[str]) -> None:
    parent, death_signal, *rest = arguments
    split = rest.index("--")
    options, argv = rest[:split], rest[split + 1 :]
    if options:
        _drop_root(options[1:])
    # After the change of user: that clears a parent-death signal set before it.
    die_with_parent(int(death_signal), parent=int(parent))
    os.execvp(argv[0], argv)  # noqa: S606  there is no shell to want


if __name__ == "__main__":
    main(sys.argv[1:])
