"""Cells equal those computed from scratch, exactly, whatever came in before."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.feedback.models import Cell, Score, Series
from apps.feedback.services import rebuild_cells
from apps.taxonomy.models import Metric
from tests.factories import MetricFactory
from tests.importing import Importer, counts

HEAD = ["source", "external_id", "unit", "occurred_at", "weight", "sat", "nps", "top"]
Sums = dict[tuple[int, int, date], tuple[int, Decimal, Decimal, Decimal, Decimal]]


@pytest.fixture
def metrics(chain: Any) -> list[Metric]:
    return [
        MetricFactory(code="sat", scoring="value", scale_min=-1000, scale_max=1000),
        MetricFactory(code="nps", scoring="nps", scale_min=0, scale_max=10),
        MetricFactory(code="top", scoring="share", threshold=Decimal("3.5"), scale_min=0, scale_max=10),
    ]


def scored(metric: Metric, value: Decimal) -> Decimal:
    if metric.scoring == Metric.Scoring.SHARE:
        assert metric.threshold is not None
        is_good = value >= metric.threshold if metric.better == Metric.Better.HIGHER else value <= metric.threshold
        return Decimal(100 if is_good else 0)
    if metric.scoring == Metric.Scoring.NPS:
        return Decimal(100 if value >= 9 else 0 if value >= 7 else -100)
    return value


def from_scratch() -> Sums:
    cells: dict[tuple[int, int, date], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 5)
    for score in Score.objects.select_related("metric", "response"):
        response = score.response
        answer = scored(score.metric, score.value)
        weight = response.weight
        sums = cells[response.unit_id, score.metric_id, response.week]
        parts = [Decimal(1), weight, weight * weight, weight * answer, weight * answer * answer]
        cells[response.unit_id, score.metric_id, response.week] = [a + b for a, b in zip(sums, parts, strict=True)]
    return {key: (int(n), *rest) for key, (n, *rest) in cells.items()}  # type: ignore[misc]  # four sums


def stored() -> Sums:
    return {
        (one.unit_id, one.metric_id, one.week): (one.n, one.weight, one.weight_squares, one.total, one.squares)
        for one in Cell.objects.all()
    }


decimals = st.decimals(min_value=-1000, max_value=1000, places=6).map(lambda number: f"{number:f}")
ratings = st.decimals(min_value=0, max_value=10, places=1).map(lambda number: f"{number:f}")
maybe = st.sampled_from(["", r"\N"])
rows = st.tuples(
    st.sampled_from(["r1", "r2", "r3", "r4", "r5"]),
    st.sampled_from(["LILLE", "NICE"]),
    st.sampled_from(["2025-01-05", "2025-01-06T12:00", "2025-01-13T01:00:00Z", "bad"]),
    st.one_of(maybe, st.sampled_from(["1", "0.5", "3", "2.000001", "0"])),
    st.one_of(maybe, decimals),
    st.one_of(maybe, ratings, st.just("11")),
    st.one_of(maybe, ratings),
)
files = st.lists(rows, min_size=1, max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(files, min_size=1, max_size=4))
def test_after_any_imports_and_corrections(
    history: list[list[tuple[str, ...]]], bring_in: Importer, metrics: Any
) -> None:
    for file in history:
        batch = bring_in("feedback", [HEAD, *(["survey", *row] for row in file)])
        assert sum(counts(batch)) == batch.row_count
        assert stored() == from_scratch()
    for one in Cell.objects.all():
        assert one.n > 0
        assert one.mean == pytest.approx(float(one.total / one.weight))


def test_a_changed_definition_rebuilds_the_cells_of_its_metric_alone(bring_in: Importer, metrics: Any) -> None:
    bring_in("feedback", [HEAD, ["survey", "r1", "LILLE", "2025-01-08", "2", "5", "9", "3"]])
    revisions = dict(Series.objects.values_list("metric__code", "revision"))
    head = ["code", "name", "kind", "better", "scoring", "threshold"]
    batch = bring_in(
        "metrics",
        [
            head,
            ["top", "Top", "perception", "higher", "share", "2"],
            ["sat", "Sat", "perception", "higher", "", ""],
        ],
    )
    assert batch.error is None
    assert stored() == from_scratch()
    assert Cell.objects.get(metric__code="top").mean == 100
    after = dict(Series.objects.values_list("metric__code", "revision"))
    assert after == {**revisions, "top": revisions["top"] + 1}


def test_a_rebuild_mends_cells_that_went_wrong(bring_in: Importer, metrics: list[Metric]) -> None:
    rows = [["survey", f"r{i}", "LILLE", "2025-01-08", "", str(i), "", ""] for i in range(5)]
    bring_in("feedback", [HEAD, *rows])
    Cell.objects.update(n=3, total=1)
    Cell.objects.create(
        unit_id=Cell.objects.get().unit_id,
        metric=metrics[0],
        week=date(2020, 1, 6),
        n=1,
        weight=1,
        weight_squares=1,
        total=1,
        squares=1,
    )
    rebuild_cells(metric=metrics[0], actor=None)
    assert stored() == from_scratch()
