"""The example mappings bring in the published files they were written for."""

from pathlib import Path

import pytest

from apps.accounts.models import Unit
from apps.core.mapping import read_mapping
from apps.feedback.models import Cell
from apps.planning.models import Action
from tests.importing import Importer, counts

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT.parent / "shared" / "data" / "cx"
EXAMPLES = ROOT / "docs" / "examples"

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published data sets are not beside the clone"),
]


def bring_in_own(bring_in: Importer, folder: str, *kinds: str) -> None:
    for kind in kinds:
        name = "network" if kind == "units" else kind
        batch = bring_in(kind, (EXAMPLES / folder / f"{name}.csv").read_bytes())
        assert counts(batch)[1:] == (0, 0, 0), batch.reject_sample


def bring_in_published(bring_in: Importer, kind: str, mapping: str, file: str) -> tuple[int, int, int, int]:
    batch = bring_in(
        kind, (PUBLISHED / file).read_bytes(), mapping=read_mapping((EXAMPLES / mapping).read_text()), name=file
    )
    assert batch.reject_sample == []
    return counts(batch)


def test_answers_of_surgeries(bring_in: Importer) -> None:
    file = "gp_fft_responses.csv"
    bring_in_own(bring_in, "surgeries", "units", "touchpoints", "metrics", "challenges", "solutions")
    assert bring_in_published(bring_in, "units", "surgeries/units.toml", file) == (11, 0, 0, 0)
    assert bring_in_published(bring_in, "feedback", "surgeries/feedback.toml", file) == (3863, 0, 0, 0)
    assert bring_in_published(bring_in, "feedback", "surgeries/feedback.toml", file) == (0, 3863, 0, 0)
    bring_in_own(bring_in, "surgeries", "actions")
    answers = sum(cell.n for cell in Cell.objects.filter(unit__code="earls-court-surgery"))
    assert answers == 1270 - 12  # twelve patients there did not know
    action = Action.objects.get()
    assert action.target_metric is not None
    assert action.target_metric.code == "recommend-surgery"


def test_emergency_departments_month_by_month(bring_in: Importer) -> None:
    file = "nhs_ae_attendances_trust_month.csv"
    bring_in_own(bring_in, "emergency", "units", "touchpoints", "metrics", "challenges", "solutions")
    assert bring_in_published(bring_in, "units", "emergency/units.toml", file) == (140, 0, 0, 0)
    assert bring_in_published(bring_in, "feedback", "emergency/breaches.toml", file) == (4932, 0, 0, 0)
    assert bring_in_published(bring_in, "feedback", "emergency/volumes.toml", file) == (9864, 0, 0, 0)
    bring_in_own(bring_in, "emergency", "actions")
    cell = Cell.objects.get(unit__code="RF4", metric__code="four-hour-breaches", week="2017-02-27")
    assert cell.n == 1
    assert cell.weight == 21289
    assert cell.mean == pytest.approx(100 * 2879 / 21289, abs=1e-6)
    assert Unit.objects.get(code="RF4").ancestor_ids == [Unit.objects.get(code="trusts").pk]


def test_hospitals_by_state(bring_in: Importer) -> None:
    file = "hcahps_state_results.csv"
    bring_in_own(bring_in, "hospitals", "units", "touchpoints", "metrics", "challenges", "solutions")
    assert bring_in_published(bring_in, "units", "hospitals/units.toml", file) == (51, 0, 0, 0)
    assert bring_in_published(bring_in, "feedback", "hospitals/feedback.toml", file) == (3 * 4580, 0, 0, 0)
    bring_in_own(bring_in, "hospitals", "actions")
    cell = Cell.objects.get(unit__code="AK", metric__code="H_CLEAN_HSP-top", week="2015-06-29")
    assert (cell.n, cell.mean) == (1, 70)
