"""Files of everything but feedback: what is new, what changes, what is refused."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from apps.accounts.models import AuditEvent, Membership, Unit, UnitPlacement, User
from apps.core.blocks import FileRefused
from apps.imports.models import ImportBatch
from apps.library.models import Solution, SolutionLink
from apps.planning.models import Action, Event
from apps.taxonomy.models import Alias, Challenge, Journey, Metric, Touchpoint
from tests.factories import (
    ChallengeFactory,
    MetricFactory,
    SolutionFactory,
    SolutionVersionFactory,
    TouchpointFactory,
    UnitFactory,
    UserFactory,
)
from tests.importing import Importer, counts, told


def today() -> date:
    return ImportBatch.objects.latest("pk").created_at.date()


# --- Units


def test_units_may_name_parents_that_come_later(bring_in: Importer) -> None:
    batch = bring_in(
        "units",
        "code,name,kind,parent,timezone,opened_on,Floor area\n"
        "metz,Metz,branch,east,Europe/Paris,2020-05-01,120\neast,East,region,top,,,\ntop,Top,,,,,\n",
    )
    assert counts(batch) == (3, 0, 0, 0)
    metz, east, top = (Unit.objects.get(code=code) for code in ("metz", "east", "top"))
    assert metz.path == f"{top.pk}.{east.pk}.{metz.pk}."
    assert metz.attributes == {"Floor area": "120"}
    assert (metz.timezone, east.timezone) == ("Europe/Paris", "UTC")
    assert metz.placements.get().valid.lower == date(2020, 5, 1)
    assert east.placements.get().valid.lower == date(1900, 1, 1)


def test_a_code_again_updates_its_row_in_whatever_case(bring_in: Importer) -> None:
    bring_in("units", "code,name,region,size\nmetz,Metz,east,12\n")
    assert counts(bring_in("units", "code,name,region,size\nMETZ,Metz,,\n")) == (0, 1, 0, 0)
    assert counts(bring_in("units", "code,name,region,size\nMETZ,Metz,\\N,\\N\n")) == (0, 0, 1, 0)
    unit = Unit.objects.get()
    assert (unit.code, unit.region, unit.attributes) == ("metz", "", {})


def test_another_parent_is_a_move_from_the_day_of_the_import(bring_in: Importer) -> None:
    bring_in("units", "code,name,parent\na,A,\nb,B,\nx,X,a\ny,Y,x\n")
    UnitPlacement.objects.filter(unit__code="x").update(valid=("2020-01-01", None))
    assert counts(bring_in("units", "code,name,parent\nx,X,b\n")) == (0, 0, 1, 0)
    old, new = UnitPlacement.objects.filter(unit__code="x").order_by("valid")
    assert (old.valid.upper, new.valid.lower, new.parent.code) == (today(), today(), "b")  # type: ignore[union-attr]
    ids = dict(Unit.objects.values_list("code", "pk"))
    assert Unit.objects.get(code="y").path == f"{ids['b']}.{ids['x']}.{ids['y']}."
    assert counts(bring_in("units", "code,name,parent\nx,X,a\n")) == (0, 0, 1, 0)
    assert UnitPlacement.objects.filter(unit__code="x").count() == 2


def test_impossible_units_are_rejected_with_what_depends_on_them(bring_in: Importer) -> None:
    batch = bring_in(
        "units",
        "code,name,parent,timezone,opened_on,closed_on\n"
        "a,A,b,,,\nb,B,a,,,\nc,C,c,,,\nd,D,nowhere,,,\ne,E,d,,,\nf,F,,Mars/Base,,\ng,G,,,2025-01-02,2025-01-01\nh,H,,,,\n",
    )
    assert counts(batch) == (1, 0, 0, 7)
    assert told(batch) == [
        (2, "parent", "cycle"),
        (3, "parent", "cycle"),
        (4, "parent", "cycle"),
        (5, "parent", "unknown_parent"),
        (6, "parent", "unknown_parent"),
        (7, "timezone", "unknown_timezone"),
        (8, "closed_on", "closed_before_opened"),
    ]
    assert "a → b → a" in batch.reject_sample[0]["message"]


def test_a_move_may_not_close_a_circle_with_what_stands(bring_in: Importer) -> None:
    bring_in("units", "code,name,parent\na,A,\nb,B,a\nc,C,b\n")
    assert told(bring_in("units", "code,name,parent\na,A,c\n")) == [(2, "parent", "cycle")]
    # Turning the branch round in one file is no circle.
    assert counts(bring_in("units", "code,name,parent\na,A,c\nb,B,a\nc,C,\\N\n"))[3] == 0


def test_rows_of_one_code_count_once_or_contradict(bring_in: Importer) -> None:
    batch = bring_in("units", "code,name\na,A\nA,A\na,A\na,B\n")
    assert counts(batch) == (1, 2, 0, 1) or told(batch) == [
        (3, "code", "duplicate_key"),
        (5, "code", "duplicate_key"),
    ]
    assert "line 2" in batch.reject_sample[-1]["message"]


def test_unknown_columns_are_attributes_of_units_and_warned_of_elsewhere(bring_in: Importer) -> None:
    file = "code,name,journey,position,Colour\nx,X,trip,1,red\n"
    batch = bring_in("touchpoints", file)
    assert batch.warnings == ["The column “Colour” is not known and was left out."]
    strict = bring_in("touchpoints", file, is_strict=True)
    assert strict.error is not None
    assert (strict.error["code"], strict.error["field"]) == ("unknown_column", "Colour")
    assert bring_in("units", "code,name,Colour\nx,X,red\n", is_strict=True).error is None


# --- People


def test_people_get_their_roles(bring_in: Importer, chain: Any) -> None:
    file = "email,unit,role,name,language\nAnn@Example.org,LILLE,manager,Ann,fr\nann@example.org,NICE,staff,,\n"
    assert counts(bring_in("people", file)) == (2, 0, 0, 0)
    user = User.objects.get()
    assert (user.email, user.name, user.language, user.has_usable_password()) == (
        "ann@example.org",
        "Ann",
        "fr",
        False,
    )
    assert counts(bring_in("people", file)) == (0, 2, 0, 0)
    assert counts(bring_in("people", "email,unit,role\nann@example.org,NICE,lead\n")) == (0, 0, 1, 0)
    assert set(Membership.objects.values_list("unit__code", "role")) == {("LILLE", "manager"), ("NICE", "lead")}


def test_people_who_can_not_be_are_rejected(bring_in: Importer, chain: Any) -> None:
    batch = bring_in("people", "email,unit,role\nann,LILLE,staff\na@b.org,LILLE,boss\na@b.org,PARIS,staff\n")
    assert told(batch) == [(2, "email", "bad_email"), (3, "role", "not_choice"), (4, "unit", "unknown_unit")]
    assert "staff, manager, lead, admin" in batch.reject_sample[1]["message"]


# --- Taxonomy


def test_a_journey_is_made_by_its_touchpoints(bring_in: Importer) -> None:
    assert counts(bring_in("touchpoints", "code,name,journey,position\na,A,trip,1\nb,B,TRIP,2\n")) == (2, 0, 0, 0)
    assert Journey.objects.get().code == "trip"
    assert counts(bring_in("touchpoints", "code,name,journey,position\na,A,trip,3\nb,B,other,2\n")) == (0, 0, 2, 0)
    assert Touchpoint.objects.get(code="b").journey.code == "other"


def test_metrics_know_their_journey_and_scale(bring_in: Importer) -> None:
    TouchpointFactory(code="desk", journey__code="trip")
    head = "code,name,kind,touchpoint,better,scoring,scale_min,scale_max,threshold,unit_label,overall\n"
    batch = bring_in(
        "metrics",
        head + "sat,Sat,perception,desk,higher,,0,10,,,true\nnps,N,perception,,higher,nps,,,,,\n"
        "late,Late,operational,desk,lower,share,,,10,min,false\n",
    )
    assert counts(batch) == (3, 0, 0, 0)
    sat, nps, late = (Metric.objects.get(code=code) for code in ("sat", "nps", "late"))
    assert (sat.is_overall, sat.scoring, sat.journey.code) == (True, "value", "trip")  # type: ignore[union-attr]
    assert (nps.scale_min, nps.scale_max, nps.journey) == (0, 10, None)
    assert (late.threshold, late.better, late.is_overall) == (Decimal(10), "lower", False)


def test_metrics_that_make_no_sense_are_rejected(bring_in: Importer) -> None:
    TouchpointFactory(code="desk", journey__code="trip")
    TouchpointFactory(code="car", journey__code="hire")
    MetricFactory(code="old", journey=Journey.objects.get(code="trip"), is_overall=True)
    batch = bring_in(
        "metrics",
        "code,name,kind,touchpoint,better,scoring,scale_min,scale_max,overall,journey\n"
        "a,A,perception,,higher,share,,,,\nb,B,perception,,higher,,5,5,,\nc,C,perception,desk,higher,,,,true,\n"
        "d,D,perception,,higher,,,,true,\ne,E,perception,,up,,,,,\nf,F,perception,,higher,,,,,nowhere\n"
        "g,G,perception,car,higher,,,,true,\nh,H,perception,car,higher,,,,true,\n",
    )
    assert told(batch) == [
        (2, "threshold", "share_threshold"),
        (3, "scale_max", "empty_scale"),
        (4, "overall", "overall_taken"),
        (5, "overall", "overall_journey"),
        (6, "better", "not_choice"),
        (7, "journey", "unknown_journey"),
        (9, "overall", "overall_taken"),
    ]
    assert "already old" in batch.reject_sample[2]["message"]


def test_the_outcome_of_a_journey_passes_on_in_one_file(bring_in: Importer) -> None:
    TouchpointFactory(code="desk", journey__code="trip")
    head = "code,name,kind,touchpoint,better,overall\n"
    bring_in("metrics", head + "a,A,perception,desk,higher,true\nb,B,perception,desk,higher,\n")
    batch = bring_in("metrics", head + "a,A,perception,desk,higher,false\nb,B,perception,desk,higher,true\n")
    assert batch.rejected_count == 0
    assert Metric.objects.get(is_overall=True).code == "b"


def test_challenges_form_a_tree_and_bring_their_aliases(bring_in: Importer) -> None:
    MetricFactory(code="sat")
    head = "code,name,parent,metric,aliases,severity\n"
    assert counts(bring_in("challenges", head + "sub,Sub,top,sat,Queue|Slow desk,4\ntop,Top,,,,\n")) == (
        2,
        0,
        0,
        0,
    )
    sub, top = Challenge.objects.get(code="sub"), Challenge.objects.get(code="top")
    assert (sub.path, sub.severity, top.severity) == (f"{top.pk}.{sub.pk}.", 4, 3)
    assert set(Alias.objects.values_list("source", "label")) == {("", "Queue"), ("", "Slow desk")}
    assert counts(bring_in("challenges", head + "sub,Sub,,,queue|Late,\n")) == (0, 0, 1, 0)
    assert set(Alias.objects.values_list("label", flat=True)) == {"Queue", "Late"}
    taken = bring_in("challenges", head + "top,Top,,,LATE,\n")
    assert told(taken) == [(2, "aliases", "alias_taken")]


def test_aliases_take_the_source_named_beside_the_file(bring_in: Importer) -> None:
    ChallengeFactory(code="queue")
    other = ChallengeFactory(code="fees")
    assert counts(bring_in("aliases", "label,challenge\nWait,queue\nCost,nowhere\n", source="desk")) == (
        1,
        0,
        0,
        1,
    )
    assert counts(bring_in("aliases", "source,label,challenge\nDESK,wait,fees\n")) == (0, 0, 1, 0)
    assert Alias.objects.get().challenge == other


# --- Solutions and actions


def test_a_changed_text_makes_a_version_and_the_rest_does_not(bring_in: Importer) -> None:
    ChallengeFactory(code="queue")
    ChallengeFactory(code="fees")
    head = "code,title,kind,challenges,summary,body,cost,lag_days\n"
    assert counts(bring_in("solutions", head + "s,Sign,asset,queue|fees,Put it up,How,2,7\n")) == (1, 0, 0, 0)
    solution = Solution.objects.get()
    assert (solution.status, solution.lag_days, solution.links.count()) == ("published", 7, 2)
    assert counts(bring_in("solutions", head + "s,Sign,asset,queue|fees,,,3,\n")) == (0, 0, 1, 0)
    assert solution.versions.count() == 1
    assert counts(bring_in("solutions", head + "s,Sign,asset,queue,Put it higher,,,\n")) == (0, 0, 1, 0)
    newest = solution.versions.latest("number")
    assert (newest.number, newest.summary, newest.body, newest.lag_days) == (2, "Put it higher", "How", 7)
    assert [link.challenge.code for link in solution.links.all()] == ["queue"]


@pytest.fixture
def library(chain: Any) -> dict[str, Any]:
    metric = MetricFactory(code="sat")
    challenge = ChallengeFactory(code="queue", metric=metric)
    roster, sign = SolutionFactory(code="roster"), SolutionFactory(code="sign")
    for solution in (roster, sign):
        solution.versions.all().delete()
        SolutionVersionFactory(solution=solution, number=1)
    SolutionLink.objects.all().delete()
    SolutionLink.objects.create(challenge=challenge, solution=roster)
    return {"metric": metric, "challenge": challenge, "roster": roster, "sign": sign}


ACTIONS = "external_id,unit,challenge,solutions,effective_on,ended_on,fidelity,owner,cost,randomised\n"


def test_actions_freeze_metric_and_version_and_link_what_was_used(bring_in: Importer, library: Any) -> None:
    owner = UserFactory(email="ann@example.org")
    batch = bring_in(
        "actions",
        ACTIONS + "a1,LILLE,queue,roster|sign,2025-01-06,,80,Ann@example.org,12.5,true\n"
        "a2,NICE,QUEUE,Roster,2025-01-06,2025-03-01,,Somebody,,\na3,NICE,queue,roster,2999-01-01,,,,,\n",
    )
    assert counts(batch) == (3, 0, 0, 0)
    first, second, third = Action.objects.order_by("external_id")
    assert (first.state, first.target_metric, first.owner, first.cost) == (
        "applied",
        library["metric"],
        owner,
        Decimal("12.5"),
    )
    assert first.is_randomised
    assert {(one.version.solution.code, one.fidelity) for one in first.solutions.all()} == {
        ("roster", 80),
        ("sign", 80),
    }
    assert (second.state, second.owner_label) == ("stopped", "Somebody")
    # In force from a day to come: it counts from then on, and its measure is frozen already.
    assert (third.state, third.target_metric) == ("applied", library["metric"])
    assert set(SolutionLink.objects.values_list("solution__code", "is_seen_in_use")) == {
        ("roster", False),
        ("sign", True),
    }


def test_an_action_again_keeps_its_version_and_takes_its_changes(bring_in: Importer, library: Any) -> None:
    bring_in("actions", ACTIONS + "a1,LILLE,queue,roster,2025-01-06,,,,,\n")
    SolutionVersionFactory(solution=library["roster"], number=2)
    same = bring_in("actions", ACTIONS + "A1,lille,queue,roster,2025-01-06,,,,,\n")
    assert counts(same) == (0, 1, 0, 0)
    assert counts(bring_in("actions", ACTIONS + "a1,LILLE,queue,roster|sign,2025-01-06,,70,,,\n")) == (0, 0, 1, 0)
    action = Action.objects.get()
    assert {(one.version.solution.code, one.version.number, one.fidelity) for one in action.solutions.all()} == {
        ("roster", 1, 70),
        ("sign", 1, 70),
    }


def test_actions_that_can_not_be_are_rejected(bring_in: Importer, library: Any) -> None:
    batch = bring_in(
        "actions",
        ACTIONS + "a1,LILLE,queue,roster,2025-01-06,2025-01-06,,,,\na2,PARIS,queue,roster,2025-01-06,,,,,\n"
        "a3,LILLE,queue,roster|magic,2025-01-06,,,,,\na4,LILLE,queue,roster,soon,,,,,\n"
        "a5,LILLE,queue,roster,2025-01-06,,101,,,\na6,LILLE,queue,|,2025-01-06,,,,,\n",
    )
    assert told(batch) == [
        (2, "ended_on", "ends_before_start"),
        (3, "unit", "unknown_unit"),
        (4, "solutions", "unknown_solution"),
        (5, "effective_on", "not_date"),
        (6, "fidelity", "out_of_range"),
        (7, "solutions", "required"),
    ]
    assert "“magic”" in batch.reject_sample[2]["message"]


def test_events_belong_to_a_unit_or_to_all(bring_in: Importer) -> None:
    UnitFactory(code="LILLE")
    file = "unit,starts_on,name,ends_on,kind\n*,2025-01-01,Strike,2025-01-03,outage\nLILLE,2025-01-01,Works,,\n"
    assert counts(bring_in("events", file)) == (2, 0, 0, 0)
    assert counts(bring_in("events", file)) == (0, 2, 0, 0)
    assert counts(bring_in("events", "unit,starts_on,name,ends_on\n*,2025-01-01,Strike,2025-01-09\n")) == (
        0,
        0,
        1,
        0,
    )
    strike = Event.objects.get(unit=None)
    assert (strike.kind, strike.ends_on) == ("outage", date(2025, 1, 9))
    assert told(bring_in("events", "unit,starts_on,name,ends_on\n*,2025-01-05,X,2025-01-04\n")) == [
        (2, "ends_on", "ends_before_start")
    ]


# --- Every kind


def test_an_import_leaves_its_mark_in_the_audit_log(bring_in: Importer, lead: User) -> None:
    bring_in("units", "code,name\na,A\n", actor=lead)
    events = AuditEvent.objects.filter(event__startswith="imports.").order_by("pk")
    assert [event.event for event in events] == ["imports.batch.received", "imports.batch.finished"]
    assert events[1].data["accepted_count"] == 1
    assert events[1].actor == lead


def test_records_come_in_like_tables(bring_in: Importer) -> None:
    batch = bring_in("units", '{"code": "a", "name": "A", "size": 3}\nno\n', name="u.ndjson")
    assert counts(batch) == (1, 0, 0, 1)
    assert batch.rejects.read().decode().splitlines()[0] == "code,name,size,line,field,code,message"


def test_rejected_rows_of_a_workbook_come_back_as_a_workbook(bring_in: Importer) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate([["code", "name", "note"], ["a", "A", 1], ["=b", "B", -5]]):
            for j, cell in enumerate(row):
                sheet.write(i, j, cell) if isinstance(cell, int) else sheet.write_string(i, j, cell)
    batch = bring_in("units", file.getvalue(), name="units.xlsx")
    assert counts(batch) == (1, 0, 0, 1)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(batch.rejects.read())).get_sheet_by_index(0).to_python()
    assert rows[0] == ["code", "name", "note", "line", "field", "code", "message"]
    assert rows[1][:6] == ["'=b", "B", "-5", "3", "code", "bad_code"]


def test_a_file_over_the_limit_is_refused_on_arrival(bring_in: Importer, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 10
    with pytest.raises(FileRefused, match="larger"):
        bring_in("units", "code,name\na,A\n")
    assert not ImportBatch.objects.exists()
