"""Are the generated files such as any customer could import?"""

import csv
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import available_timezones

import pytest

from cxplan.demo import ChainTruth, generate_chain
from cxplan.demo.answers import HELPDESK
from cxplan.demo.content import PARTS, load_content
from tests.demo.conftest import END, Generated

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
REQUIRED = {
    "units": {"code", "name"},
    "touchpoints": {"code", "name", "journey", "position"},
    "metrics": {"code", "name", "kind", "better"},
    "challenges": {"code", "name"},
    "aliases": {"source", "label", "challenge"},
    "solutions": {"code", "title", "kind", "challenges"},
    "feedback-surveys": {"source", "external_id", "unit", "occurred_at"},
    "feedback-operations": {"source", "external_id", "unit", "occurred_at", "metric", "value"},
    "actions": {"external_id", "unit", "challenge", "solutions", "effective_on"},
    "people": {"email", "unit", "role"},
    "events": {"unit", "starts_on", "name"},
}
KNOWN = {
    "touchpoints": {"name_fr"},
    "metrics": {
        "name_fr",
        "touchpoint",
        "scoring",
        "scale_min",
        "scale_max",
        "threshold",
        "unit_label",
        "overall",
    },
    "challenges": {"name_fr", "parent", "touchpoint", "metric", "description", "description_fr", "severity"},
    "solutions": {
        "title_fr",
        *PARTS,
        *(f"{part}_fr" for part in PARTS),
        "cost",
        "effort_hours",
        "lag_days",
        "url",
        "external_ref",
        "status",
    },
    "actions": {"ended_on", "fidelity", "planned_on", "owner", "cost", "note", "randomised"},
    "people": {"name", "language"},
}
SOLUTION_KINDS = {"training", "sop", "asset", "policy", "system", "communication"}


def rows(chain: Generated, name: str) -> list[dict[str, str]]:
    with (chain.folder / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_seed_always_gives_the_same_bytes(small: Generated, tmp_path: Path) -> None:
    generate_chain(tmp_path, end=END, branches=12, weeks=40)
    assert contents(tmp_path) == contents(small.folder)


def test_another_seed_gives_another_chain(small: Generated, tmp_path: Path) -> None:
    generate_chain(tmp_path, end=END, branches=12, weeks=40, seed=1)
    assert contents(tmp_path)["feedback-surveys.csv"] != contents(small.folder)["feedback-surveys.csv"]


def test_a_week_later_the_story_is_the_same(small: Generated, tmp_path: Path) -> None:
    later = generate_chain(tmp_path, end=END + timedelta(days=7), branches=12, weeks=40)
    assert later.start == (date.fromisoformat(small.truth.start) + timedelta(days=7)).isoformat()
    assert later.solutions == small.truth.solutions
    assert later.actions == small.truth.actions


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    seen: list[float] = []
    generate_chain(tmp_path, end=END, branches=8, weeks=32, progress=lambda _, share: seen.append(share))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)


def test_a_chain_too_small_for_its_story_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least"):
        generate_chain(tmp_path, end=END, branches=3, weeks=104)


def test_truth_survives_its_file(small: Generated) -> None:
    assert ChainTruth.load(small.folder / "truth.json") == small.truth


@pytest.mark.parametrize("name", REQUIRED)
def test_columns_are_those_of_the_contract(small: Generated, name: str) -> None:
    found = rows(small, name)
    assert found
    assert set(found[0]) >= REQUIRED[name]
    if name in KNOWN:
        assert set(found[0]) <= REQUIRED[name] | KNOWN[name]
    for row in found:
        assert all(row[column] for column in REQUIRED[name])


def test_codes_follow_the_pattern_and_are_unique(full: Generated) -> None:
    for name in ("units", "touchpoints", "metrics", "challenges", "solutions"):
        codes = [row["code"] for row in rows(full, name)]
        assert all(CODE.fullmatch(code) for code in codes)
        assert len({code.lower() for code in codes}) == len(codes)


