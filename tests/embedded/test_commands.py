"""Every management command finds its database up and its tables in place, and pays only for what it needs."""

import subprocess
import sys
import time
from pathlib import Path

import psycopg

from cxplan.embedded.home import REPOSITORY
from tests.embedded.processes import alive, environment, using

COUNT_TABLES = "from django.db import connection as c; print(len(c.introspection.table_names()))"


def manage(home: Path, *arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=REPOSITORY,
        env=environment(home, **options),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_first_command_makes_the_tables_and_the_second_does_not_look(home: Path) -> None:
    first = manage(home, "shell", "-v0", "-c", COUNT_TABLES)
    assert first.returncode == 0, first.stderr
    assert int(first.stdout) > 20
    assert "Bringing the database's tables up to date" in first.stderr
    second = manage(home, "shell", "-v0", "-c", COUNT_TABLES)
    assert second.stdout == first.stdout
    assert "Bringing" not in second.stderr
    assert alive(home) == {}


def test_several_first_commands_at_once_all_find_their_tables(home: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v0", "-c", COUNT_TABLES],
            cwd=REPOSITORY,
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    outcomes = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], outcomes
    assert len({out for out, _ in outcomes}) == 1
    assert sum("Bringing" in err for _, err in outcomes) == 1


def test_the_mark_of_the_tables_travels_with_the_database(home: Path) -> None:
    manage(home, "shell", "-v0", "-c", "pass")
    with using(home) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("COMMENT ON DATABASE cxplan IS 'migrated:by other code'")
    assert "Bringing" in manage(home, "shell", "-v0", "-c", "pass").stderr


def test_a_command_without_data_starts_no_server(home: Path) -> None:
    for arguments in (["help"], ["measure", "--help"], ["version"], ["compile_catalogues"]):
        assert manage(home, *arguments).returncode in {0, 1}
    assert not (home / "postgres").exists()


def test_a_given_database_is_used_as_it_is(home: Path, tmp_path: Path) -> None:
    with using(tmp_path / "elsewhere") as url:
        done = manage(home, "shell", "-v0", "-c", COUNT_TABLES, DATABASE_URL=url)
        assert done.stdout.strip() == "0"
    assert not (home / "postgres").exists()


def test_the_secret_is_made_once_and_kept_private(home: Path) -> None:
    show = "from django.conf import settings; print(settings.SECRET_KEY)"
    first, second = (manage(home, "shell", "-v0", "-c", show).stdout.strip() for _ in range(2))
    assert first == second
    assert len(first) > 50
    assert (home / "secret-key").stat().st_mode & 0o777 == 0o600


def test_a_command_that_is_cut_off_leaves_nothing(home: Path) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "manage.py",
            "shell",
            "-v0",
            "-c",
            "print('up', flush=True); import time; time.sleep(60)",
        ],
        cwd=REPOSITORY,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    process.communicate()
    deadline = time.monotonic() + 20
    while alive(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive(home) == {}
