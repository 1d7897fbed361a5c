"""Killing any process in the middle of an import or a measurement loses nothing and counts nothing twice."""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from cxplan.demo.generate import generate_chain
from cxplan.embedded import postgres
from tests.embedded.processes import eventually, kill_everything, named, run
from tests.embedded.serving import Serving, answers

pytestmark = pytest.mark.xdist_group("faults")

STRUCTURE = ("units", "touchpoints", "metrics", "challenges", "aliases", "solutions", "people", "events")
ROWS = 30_000
PARTS = {
    "web": "gunicorn",
    "worker": "--quiet worker",
    "beat": "--quiet beat",
    "database": "bin/postgres -D",
}
# Several commands in one process: starting each costs more than what it does here.
IMPORTS = """
import sys
from cxplan.embedded.environment import prepare
prepare(["import_data"])
import django; django.setup()
from django.core.management import call_command
for named in sys.argv[1:]:
    call_command("import_data", *named.split("=", 1))
"""


class Deployment:
    """A served home with a small chain in it, reached as a customer's program reaches it."""

    def __init__(self, home: Path, files: Path, port: int) -> None:
        self.home, self.files = home, files
        self.serving = Serving(home, port)
        self.address = self.serving.wait_until_ready()
        self.hand_in(**{kind: files / f"{kind}.csv" for kind in STRUCTURE})
        user = ("--user", "lead@rivage.example")
        self.token = self.manage("create_token", *user, "--name", "files", "--scope", "import").split()[-1]

    def hand_in(self, **files: Path) -> None:
        """Import a file of each of these kinds."""
        run(self.home, "-c", IMPORTS, *(f"{kind}={file}" for kind, file in files.items()))

    def manage(self, *words: str) -> str:
        return run(self.home, "manage.py", *words)

    def post(self, file: Path) -> int:
        """Hand a feedback file in; the id under which the service accepted it."""
        request = urllib.request.Request(
            f"{self.address}/api/v1/imports/?kind=feedback",
            data=file.read_bytes(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "text/csv",
                # The same try again after a lost answer is the same import.
                "Idempotency-Key": file.name,
            },
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 202
            return int(json.load(answer)["id"])

    def ask(self, query: str) -> Any:
        """The first column of the first row; None while the database is not there."""
        try:
            with psycopg.connect(postgres.url(), connect_timeout=5) as connection:
                row = connection.execute(query).fetchone()  # type: ignore[call-overload]
                return row[0] if row else None
        except psycopg.OperationalError:
            return None

    def kill(self, part: str) -> None:
        for pid in named(self.home, PARTS[part]):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    home = tmp_path_factory.mktemp("faults")
    files = tmp_path_factory.mktemp("files")
    generate_chain(files, end=date(2026, 3, 2), branches=20, weeks=40)
    given = os.environ.get("CXPLAN_HOME")
    os.environ["CXPLAN_HOME"] = str(home)
    try:
        yield Deployment(home, files, 8700)
    finally:
        kill_everything(home)
        if given is None:
            del os.environ["CXPLAN_HOME"]
        else:
            os.environ["CXPLAN_HOME"] = given


def feedback(deployment: Deployment, name: str) -> Path:
    """A file of ROWS answers, each with a key of its own."""
    code = deployment.ask("SELECT code FROM taxonomy_metric WHERE kind = 'perception' AND is_overall")
    units = [line.split(",")[0] for line in (deployment.files / "units.csv").read_text().splitlines()[-5:]]
    path = deployment.files / f"{name}.csv"
    with path.open("w") as out:
        out.write("source,external_id,unit,occurred_at,metric,value\n")
        for number in range(ROWS):
            week, day = number % 30 + 1, number % 7 + 1
            moment = date.fromisocalendar(2025, week, day)
            out.write(f"{name},{number},{units[number % 5]},{moment}T12:00:00,{code},{number % 11}\n")
    return path


CELLS = """
    SELECT count(*) FROM (
        SELECT response.unit_id, score.metric_id, response.week, count(*) AS n, sum(score.value) AS total
        FROM feedback_score score JOIN feedback_response response ON response.id = score.response_id
        JOIN taxonomy_metric metric ON metric.id = score.metric_id AND metric.scoring = 'value'
        GROUP BY 1, 2, 3
    ) counted FULL JOIN (
        SELECT cell.* FROM feedback_cell cell
        JOIN taxonomy_metric metric ON metric.id = cell.metric_id AND metric.scoring = 'value'
    ) kept USING (unit_id, metric_id, week)
    WHERE counted.n IS DISTINCT FROM kept.n OR counted.total IS DISTINCT FROM kept.total
"""


@contextmanager
def held(table: str) -> Iterator[None]:
    """Nobody can write to the table: what writes to it stays in the middle of that."""
    with closing(psycopg.connect(postgres.url())) as bystander:
        bystander.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(sql.Identifier(table)))
        yield
        with suppress(psycopg.OperationalError):  # it may have lost its database too
            bystander.rollback()


@pytest.mark.parametrize("part", PARTS)
def test_an_import_survives_the_kill_of(deployment: Deployment, part: str) -> None:
    file = feedback(deployment, f"kill-{part}")
    with held("feedback_response"):
        number = deployment.post(file)
        state = f"SELECT state FROM imports_importbatch WHERE id = {number}"
        eventually(lambda: deployment.ask(state) == "running", 90)
        deployment.kill(part)
    eventually(lambda: deployment.ask(state) == "finished", 180)
    counts = deployment.ask(
        "SELECT ARRAY[accepted_count, duplicate_count, rejected_count] FROM imports_importbatch"
        f" WHERE id = {number}"
    )
    assert counts == [ROWS, 0, 0]
    stored = deployment.ask(
        "SELECT count(*) FROM feedback_score score"
        " JOIN feedback_response response ON response.id = score.response_id"
        " JOIN feedback_source source ON source.id = response.source_id"
        f" WHERE source.code = 'kill-{part}'"
    )
    assert stored == ROWS
    assert deployment.ask(CELLS) == 0
    eventually(lambda: answers(deployment.address, "readyz"), 60)
    # The program that never saw its answer hands the same file in again: the same import.
    assert deployment.post(file) == number


@pytest.mark.parametrize("part", ["worker", "database"])
def test_a_measurement_survives_the_kill_of(deployment: Deployment, part: str) -> None:
    files = deployment.files
    deployment.hand_in(feedback=files / "feedback-surveys.csv", actions=files / "actions.csv")
    running = "SELECT count(*) FROM impact_run WHERE state = 'running'"
    with held("impact_effect"):
        # Something new to measure, the second time too.
        deployment.hand_in(feedback=feedback(deployment, f"measured-{part}"))
        eventually(lambda: deployment.ask(running), 120)
        deployment.kill(part)
    deadline = time.monotonic() + 400
    while True:
        left = deployment.ask(running)
        if left == 0 and json.loads(deployment.manage("measure", "--format", "json"))["measured"] == []:
            break
        assert time.monotonic() < deadline, "measuring never came to its end"
        time.sleep(1)
    once = deployment.ask("SELECT count(*) = count(DISTINCT (action_id, metric_id)) FROM impact_effect")
    assert once is True
    assert deployment.ask("SELECT count(*) FROM impact_effect WHERE role = 'target'") > 0
    half = "SELECT count(*) FROM impact_effect effect JOIN impact_run run ON run.id = effect.run_id"
    assert deployment.ask(f"{half} WHERE run.state <> 'finished'") == 0
