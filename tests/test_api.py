"""What every collection of the API does alike: lists, pages, filters, scope and problems."""

import json
from datetime import date

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Role, Unit
from apps.core.viewsets import Collection
from cxplan.api import router
from tests.curation_factories import SolutionAliasFactory
from tests.factories import (
    ActionFactory,
    ActionSolutionFactory,
    AliasFactory,
    ChallengeFactory,
    EffectFactory,
    EventFactory,
    ImportBatchFactory,
    JourneyFactory,
    MembershipFactory,
    MetricFactory,
    PlanFactory,
    RankedSolutionFactory,
    ResponseChallengeFactory,
    ResponseFactory,
    ScoreFactory,
    SolutionClaimFactory,
    SolutionFactory,
    SolutionLinkFactory,
    SolutionVersionFactory,
    TouchpointFactory,
)
from tests.ideas_factories import CallFactory, IdeaFactory
from tests.impact_factories import ReadingFactory
from tests.library_factories import ChangeRequestFactory, PlaybookSolutionFactory
from tests.notification_factories import NotificationFactory
from tests.planning_factories import CheckInFactory, ProofFactory, TaskFactory
from tests.taxonomy_factories import UnmappedLabelFactory

pytestmark = pytest.mark.django_db


def populate(chain, count, reader):
    """`count` rows of every collection, at or below LILLE where they have a place; news is for `reader`."""
    for _ in range(count):
        metric = MetricFactory(touchpoint=TouchpointFactory())
        challenge = ChallengeFactory(metric=metric, parent=ChallengeFactory(metric=metric))
        AliasFactory(challenge=challenge)
        version = SolutionVersionFactory()
        SolutionLinkFactory(challenge=challenge, solution=version.solution)
        plan = PlanFactory(challenge=challenge)
        plan.solutions.add(version.solution)
        action = ActionFactory(unit=chain.lille, challenge=challenge, plan=plan)
        ActionSolutionFactory(action=action, version=version)
        EventFactory(unit=chain.lille)
        response = ResponseFactory(unit=chain.lille)
        ScoreFactory(response=response, metric=metric)
        ScoreFactory(response=response, metric=MetricFactory())
        ResponseChallengeFactory(response=response, challenge=challenge)
        EffectFactory(action=action)
        RankedSolutionFactory(challenge=challenge, solution=version.solution)
        SolutionClaimFactory(solution=version.solution, metric=metric)
        ImportBatchFactory()
        IdeaFactory(unit=chain.lille, challenge=challenge)
        CallFactory(challenge=challenge)
        UnmappedLabelFactory()
        PlaybookSolutionFactory(solution=version.solution)
        ChangeRequestFactory(version=version)
        NotificationFactory(user=reader)
        TaskFactory(action=action)
        CheckInFactory(action=action)
        ProofFactory(action=action)
        SolutionAliasFactory(solution=version.solution)
        ReadingFactory(action=action)


COLLECTIONS = [prefix for prefix, viewset, _ in router.registry if issubclass(viewset, Collection)]


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_list_costs_the_same_queries_for_one_row_and_for_many(api, chain, lead, name):
    client = api(lead)
    populate(chain, 1, lead)
    client.get(f"/api/v1/{name}/")
    with CaptureQueriesContext(connection) as few:
        assert len(client.get(f"/api/v1/{name}/").json()["results"]) >= 1
    populate(chain, 4, lead)
    with CaptureQueriesContext(connection) as many:
        assert len(client.get(f"/api/v1/{name}/").json()["results"]) >= 5
    assert len(many) == len(few)
    assert len(many) <= 10


@pytest.mark.parametrize("name", COLLECTIONS)
def test_pages_hold_every_row_once_in_every_order_and_both_ways(api, chain, lead, name):
    populate(chain, 3, lead)
    client = api(lead)
    viewset = next(viewset for prefix, viewset, _ in router.registry if prefix == name)
    identity = viewset.lookup_field
    everything = {row[identity] for row in client.get(f"/api/v1/{name}/").json()["results"]}
    for field in viewset.ordering_fields:
        for sign in ("", "-"):
            seen, back = [], []
            address = f"/api/v1/{name}/?page_size=2&ordering={sign}{field}"
            while address:
                page = client.get(address).json()
                seen += [row[identity] for row in page["results"]]
                last, address = page, page["next"]
            assert len(seen) == len(everything)
            assert set(seen) == everything
            back = [row[identity] for row in last["results"]]
            while last["previous"]:
                last = client.get(last["previous"]).json()
                back = [row[identity] for row in last["results"]] + back
            assert back == seen


