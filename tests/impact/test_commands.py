"""What `measure`, `effects`, `ranking` and `explain_effect` print."""

import csv
import io
import json
from dataclasses import fields

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from apps.core.periods import week_of
from apps.impact.models import Effect, RankedSolution, Run
from apps.impact.selectors import EffectRow, RankingRow
from apps.impact.services import measure_stale
from tests.factories import ActionFactory, ChallengeFactory, EffectFactory, RunFactory
from tests.impact.small_chain import AS_OF, measured_chain

pytestmark = pytest.mark.django_db

EFFECTS = [
    "action",
    "unit",
    "challenge",
    "solutions",
    "metric",
    "role",
    "effective_on",
    "status",
    "reason",
    "effect",
    "se",
    "low",
    "high",
    "p_positive",
    "naive_change",
    "weeks_before",
    "weeks_after",
    "n_before",
    "n_after",
    "placebo_p",
    "quality",
    "method",
    "as_of",
]
RANKING = [
    "challenge",
    "solution",
    "kind",
    "rank",
    "tier",
    "effect",
    "se",
    "low",
    "high",
    "p_positive",
    "p_best",
    "expected_rank",
    "actions",
    "units",
    "heterogeneity",
    "evidence",
    "verdict",
    "cost",
    "naive_change",
    "method",
    "as_of",
]


@pytest.fixture
def chain():
    return measured_chain()


def run(name, *args):
    out = io.StringIO()
    call_command(name, *args, stdout=out)
    return out.getvalue()


