"""Feedback files: the two forms, scoring, repeats, corrections, and everything that can be wrong with a row."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.models import Unit
from apps.core.rejection import MESSAGES
from apps.feedback.customers import customer_digest
from apps.feedback.models import Cell, Response, ResponseChallenge, Score, Series, Source
from apps.imports.models import ImportBatch
from apps.taxonomy.models import Metric, UnmappedLabel
from tests.factories import AliasFactory, ChallengeFactory, MetricFactory
from tests.importing import Importer, counts, told

HEAD = ["source", "external_id", "unit", "occurred_at", "metric", "value"]


@pytest.fixture
def metrics(chain: Any) -> dict[str, Metric]:
    Unit.objects.filter(code="LILLE").update(timezone="Europe/Paris")
    return {
        "sat": MetricFactory(code="sat", scoring="value", scale_min=0, scale_max=10),
        "nps": MetricFactory(code="nps", scoring="nps", scale_min=None, scale_max=None),
        "top": MetricFactory(code="top", scoring="share", threshold=4, scale_min=1, scale_max=5),
        "wait": MetricFactory(
            code="wait", scoring="share", better="lower", threshold=10, scale_min=0, scale_max=999
        ),
    }


def answer(external_id: str = "r1", value: object = 7, **other: object) -> list[object]:
    row = {
        "source": "survey",
        "external_id": external_id,
        "unit": "LILLE",
        "occurred_at": "2025-01-08T10:00",
        "metric": "sat",
        "value": value,
        **other,
    }
    return [row[name] for name in HEAD]


def cell(metric: str = "sat", unit: str = "LILLE") -> tuple[int, float, float]:
    one = Cell.objects.get(metric__code=metric, unit__code=unit)
    return one.n, one.mean, one.m2


def test_long_rows_become_answers_and_a_cell(bring_in: Importer, metrics: Any) -> None:
    batch = bring_in("feedback", [HEAD, answer("r1", 4), answer("r2", 8), answer("r1", 9, metric="nps")])
    assert counts(batch) == (3, 0, 0, 0)
    assert Response.objects.count() == 2
    assert cell() == (2, 6, 8)
    assert cell("nps") == (1, 100, 0)


def test_wide_rows_give_one_answer_for_each_filled_cell(bring_in: Importer, metrics: Any) -> None:
    head = ["external_id", "unit", "occurred_at", "SAT", "top"]
    rows = [
        ["r1", "lille", "2025-01-08", 5, 4],
        ["r2", "LILLE", "2025-01-08", "", 3],
        ["r3", "LILLE", "2025-01-08", "", ""],
    ]
    assert counts(bring_in("feedback", [head, *rows], source="panel")) == (3, 0, 0, 0)
    assert cell("sat") == (1, 5, 0)
    assert cell("top") == (2, 50, 5000)
    assert Source.objects.get().code == "panel"
    assert Response.objects.count() == 3


@pytest.mark.parametrize(
    ("metric", "value", "mean"),
    [
        ("nps", 10, 100),
        ("nps", 9, 100),
        ("nps", 8, 0),
        ("nps", 7, 0),
        ("nps", 6, -100),
        ("nps", 0, -100),
        ("top", 4, 100),
        ("top", 3.99, 0),
        ("wait", 10, 100),
        ("wait", 10.01, 0),
        ("sat", 2.5, 2.5),
    ],
)
def test_each_scoring_turns_the_value_into_its_number(
    bring_in: Importer, metrics: Any, metric: str, value: float, mean: float
) -> None:
    bring_in("feedback", [HEAD, answer(value=value, metric=metric)])
    assert cell(metric)[1] == mean


@pytest.mark.parametrize(
    ("instant", "utc", "week"),
    [
        ("2025-01-05T23:30:00Z", datetime(2025, 1, 5, 23, 30, tzinfo=UTC), date(2025, 1, 6)),
        ("2025-01-05T23:30", datetime(2025, 1, 5, 22, 30, tzinfo=UTC), date(2024, 12, 30)),
        ("2025-07-06 23:30:00+00:00", datetime(2025, 7, 6, 23, 30, tzinfo=UTC), date(2025, 7, 7)),
        ("2024-02-29", datetime(2024, 2, 28, 23, 0, tzinfo=UTC), date(2024, 2, 26)),
        ("2024-02-29T08:00:00.5+0100", datetime(2024, 2, 29, 7, 0, 0, 500_000, tzinfo=UTC), date(2024, 2, 26)),
        ("1969-12-31T12:00Z", datetime(1969, 12, 31, 12, 0, tzinfo=UTC), date(1969, 12, 29)),
    ],
)
def test_the_week_is_that_of_the_units_own_calendar(
    bring_in: Importer, metrics: Any, instant: str, utc: datetime, week: date
) -> None:
    batch = bring_in("feedback", [HEAD, answer(occurred_at=instant)])
    assert counts(batch) == (1, 0, 0, 0), batch.reject_sample
    response = Response.objects.get()
    assert (response.occurred_at, response.week) == (utc, week)


def test_the_same_file_again_changes_nothing(bring_in: Importer, metrics: Any) -> None:
    file = [HEAD, answer("r1", 4), answer("r2", 8)]
    bring_in("feedback", file)
    revision = Series.objects.get().revision
    assert counts(bring_in("feedback", file)) == (0, 2, 0, 0)
    assert Series.objects.get().revision == revision


def test_another_value_is_a_correction_and_moves_the_cell(bring_in: Importer, metrics: Any) -> None:
    bring_in("feedback", [HEAD, answer("r1", 4), answer("r2", 8)])
    revision = Series.objects.get().revision
    assert counts(bring_in("feedback", [HEAD, answer("r1", 6), answer("r2", 8)])) == (0, 1, 1, 0)
    assert cell() == (2, 7, 2)
    assert Series.objects.get().revision == revision + 1


def test_a_response_that_moves_takes_all_its_answers_along(bring_in: Importer, metrics: Any) -> None:
    bring_in("feedback", [HEAD, answer("r1", 4), answer("r1", 9, metric="nps")])
    assert counts(bring_in("feedback", [HEAD, answer("r1", 4, unit="NICE")])) == (0, 0, 1, 0)
    assert cell("nps", "NICE") == (1, 100, 0)
    assert not Cell.objects.filter(unit__code="LILLE").exists()


def test_a_new_metric_of_a_known_response_is_new(bring_in: Importer, metrics: Any) -> None:
    bring_in("feedback", [HEAD, answer("r1", 4)])
    assert counts(bring_in("feedback", [HEAD, answer("r1", 9, metric="nps"), answer("r1", 4)])) == (1, 1, 0, 0)
    assert Score.objects.count() == 2


def test_an_empty_cell_keeps_and_a_backslash_n_clears(bring_in: Importer, metrics: Any) -> None:
    head = ["source", "external_id", "unit", "occurred_at", "sat", "top", "segment", "comment", "weight"]
    row = ["survey", "r1", "LILLE", "2025-01-08"]
    bring_in("feedback", [head, [*row, 5, 4, "business", "Fine", 3]])
    bring_in("feedback", [head, [*row, "", "", "", "", ""]])
    response = Response.objects.get()
    assert (response.segment, response.comment, response.weight) == ("business", "Fine", 3)
    assert counts(bring_in("feedback", [head, [*row, "", r"\N", r"\N", r"\N", r"\N"]])) == (0, 0, 1, 0)
    response.refresh_from_db()
    assert (response.segment, response.comment, response.weight) == ("", "", 1)
    assert not Cell.objects.filter(metric__code="top").exists()
    assert Cell.objects.get().weight == 1


def test_weights_count_in_the_mean(bring_in: Importer, metrics: Any) -> None:
    head = [*HEAD, "weight"]
    bring_in("feedback", [head, [*answer("r1", 2), 3], [*answer("r2", 10), 1]])
    one = Cell.objects.get()
    assert (one.n, one.weight, one.weight_squares, one.mean) == (2, 4, 10, 4)


def test_rows_that_repeat_a_key_in_one_file(bring_in: Importer, metrics: Any) -> None:
    batch = bring_in(
        "feedback",
        [
            HEAD,
            answer("r1", 4),
            answer("r1", 4),
            answer("r1", 5),
            answer("r2", 1),
            answer("r2", 9, metric="nps", unit="NICE"),
        ],
    )
    assert counts(batch) == (2, 1, 0, 2)
    assert told(batch) == [(4, "external_id", "duplicate_key"), (6, "external_id", "duplicate_key")]
    assert "line 2" in batch.reject_sample[0]["message"]
    assert cell() == (2, 2.5, 4.5)


def test_customers_are_kept_as_keyed_digests_only(bring_in: Importer, metrics: Any, settings: Any) -> None:
    bring_in("feedback", [[*HEAD, "customer"], [*answer("r1"), "zoë@example.org"], [*answer("r2"), ""]])
    digest, none = Response.objects.order_by("external_id").values_list("customer_digest", flat=True)
    assert digest == customer_digest("zoë@example.org")
    assert none == ""
    settings.SECRET_KEY = "another" * 8
    assert customer_digest("zoë@example.org") != digest


def test_a_challenge_is_found_by_code_or_alias(bring_in: Importer, metrics: Any) -> None:
    queue, fees = ChallengeFactory(code="queue"), ChallengeFactory(code="fees")
    AliasFactory(source="survey", label="Trop d'attente", challenge=queue)
    AliasFactory(source="other", label="Costs", challenge=fees)
    AliasFactory(source="", label="Surprise!", challenge=fees)
    names = ["QUEUE", "trop d'attente", "surprise!", "Costs", ""]
    rows = [[*answer(f"r{i}"), name] for i, name in enumerate(names)]
    batch = bring_in("feedback", [[*HEAD, "challenge"], *rows])
    assert told(batch) == []
    assert UnmappedLabel.objects.get().label == "Costs"
    codings = ResponseChallenge.objects.order_by("response__external_id")
    assert [(one.response.external_id, one.challenge.code, one.origin) for one in codings] == [
        ("r0", "queue", "given"),
        ("r1", "queue", "alias"),
        ("r2", "fees", "alias"),
    ]
    again = bring_in(
        "feedback", [[*HEAD, "challenge"], [*answer("r0"), "fees"], [*answer("r1"), r"\N"], [*answer("r2"), ""]]
    )
    assert counts(again) == (0, 1, 2, 0)
    assert [one.challenge.code for one in codings.all()] == ["fees", "fees"]


BAD = [
    ("source", "", "source", "required"),
    ("source", "a b", "source", "bad_code"),
    ("external_id", "", "external_id", "required"),
    ("external_id", "x" * 201, "external_id", "too_long"),
    ("unit", "nowhere", "unit", "unknown_unit"),
    ("unit", r"\N", "unit", "required"),
    ("occurred_at", "2025-02-30", "occurred_at", "impossible_date"),
    ("occurred_at", "2025-01-08T25:00", "occurred_at", "impossible_date"),
    ("occurred_at", "08/01/2025", "occurred_at", "not_instant"),
    ("occurred_at", "yesterday", "occurred_at", "not_instant"),
    ("metric", "smell", "metric", "unknown_metric"),
    ("value", "", "value", "required"),
    ("value", "7,5", "value", "not_number"),
    ("value", "1e1", "value", "not_number"),
    ("value", "NaN", "value", "not_number"),
    ("value", "10.01", "value", "out_of_scale"),
    ("value", "-1", "value", "out_of_scale"),
]


@pytest.mark.parametrize(("column", "text", "field", "code"), BAD)
def test_a_bad_row_is_told_with_its_line_and_the_others_land(
    bring_in: Importer, metrics: Any, column: str, text: str, field: str, code: str
) -> None:
    batch = bring_in(
        "feedback", [HEAD, answer("r1", 4), answer(**{"external_id": "bad", column: text}), answer("r2", 8)]
    )
    assert counts(batch) == (2, 0, 0, 1)
    assert told(batch) == [(3, field, code)]
    message = batch.reject_sample[0]["message"]
    assert "%(" not in message
    assert message.endswith((".", "?")), message
    assert cell() == (2, 6, 8)


def test_all_kinds_of_bad_rows_in_one_file_are_told_in_order(bring_in: Importer, metrics: Any) -> None:
    rows = [
        answer(**{"external_id": f"bad{i}", column: text}) for i, (column, text, _field, _code) in enumerate(BAD)
    ]
    batch = bring_in("feedback", [HEAD, *rows, answer("r1")])
    assert counts(batch) == (1, 0, 0, len(BAD))
    assert told(batch) == [(i + 2, field, code) for i, (_c, _t, field, code) in enumerate(BAD)]


def test_a_wide_row_is_rejected_as_a_whole(bring_in: Importer, metrics: Any) -> None:
    head = ["source", "external_id", "unit", "occurred_at", "sat", "nps"]
    row = ["survey", "r1", "LILLE", "2025-01-08"]
    batch = bring_in("feedback", [head, [*row, 5, 11], ["survey", "r2", *row[2:], 5, 10]])
    assert told(batch) == [(2, "nps", "out_of_scale")]
    assert cell("sat") == (1, 5, 0)


def test_rejected_rows_come_back_as_they_were_and_can_be_sent_again(bring_in: Importer, metrics: Any) -> None:
    batch = bring_in(
        "feedback", "source;external_id;unit;occurred_at;metric;value\nsurvey;r1;LILLE;2025-01-08;sat;=7\n"
    )
    returned = batch.rejects.read().decode()
    assert returned.splitlines()[1].startswith("survey;r1;LILLE;2025-01-08;sat;=7;2;value;not_number;")
    assert counts(bring_in("feedback", returned.replace("=7", "7"))) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("content", "code", "field"),
    [
        ("source,external_id,unit,metric,value\na,b,c,d,1\n", "missing_column", "occurred_at"),
        ("source,external_id,unit,occurred_at,value\na,b,c,2025-01-01,1\n", "missing_column", "metric"),
        ("source,external_id,unit,occurred_at,colour\na,b,c,2025-01-01,1\n", "missing_column", "metric"),
        ("external_id,unit,occurred_at,metric,value\nb,c,2025-01-01,sat,1\n", "missing_column", "source"),
        ("source,external_id,unit,occurred_at,metric,value\n", "no_rows", None),
        ("", "empty_file", None),
    ],
)
def test_a_file_that_lacks_what_is_needed_is_refused(
    bring_in: Importer, metrics: Any, content: str, code: str, field: str | None
) -> None:
    batch = bring_in("feedback", content)
    assert batch.state == ImportBatch.State.FAILED
    assert batch.error is not None
    assert (batch.error["code"], batch.error["field"]) == (code, field)
    assert batch.error["remedy"]
    assert not Response.objects.exists()


def test_a_dry_run_counts_and_stores_nothing(bring_in: Importer, metrics: Any) -> None:
    batch = bring_in("feedback", [HEAD, answer("r1", 4), answer("r2", 11)], is_dry_run=True)
    assert counts(batch) == (1, 0, 0, 1)
    assert not Response.objects.exists()
    assert not Cell.objects.exists()
    assert not Source.objects.exists()


def test_the_file_is_forgotten_and_its_rejects_are_kept(bring_in: Importer, metrics: Any) -> None:
    batch = bring_in("feedback", [HEAD, answer("r1", 11)])
    assert not batch.file
    assert batch.rejects.read()


def test_values_keep_six_decimals_and_so_do_repeats(bring_in: Importer, metrics: Any) -> None:
    file = [HEAD, answer("r1", "7.1234567")]
    bring_in("feedback", file)
    assert Score.objects.get().value == Decimal("7.123457")
    assert counts(bring_in("feedback", file)) == (0, 1, 0, 0)


def test_every_common_message_can_be_written_out() -> None:
    for message in MESSAGES.values():
        assert "%(" not in str(message) % {"field": "f", "value": "v", "detail": "d"}