def test_external_ids_are_unique(full: Generated) -> None:
    actions = [row["external_id"] for row in rows(full, "actions")]
    assert len(set(actions)) == len(actions)
    surveys = [(row["source"], row["external_id"]) for row in rows(full, "feedback-surveys")]
    assert len(set(surveys)) == len(surveys)
    records = [(row["external_id"], row["metric"]) for row in rows(full, "feedback-operations")]
    assert len(set(records)) == len(records)


def test_references_resolve(full: Generated) -> None:
    units = {row["code"] for row in rows(full, "units")}
    metrics = {row["code"] for row in rows(full, "metrics")}
    touchpoints = {row["code"] for row in rows(full, "touchpoints")}
    challenges = {row["code"] for row in rows(full, "challenges")}
    solutions = {row["code"] for row in rows(full, "solutions")}
    people = {row["email"] for row in rows(full, "people")}
    labels = {(row["source"], row["label"]) for row in rows(full, "aliases")}
    labels |= {(HELPDESK, label) for label in load_content().labels.values()}
    assert {row["parent"] for row in rows(full, "units")} <= units | {""}
    assert {row["timezone"] for row in rows(full, "units")} <= available_timezones()
    assert {row["touchpoint"] for row in rows(full, "metrics")} <= touchpoints | {""}
    for row in rows(full, "challenges"):
        assert row["parent"] in challenges | {""}
        assert row["metric"] in metrics | {""}
        assert row["touchpoint"] in touchpoints | {""}
    assert {row["challenge"] for row in rows(full, "aliases")} <= challenges
    for row in rows(full, "solutions"):
        assert set(row["challenges"].split("|")) <= challenges
        assert row["kind"] in SOLUTION_KINDS
    for row in rows(full, "actions"):
        assert row["unit"] in units
        assert row["challenge"] in challenges
        assert set(row["solutions"].split("|")) <= solutions
        assert row["owner"] in people
    assert {row["unit"] for row in rows(full, "people")} <= units
    assert {row["unit"] for row in rows(full, "events")} <= units | {"*"}
    for row in rows(full, "feedback-surveys"):
        assert row["unit"] in units
        assert row["challenge"] in challenges | {""} or (row["source"], row["challenge"]) in labels
    assert {row["metric"] for row in rows(full, "feedback-operations")} <= metrics


def test_parents_come_before_their_children(full: Generated) -> None:
    for name in ("units", "challenges"):
        seen = {""}
        for row in rows(full, name):
            assert row["parent"] in seen
            seen.add(row["code"])


def test_answers_stay_on_their_scale(small: Generated) -> None:
    scale = {row["code"]: (float(row["scale_min"]), float(row["scale_max"])) for row in rows(small, "metrics")}
    for row in rows(small, "feedback-surveys"):
        given = {code: float(row[code]) for code in scale if row.get(code)}
        assert "overall" in given
        assert all(scale[code][0] <= value <= scale[code][1] for code, value in given.items())
    for row in rows(small, "feedback-operations"):
        low, high = scale[row["metric"]]
        assert low <= float(row["value"]) <= high


def test_dates_lie_in_the_period_and_in_order(full: Generated) -> None:
    start, end = date.fromisoformat(full.truth.start), date.fromisoformat(full.truth.end)
    assert end <= END < end + timedelta(days=7)
    assert start.isoweekday() == 1
    assert (end - start).days + 1 == 7 * full.truth.weeks
    answered = [row["occurred_at"][:10] for row in rows(full, "feedback-surveys")]
    assert min(answered) >= full.truth.start
    assert max(answered) <= full.truth.end
    for row in rows(full, "actions"):
        assert row["planned_on"] <= row["effective_on"] <= full.truth.end
        assert not row["ended_on"] or row["effective_on"] < row["ended_on"] <= full.truth.end
    for row in rows(full, "events"):
        assert row["starts_on"] <= row["ends_on"]