def as_csv(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_field_names_stand_in_the_promised_order():
    assert [field.name for field in fields(EffectRow)] == EFFECTS
    assert [field.name for field in fields(RankingRow)] == RANKING


@pytest.mark.parametrize(("command", "names"), [("effects", EFFECTS), ("ranking", RANKING)])
def test_csv_and_json_carry_the_same_rows(chain, command, names):
    rows, document = as_csv(run(command, "--format", "csv")), json.loads(run(command, "--format", "json"))
    assert len(rows) == len(document) > 0
    for row, entry in zip(rows, document, strict=True):
        assert list(row) == list(entry) == names
        for name in names:
            value = entry[name]
            if value is None:
                assert row[name] == ""
            elif isinstance(value, float):
                assert float(row[name]) == value
            elif isinstance(value, list):
                assert row[name] == "|".join(value)
            else:
                assert row[name] == str(value)


def test_numbers_that_do_not_exist_are_empty(chain):
    text = run("ranking", "--format", "json")
    assert "NaN" not in text
    unused = next(row for row in json.loads(text) if row["solution"] == "s9")
    assert unused["rank"] is unused["effect"] is unused["se"] is unused["p_best"] is None
    assert (unused["actions"], unused["evidence"], unused["verdict"]) == (0, 0, "unknown")


def test_ranked_solutions_come_first_and_the_best_is_number_one(chain):
    rows = json.loads(run("ranking", "--challenge", "QUEUE", "--format", "json"))
    ranks = [row["rank"] for row in rows]
    ranked = [rank for rank in ranks if rank is not None]
    assert ranked == sorted(ranked)
    assert ranks[: len(ranked)] == ranked
    assert rows[0]["solution"] == "s0"


def test_a_unit_asks_for_its_kind(chain):
    city = RankedSolution.objects.get(context="city", solution=chain.solutions[0])
    row = next(r for r in json.loads(run("ranking", "--unit", "b00", "--format", "json")) if r["solution"] == "s0")
    assert row["effect"] == city.effect
    # A kind that was never measured falls back to all kinds.
    root = json.loads(run("ranking", "--unit", "CHAIN", "--format", "json"))
    assert root == json.loads(run("ranking", "--format", "json"))


def test_effects_of_one_challenge(chain):
    other = EffectFactory(action=ActionFactory(challenge=ChallengeFactory(code="other")))
    rows = json.loads(run("effects", "--challenge", "other", "--format", "json"))
    assert [row["action"] for row in rows] == [other.action.external_id]
    assert len(json.loads(run("effects", "--challenge", "queue", "--format", "json"))) == 2 * len(chain.actions)


@pytest.mark.parametrize("args", [("effects", "--challenge", "nope"), ("ranking", "--unit", "nope")])
def test_an_unknown_code_is_a_usage_error(args):
    with pytest.raises(CommandError) as error:
        run(*args)
    assert error.value.returncode == 2


def test_nothing_measured_gives_a_header_and_an_empty_list():
    assert run("effects", "--format", "csv").strip().split(",") == EFFECTS
    assert json.loads(run("ranking", "--format", "json")) == []
    assert run("ranking", "--format", "table").startswith("challenge")


def test_measure_tells_what_is_known(chain):
    document = json.loads(run("measure", "--as-of", AS_OF.isoformat(), "--format", "json"))
    assert list(document)[:6] == ["as_of", "actions", "estimated", "not_estimable", "rankings", "seconds"]
    assert document["as_of"] == AS_OF.isoformat()
    assert document["actions"] == len(chain.actions)
    assert document["estimated"] + sum(document["not_estimable"].values()) == document["actions"]
    assert document["rankings"] == 1
    assert document["measured"] == []


def test_an_action_without_an_outcome_is_counted_as_such():
    ActionFactory(challenge=ChallengeFactory(metric=None), target_metric=None)
    document = json.loads(run("measure", "--format", "json"))
    assert (document["actions"], document["not_estimable"]) == (1, {"no_metric": 1})


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_queries_do_not_grow_with_the_rows(django_assert_max_num_queries, form):
    for _ in range(3):
        action = ActionFactory()
        EffectFactory(action=action, run=RunFactory(metric=action.target_metric))
    with django_assert_max_num_queries(3):
        run("effects", "--format", form)


def test_an_effect_is_explained_and_found_again(chain):
    action = chain.actions[0]
    document = json.loads(run("explain_effect", action.external_id, "--format", "json"))
    assert document["agrees"] is True
    assert document["is_current"] is True
    assert document["differing"] == []
    assert [step["title"] for step in document["steps"]] == [
        "The measurement",
        "The weekly cells of the metric",
        "The action",
        "Whom it is compared with",
        "How scores move when nobody does anything (standard deviations)",
        "What is known of before and after",
        "What plain before and after claims",
        "The effect, positive is better",
        "Checks of the whole metric",
    ]
    text = run("explain_effect", action.external_id.lower())
    assert "The stored number is the same." in text
    assert "What plain before and after claims" in text


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_effect_that_comes_out_otherwise_fails(chain, form):
    action = chain.actions[0]
    Effect.objects.on_target().filter(action=action).update(raw_se=9.0)
    out = io.StringIO()
    with pytest.raises(CommandError, match="raw_se came out otherwise") as error:
        call_command("explain_effect", action.external_id, "--format", form, stdout=out)
    assert error.value.returncode == 1
    if form == "json":
        document = json.loads(out.getvalue())
        assert (document["agrees"], document["differing"], document["is_current"]) == (False, ["raw_se"], True)


def test_an_effect_whose_data_changed_says_so(chain):
    action = chain.actions[0]
    chain.actions[4].delete()
    out = io.StringIO()
    with pytest.raises(CommandError, match="came out otherwise"):
        call_command("explain_effect", action.external_id, "--format", "json", stdout=out)
    assert json.loads(out.getvalue())["is_current"] is False


def test_an_effect_of_a_refresh_is_found_again(chain):
    connection.cursor().execute("UPDATE feedback_series SET revision = revision + 1")
    connection.cursor().execute("UPDATE feedback_cell SET total = total * 1.01 WHERE week = %s", [week_of(AS_OF)])
    measure_stale(as_of=AS_OF)
    assert Run.objects.filter(start__spreads__isnull=False).exclude(start__spreads=None).exists()
    document = json.loads(run("explain_effect", chain.actions[0].external_id, "--format", "json"))
    assert document["agrees"] is True
    assert document["steps"][0]["figures"]["spreads of effects"] == "kept from the month's first fit"


def test_an_effect_of_an_earlier_version_cannot_be_explained(chain):
    action = chain.actions[0]
    Effect.objects.filter(action=action).update(method="joint-ar1-1")
    with pytest.raises(CommandError, match="was measured with joint-ar1-1"):
        run("explain_effect", action.external_id)


def test_an_action_that_was_never_measured_cannot_be_explained():
    with pytest.raises(CommandError, match="has not been measured"):
        run("explain_effect", ActionFactory().external_id)
