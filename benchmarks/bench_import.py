# ruff: noqa: PLC0415 -- Django is imported when its settings know the database of this run
"""How long does a file of feedback take to come in, against a plain \\copy of the same file?

Each form runs in a process of its own, with a database of its own that is thrown away.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row

NAME = "import"
UNITS, METRICS, DAYS = 120, 4, 728
LIMIT = 10.0
FORMS = {
    "long": "one answer a row",
    "repeated": "the same file again",
    "wide": "three answers and a comment a row",
}


def run(*, quick: bool = False) -> list[Row]:
    """Ratios of wall time, and the peak of memory for a small and for a large file."""
    rows = 50_000 if quick else 1_000_000
    small, large = _measured("long", rows // 4), _measured("long", rows)
    wide = _measured("wide", rows)
    found = [
        _ratio(FORMS["long"], rows, large["import"], large["copy"]),
        _ratio(FORMS["repeated"], rows, large["again"], large["copy"]),
        _ratio(FORMS["wide"], rows, wide["import"], wide["copy"]),
    ]
    memory = Row(
        bench=NAME,
        what=f"memory, {rows:,} rows",
        value=large["megabytes"],
        unit="MB",
        reference=f"{rows // 4:,} rows",
        against=small["megabytes"],
        passed=large["megabytes"] < 1.2 * small["megabytes"],
    )
    return [*found, memory]


def _ratio(what: str, rows: int, seconds: float, copy: float) -> Row:
    # An aim, which a busy machine may miss: it is shown and fails nothing.
    return Row(
        bench=NAME,
        what=f"{rows:,} rows, {what} (aim: {LIMIT:.0f})",
        value=seconds,
        unit="s",
        reference="\\copy",
        against=copy,
    )


def _measured(form: str, rows: int) -> dict[str, float]:
    folder = Path(tempfile.mkdtemp(prefix="cxplan-bench-"))
    try:
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.bench_import", form, str(rows)],
            env={**environment, "CXPLAN_HOME": str(folder), "PGOPTIONS": "-c client_min_messages=warning"},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        return json.loads(told.stdout.splitlines()[-1])
    finally:
        _wait_for_end(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_end(folder: Path) -> None:
    end = time.monotonic() + 30
    while any(folder.glob("**/postmaster.pid")) and time.monotonic() < end:
        time.sleep(0.1)


def write_file(path: Path, form: str, rows: int) -> None:
    """A seeded file of `rows` rows; units and days come in no order, as they do from a survey tool."""
    rng = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        tail = "metric,value" if form == "long" else "m0,m1,m2,comment"
        file.write(f"source,external_id,unit,occurred_at,{tail}\n")
        for i in range(rows):
            day = rng.randrange(DAYS)
            year, month, of_month = 2024 + day // 364, 1 + day % 364 // 31, 1 + day % 28
            moment = f"{year}-{month:02d}-{of_month:02d}T{rng.randrange(24):02d}:{rng.randrange(60):02d}:00+01:00"
            if form == "long":
                answers = f"m{rng.randrange(METRICS)},{rng.randrange(11)}"
            else:
                answers = (
                    f'{rng.randrange(11)},{rng.randrange(11)},{rng.randrange(11)},"They said ""fine"", answer {i}"'
                )
            file.write(f"survey,R{i:08d},u{rng.randrange(UNITS)},{moment},{answers}\n")


def _run_form(form: str, rows: int) -> dict[str, float]:
    from cxplan.embedded import postgres
    from cxplan.embedded.environment import prepare

    prepare(["shell"])
    import django

    django.setup()
    path = Path(os.environ["CXPLAN_HOME"]) / "answers.csv"
    write_file(path, form, rows)
    columns = path.open(encoding="utf-8").readline().strip().split(",")
    psql = [str(postgres.programs() / "psql"), os.environ["DATABASE_URL"], "-qX", "-v", "ON_ERROR_STOP=1", "-c"]

    def copy() -> float:
        table = ", ".join(f"{column} text" for column in columns)
        subprocess.run([*psql, "DROP TABLE IF EXISTS plain", "-c", f"CREATE TABLE plain ({table})"], check=True)
        begin = time.perf_counter()
        subprocess.run([*psql, f"\\copy plain FROM '{path}' WITH (FORMAT csv, HEADER)"], check=True)
        return time.perf_counter() - begin

    _bring_in("units", "code,name\n" + "".join(f"u{i},Unit {i}\n" for i in range(UNITS)))
    scale = "".join(f"m{i},Metric {i},perception,higher,0,10\n" for i in range(METRICS))
    _bring_in("metrics", "code,name,kind,better,scale_min,scale_max\n" + scale)
    before = copy()
    begin = time.perf_counter()
    _bring_in("feedback", path)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    after = copy()
    begin = time.perf_counter()
    _bring_in("feedback", path)
    again = time.perf_counter() - begin
    return {"copy": (before + after) / 2, "import": seconds, "again": again, "megabytes": peak}


def _bring_in(kind: str, content: str | Path) -> None:
    from apps.imports.services import receive_import, run_import

    file = content.open("rb") if isinstance(content, Path) else io.BytesIO(content.encode())
    with file:
        batch = receive_import(kind=kind, file=file, file_name="file.csv", actor=None)
    batch = run_import(batch=batch)
    assert batch.error is None, batch.error
    assert batch.rejected_count == 0, batch.reject_sample


if __name__ == "__main__":
    print(json.dumps(_run_form(sys.argv[1], int(sys.argv[2]))))