def test_nobody_answers_where_a_branch_is_closed(full: Generated) -> None:
    shut = [
        (row["unit"], row["starts_on"], row["ends_on"]) for row in rows(full, "events") if row["kind"] == "closure"
    ]
    shut += [
        (row["code"], "", row["opened_on"]) for row in rows(full, "units") if row["opened_on"] > full.truth.start
    ]
    shut += [(row["code"], row["closed_on"], "9999") for row in rows(full, "units") if row["closed_on"]]
    assert len(shut) >= 8
    for row in rows(full, "feedback-surveys"):
        day = row["occurred_at"][:10]
        assert not any(unit == row["unit"] and first <= day < last for unit, first, last in shut)


def test_the_chain_is_as_big_as_promised(full: Generated) -> None:
    units = Counter(row["kind"] for row in rows(full, "units"))
    assert units["region"] == 5
    assert units["airport"] + units["station"] + units["city"] == 120
    assert 250_000 <= full.truth.responses <= 320_000
    assert 900_000 <= full.truth.scores <= 1_150_000
    assert 900 <= len(rows(full, "actions")) <= 1_300
    kinds = Counter(row["kind"] for row in rows(full, "metrics"))
    assert kinds == {"perception": 10, "operational": 8}
    assert len(rows(full, "touchpoints")) == 8
    assert {row["kind"] for row in rows(full, "solutions")} == SOLUTION_KINDS


def test_the_taxonomy_has_three_levels(full: Generated) -> None:
    parent = {row["code"]: row["parent"] for row in rows(full, "challenges")}
    for row in rows(full, "challenges"):
        depth = 1
        above = row["parent"]
        while above:
            depth, above = depth + 1, parent[above]
        assert bool(row["metric"]) == (depth == 3)


def test_both_languages_are_there(full: Generated) -> None:
    for name, english, french in (
        ("touchpoints", "name", "name_fr"),
        ("metrics", "name", "name_fr"),
        ("challenges", "name", "name_fr"),
        ("challenges", "description", "description_fr"),
        ("solutions", "title", "title_fr"),
    ):
        assert all(row[english] and row[french] for row in rows(full, name))
    assert {row["language"] for row in rows(full, "people")} == {"en", "fr"}
    comments = Counter(row["language"] for row in rows(full, "feedback-surveys") if row["comment"])
    assert comments["fr"] > 10_000
    assert comments["en"] > 10_000


def test_the_three_sign_ins_have_their_roles(full: Generated) -> None:
    people = {row["email"]: row for row in rows(full, "people")}
    assert full.truth.sign_ins == {role: f"{role}@rivage.example" for role in ("lead", "manager", "staff")}
    for role, email in full.truth.sign_ins.items():
        assert people[email]["role"] == role
    assert people["lead@rivage.example"]["unit"] == "rivage"
    assert people["manager@rivage.example"]["unit"] == full.truth.story_branch
    assert people["staff@rivage.example"]["unit"] == full.truth.story_branch


@pytest.mark.parametrize(
    "holds",
    [
        pytest.param(lambda row: row["procedure"].startswith("1. "), id="steps"),
        pytest.param(lambda row: row["why"] and row["materials"], id="why"),
        pytest.param(lambda row: row["who"], id="who"),
        pytest.param(lambda row: row["fidelity"], id="check"),
    ],
)
def test_every_recipe_is_complete(small: Generated, holds: Callable[[dict[str, str]], object]) -> None:
    assert all(holds(row) for row in rows(small, "solutions"))


def test_the_recipes_used_most_are_told_in_french_too(small: Generated) -> None:
    told = [row for row in rows(small, "solutions") if row["procedure_fr"]]
    assert len(told) >= 8
    for row in told:
        assert row["summary_fr"]
        assert row["fidelity_fr"]
        assert len(row["procedure_fr"].splitlines()) == len(row["procedure"].splitlines())


def test_a_few_labels_wait_to_be_mapped(full: Generated) -> None:
    known = {row["label"] for row in rows(full, "aliases")} | {row["code"] for row in rows(full, "challenges")}
    unknown = Counter(row["challenge"] for row in rows(full, "feedback-surveys") if row["challenge"])
    waiting = {label: count for label, count in unknown.items() if label not in known}
    assert set(waiting) == set(load_content().labels.values())
    assert sum(waiting.values()) < 0.05 * sum(unknown.values())
