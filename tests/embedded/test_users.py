"""PostgreSQL refuses root: as whom it runs, whoever starts it."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cxplan.embedded.home import REPOSITORY
from tests.embedded.processes import USER, alive, environment, eventually, named, using

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

# Runs the rest of the command line as root of a namespace that has all users and allows no other.
WITHOUT_NAMESPACES = """
import ctypes, os, sys
from pathlib import Path
told, asked = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    assert ctypes.CDLL(None).unshare(0x10000000) == 0
    os.write(asked[1], b"!")
    os.read(told[0], 1)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    os.execvp(sys.argv[1], sys.argv[1:])
os.read(asked[0], 1)
for name in ("uid_map", "gid_map"):
    Path(f"/proc/{child}/{name}").write_text("0 0 65536")
os.write(told[1], b"!")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@needs_root
def test_root_runs_it_as_nobody_of_a_namespace_and_owns_the_files(home: Path) -> None:
    with using(home):
        postmaster = min(named(home, "bin/postgres", "-D"))
        assert "65534" in Path(f"/proc/{postmaster}/uid_map").read_text()
        assert (home / "postgres").stat().st_uid == 0


@needs_root
def test_root_without_namespaces_runs_it_as_nobody_and_can_go_back(home: Path) -> None:
    with using(home) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    inside = subprocess.Popen(
        [sys.executable, "-c", WITHOUT_NAMESPACES, sys.executable, "-c", USER, "database"],
        cwd=REPOSITORY,
        env=environment(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert inside.stdout is not None
    url = inside.stdout.readline().strip()
    assert url, inside.communicate()[1]
    postmaster = min(named(home, "bin/postgres", "-D"))
    assert Path(f"/proc/{postmaster}").stat().st_uid == 65534
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    inside.communicate("\n", timeout=60)
    assert alive(home) == {}
    with using(home) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


@pytest.fixture
def ordinary_home() -> Iterator[Path]:
    # Under pytest's own folder nobody could not even look.
    folder = Path(tempfile.mkdtemp(prefix="cxplan nobody "))
    os.chown(folder, 65534, 65534)
    yield folder
    shutil.rmtree(folder)


@needs_root
def test_an_ordinary_user_needs_no_rights(ordinary_home: Path) -> None:
    python = _python_for_nobody()
    packages = os.pathsep.join([str(REPOSITORY), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    user = subprocess.Popen(
        ["runuser", "-u", "nobody", "--", python, "-c", USER, "database"],
        cwd="/",
        env=environment(ordinary_home, PYTHONPATH=packages, HOME="/nonexistent", PYTHONDONTWRITEBYTECODE="1"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert user.stdout is not None
    url = user.stdout.readline().strip()
    assert url, user.communicate()[1]
    postmaster = min(named(ordinary_home, "bin/postgres", "-D"))
    assert Path(f"/proc/{postmaster}").stat().st_uid == 65534
    user.communicate("\n", timeout=60)
    eventually(lambda: alive(ordinary_home) == {})


def _python_for_nobody() -> str:
    """A Python of this version that nobody may run, with the packages and the clone readable."""
    if shutil.which("runuser") is None:
        pytest.skip("runuser is not installed")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    imports = (
        f"import sys; sys.path[:0] = {[str(REPOSITORY), sysconfig.get_path('purelib')]!r}; import psycopg, cxplan"
    )
    for python in (sys.executable, f"/usr/bin/python{version}"):
        tried = subprocess.run(
            ["runuser", "-u", "nobody", "--", python, "-c", imports], check=False, capture_output=True, cwd="/"
        )
        if tried.returncode == 0:
            return python
    pytest.skip("nobody can run no Python with these packages here")


@needs_root
def test_the_helper_really_forbids_namespaces() -> None:
    tried = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x10000000) == 0)"
    done = subprocess.run([sys.executable, "-c", WITHOUT_NAMESPACES, sys.executable, "-c", tried], check=False)
    assert done.returncode == 0