@pytest.mark.parametrize("name", COLLECTIONS)
def test_each_row_has_its_own_address(api, chain, lead, name):
    populate(chain, 1, lead)
    client = api(lead)
    viewset = next(viewset for prefix, viewset, _ in router.registry if prefix == name)
    row = client.get(f"/api/v1/{name}/").json()["results"][0]
    key = str(row[viewset.lookup_field])
    assert client.get(f"/api/v1/{name}/{key.swapcase()}/").json() == row


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_filter_and_the_search_can_be_used(api, chain, lead, name):
    populate(chain, 2, lead)
    client = api(lead)
    viewset = next(viewset for prefix, viewset, _ in router.registry if prefix == name)
    row = client.get(f"/api/v1/{name}/").json()["results"][0]
    for parameter in viewset.filterset_class.base_filters:
        value = row.get(parameter)
        if isinstance(value, list):
            value = value[0]["solution"] if isinstance(value[0], dict) else value[0]
        if value in (None, "", {}):
            assert client.get(f"/api/v1/{name}/?{parameter}=").status_code == 200
            continue
        found = client.get(f"/api/v1/{name}/", {parameter: value}).json()["results"]
        assert row in found, parameter
        assert client.get(f"/api/v1/{name}/", {parameter: "\0"}).status_code in (200, 400)
    if viewset.search_fields:
        assert client.get(f"/api/v1/{name}/?q=nothing+has+this+text").json()["results"] == []
        assert client.get(f"/api/v1/{name}/?q=%00").status_code in (200, 400)


def test_rows_without_a_value_come_last_in_both_directions(api, chain, lead):
    challenge = ChallengeFactory()
    for rank in (2, None, 1):
        RankedSolutionFactory(challenge=challenge, rank=rank)
    client = api(lead)
    ranks = [row["rank"] for row in client.get("/api/v1/rankings/?ordering=rank").json()["results"]]
    assert ranks == [1, 2, None]
    ranks = [row["rank"] for row in client.get("/api/v1/rankings/?ordering=-rank").json()["results"]]
    assert ranks == [2, 1, None]


def test_a_cursor_survives_rows_that_are_added_meanwhile(api, chain, lead):
    for number in (1, 3, 5):
        JourneyFactory(code=f"J{number}")
    client = api(lead)
    first = client.get("/api/v1/journeys/?page_size=2").json()
    JourneyFactory(code="J2")
    second = client.get(first["next"]).json()
    assert [row["code"] for row in second["results"]] == ["J5"]


