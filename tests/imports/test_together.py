"""Files that come in at the same moment are stored one after the other, and no answer counts twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.feedback.models import Score
from tests.factories import MetricFactory, UnitFactory
from tests.feedback.test_cells import from_scratch, stored

ROOT = Path(__file__).resolve().parents[2]
ROWS = 4_000


@pytest.mark.django_db(transaction=True)
def test_overlapping_files_imported_at_once_count_each_answer_once(tmp_path: Path) -> None:
    UnitFactory(code="LILLE")
    MetricFactory(code="sat", scale_min=0, scale_max=10)
    imports = []
    for number, first in enumerate((0, ROWS // 2)):
        path = tmp_path / f"{number}.csv"
        # The second file holds half of the first one's answers, with other values.
        rows = [f"r{i},LILLE,2025-01-08T10:00Z,{(i + number) % 11}" for i in range(first, first + ROWS)]
        path.write_text("external_id,unit,occurred_at,sat\n" + "\n".join(rows) + "\n")
        imports.append(
            subprocess.Popen(
                [
                    sys.executable,
                    "manage.py",
                    "import_data",
                    "feedback",
                    str(path),
                    "--source",
                    "survey",
                    "--format",
                    "json",
                ],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    said = [json.loads(process.communicate(timeout=120)[0]) for process in imports]
    assert sum(one["accepted"] for one in said) == Score.objects.count() == ROWS * 3 // 2
    assert sum(one["corrected"] for one in said) == ROWS // 2
    assert stored() == from_scratch()
