"""An import whose process is killed leaves nothing behind and is done again, once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.feedback.models import Cell, Response, Score
from apps.imports.models import ImportBatch
from apps.imports.services import MAX_ATTEMPTS, receive_import, resume_imports, run_import
from tests.factories import MetricFactory, UnitFactory

ROOT = Path(__file__).resolve().parents[2]
ROWS = 60_000


@pytest.fixture
def file(tmp_path: Path, transactional_db: None) -> Path:
    UnitFactory(code="LILLE")
    MetricFactory(code="sat", scale_min=0, scale_max=10)
    path = tmp_path / "answers.csv"
    rows = [f"r{i},LILLE,2025-01-08T10:00Z,{i % 11}" for i in range(ROWS)]
    path.write_text("external_id,unit,occurred_at,sat\n" + "\n".join(rows) + "\n")
    return path


def eventually(is_true: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


@pytest.mark.parametrize("phase", ["reading", "checking", "storing"])
def test_a_killed_import_is_all_or_nothing_and_counts_once(file: Path, phase: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_data", "feedback", str(file), "--source", "survey"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        eventually(lambda: ImportBatch.objects.filter(phase=phase).exists() or process.poll() is not None)
        os.killpg(process.pid, signal.SIGKILL)
    finally:
        process.wait()
    batch = ImportBatch.objects.get()
    # The server notices that its client is gone when it next speaks to it.
    eventually(lambda: batch.pk in _finished_or_free())
    batch.refresh_from_db()
    if batch.state != ImportBatch.State.FINISHED:
        assert not Response.objects.exists()
        assert not Cell.objects.exists()
    assert [one.state for one in resume_imports()] in ([], [ImportBatch.State.FINISHED])
    batch.refresh_from_db()
    assert (batch.accepted_count, batch.rejected_count) == (ROWS, 0)
    assert Response.objects.count() == Score.objects.count() == ROWS
    assert sum(cell.n for cell in Cell.objects.all()) == ROWS
    assert resume_imports() == []
    assert not batch.file


def _finished_or_free() -> set[int]:
    """Batches that are over, or whose lock nobody holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid = 7301 AND granted")
        held = {row[0] for row in cursor.fetchall()}
    return {batch.pk for batch in ImportBatch.objects.all() if batch.is_over or batch.pk % 2**31 not in held}


def test_a_batch_that_is_cut_off_every_time_is_given_up(file: Path) -> None:
    with file.open("rb") as stream:
        batch = receive_import(kind="feedback", file=stream, file_name=file.name, source="survey", actor=None)
    ImportBatch.objects.update(state=ImportBatch.State.RUNNING, attempt_count=MAX_ATTEMPTS)
    batch = run_import(batch=batch)
    assert batch.state == ImportBatch.State.FAILED
    assert batch.error is not None
    assert batch.error["code"] == "cut_off"
    assert not Response.objects.exists()


def test_whoever_received_a_file_has_the_first_turn(file: Path) -> None:
    with file.open("rb") as stream:
        batch = receive_import(kind="feedback", file=stream, file_name=file.name, source="survey", actor=None)
    assert resume_imports() == []
    ImportBatch.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert [one.pk for one in resume_imports()] == [batch.pk]