def test_a_cursor_of_another_list_or_order_is_refused(api, chain, lead):
    populate(chain, 3, lead)
    client = api(lead)
    following = client.get("/api/v1/units/?page_size=1").json()["next"]
    cursor = following.split("cursor=")[1].split("&")[0]
    for address in (
        f"/api/v1/metrics/?cursor={cursor}",
        f"/api/v1/units/?ordering=name&cursor={cursor}",
        "/api/v1/units/?cursor=bm90IG91cnM",
    ):
        answer = client.get(address)
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid_cursor"


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("untit=LILLE", "#/untit", "unknown_parameter"),
        ("ordering=colour", "#/ordering", "unknown_field"),
        ("page_size=0", "#/page_size", "invalid"),
        ("page_size=501", "#/page_size", "invalid"),
        ("page_size=ten", "#/page_size", "invalid"),
        ("effective_on=yesterday", "#/effective_on", "invalid"),
        ("state=imaginary", "#/state", "invalid_choice"),
    ],
)
def test_a_parameter_that_means_nothing_is_an_error(api, lead, query, pointer, code):
    answer = api(lead).get(f"/api/v1/actions/?{query}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]


def test_several_codes_mean_any_of_them_whatever_their_case(api, lead):
    answer = api(lead).get("/api/v1/units/?code=lille,Nice").json()
    assert [row["code"] for row in answer["results"]] == ["LILLE", "NICE"]


def test_search_ignores_case_and_accents(api, chain, lead):
    SolutionFactory(code="queue", title="File d’attente réorganisée")
    answer = api(lead).get("/api/v1/solutions/?q=REORGANISEE").json()
    assert [row["code"] for row in answer["results"]] == ["queue"]


def test_a_unit_tells_its_parent(api, chain, lead):
    client = api(lead)
    assert client.get("/api/v1/units/lille/").json()["parent"] == "NORTH"
    assert client.get("/api/v1/units/ORG/").json()["parent"] is None
    below = client.get("/api/v1/units/?parent=north").json()["results"]
    assert [row["code"] for row in below] == ["LILLE", "REIMS"]


@pytest.mark.parametrize(
    ("name", "key", "make"),
    [
        ("actions", "external_id", lambda chain: ActionFactory(unit=chain.nice)),
        ("events", "pk", lambda chain: EventFactory(unit=chain.nice)),
        ("responses", "pk", lambda chain: ResponseFactory(unit=chain.nice)),
        ("effects", "pk", lambda chain: EffectFactory(action__unit=chain.nice)),
        ("plans", "pk", lambda chain: ActionFactory(unit=chain.nice, plan=PlanFactory()).plan),
    ],
)
def test_rows_of_another_scope_do_not_exist(api, chain, manager, outsider, name, key, make):
    row = make(chain)
    address = f"/api/v1/{name}/{getattr(row, key)}/"
    assert api(manager).get(address).status_code == 404
    assert api(manager).get(f"/api/v1/{name}/").json()["results"] == []
    assert api(outsider).get(address).status_code == 200
    assert len(api(outsider).get(f"/api/v1/{name}/").json()["results"]) == 1


def test_units_end_at_the_scope(api, chain, manager):
    codes = [row["code"] for row in api(manager).get("/api/v1/units/").json()["results"]]
    assert codes == ["LILLE"]
    assert api(manager).get("/api/v1/units/NORTH/").status_code == 404


def test_events_of_the_whole_organisation_are_everybodys(api, chain, staff):
    EventFactory(unit=None)
    assert api(staff).get("/api/v1/events/").json()["results"][0]["unit"] == "*"


def test_drafts_are_for_leads(api, chain, lead, manager):
    SolutionFactory(code="draft", status="draft")
    assert api(lead).get("/api/v1/solutions/draft/").status_code == 200
    assert api(manager).get("/api/v1/solutions/draft/").status_code == 404


def test_responses_do_not_tell_who_the_customer_is(api, chain, lead):
    ResponseFactory(unit=chain.lille, customer_digest="f" * 64)
    assert "f" * 64 not in api(lead).get("/api/v1/responses/").content.decode()


@pytest.mark.parametrize(("name", "command"), [("effects", "effects"), ("rankings", "ranking")])
def test_results_have_the_names_and_values_of_the_commands(api, chain, lead, capsys, name, command):
    populate(chain, 2, lead)
    EffectFactory(
        action=ActionFactory(unit=chain.nice),
        status="not_estimable",
        reason="no_comparison",
        **dict.fromkeys(("effect", "se", "low", "high", "p_positive", "naive_change", "placebo_p", "quality")),
    )
    call_command(command, "--format", "json")
    printed = json.loads(capsys.readouterr().out)
    rows = api(lead).get(f"/api/v1/{name}/").json()["results"]
    for row in rows:
        del row["id"]
    order = json.dumps
    assert sorted(rows, key=lambda r: order(r, sort_keys=True)) == sorted(
        printed, key=lambda r: order(r, sort_keys=True)
    )
    assert list(rows[0]) == list(printed[0])


def test_a_person_without_any_role_may_read_nothing(api, chain):
    nobody = MembershipFactory(unit=chain.lille).user
    nobody.memberships.all().delete()
    assert api(nobody).get("/api/v1/units/").status_code == 403


def test_a_role_given_at_noon_counts_at_noon(api, chain, staff):
    client = api(staff)
    assert client.get("/api/v1/units/NICE/").status_code == 404
    MembershipFactory(user=staff, unit=chain.nice, role=Role.STAFF)
    assert client.get("/api/v1/units/NICE/").status_code == 200


def test_a_closed_unit_keeps_its_history(api, chain, lead):
    Unit.objects.filter(pk=chain.nice.pk).update(closed_on=date(2024, 1, 1))
    assert api(lead).get("/api/v1/units/NICE/").json()["closed_on"] == "2024-01-01"


def test_a_ranking_for_a_unit_is_that_of_its_kind_where_there_is_one(api, chain, staff):
    challenge = ChallengeFactory()
    both = RankedSolutionFactory(challenge=challenge, rank=2, effect=3.0)
    RankedSolutionFactory(
        challenge=challenge, solution=both.solution, metric=both.metric, context="branch", rank=1, effect=5.0
    )
    other = RankedSolutionFactory(challenge=challenge, rank=1)
    client = api(staff)
    rows = client.get("/api/v1/rankings/").json()["results"]
    assert [(row["solution"], row["effect"]) for row in rows] == [
        (other.solution.code, 4.0),
        (both.solution.code, 3.0),
    ]
    rows = client.get("/api/v1/rankings/?unit=lille").json()["results"]
    assert {(row["solution"], row["effect"]) for row in rows} == {
        (both.solution.code, 5.0),
        (other.solution.code, 4.0),
    }
    for code in ("NOWHERE", "NICE"):
        assert client.get(f"/api/v1/rankings/?unit={code}").json()["errors"][0]["code"] == "unknown_code"
