"""What is recommended to a unit, why, and what happens when it says no."""

import re

import pytest
from django.urls import reverse

from apps.accounts.models import AuditEvent, Role, Scope
from apps.impact.models import RankedSolution
from apps.impact.rankings import PROVEN
from apps.impact.recommend import recommend
from apps.planning.dismissal import Dismissal
from tests.factories import MembershipFactory, SolutionFactory, SolutionLinkFactory, UnitFactory, UserFactory
from tests.impact.small_chain import AS_OF, measured_chain

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
NOWHERE = Scope(paths=())
QUERIES = 26


@pytest.fixture
def small():
    return measured_chain()


@pytest.fixture
def sign_in(client):
    def as_role(unit, role=Role.MANAGER):
        user = UserFactory()
        MembershipFactory(user=user, unit=unit, role=role)
        client.force_login(user)
        return client

    return as_role


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def recommended_to(small, unit, leads=NOWHERE):
    return recommend(challenge=small.challenge, unit=unit, as_of=AS_OF, may_plan=True, leads=leads)


def dismiss(client, small, unit, **data):
    address = reverse("impact:dismiss", args=["queue"])
    return client.post(address, {"unit": unit.code, "solution": "s0", **data}, headers=HTMX)


def test_at_most_two_are_proven_and_one_needs_testing(small):
    offers = recommended_to(small, small.units[-1]).offers
    assert 1 <= len(offers) <= 3
    proven = [offer for offer in offers if not offer.card.needs_testing]
    assert len(proven) <= 2
    assert all(offer.card.verdict in PROVEN for offer in proven)
    assert sum(offer.card.needs_testing for offer in offers) == 1
    assert offers[-1].card.needs_testing


def test_each_card_says_why_it_is_shown_and_where_adding_it_leads(small):
    unit = small.units[-1]
    for offer in recommended_to(small, unit).offers:
        assert offer.reason
        assert f"solution={offer.card.code}&unit={unit.code}" in offer.add_url


def test_what_units_of_the_kind_saw_is_what_was_ranked_for_them(small):
    unit = small.units[-1]
    groups = [group for offer in recommended_to(small, unit).offers for group in offer.seen]
    rows = RankedSolution.objects.filter(challenge=small.challenge, context__in=["", unit.kind])
    assert {group.effect for group in groups} <= {row.effect for row in rows}


def test_the_fragment_shows_the_cards_the_reasons_and_all(small, sign_in):
    unit = small.units[-1]
    response = sign_in(unit).get(reverse("impact:recommended", args=["QUEUE"]), headers=HTMX)
    text = text_of(response)
    assert "<html" not in response.content.decode()
    assert f"Recommended for {unit.name}" in text
    assert "Needs testing" in text
    assert "Add to plan" in text
    assert "Not for us" in text
    assert "All 5 solutions" in text


def test_staff_may_read_but_neither_plan_nor_refuse(small, sign_in):
    client = sign_in(small.units[-1], Role.STAFF)
    text = text_of(client.get(reverse("impact:recommended", args=["queue"]), headers=HTMX))
    assert "Add to plan" not in text
    assert "Not for us" not in text
    assert dismiss(client, small, small.units[-1], reason="tried").status_code == 404


def test_a_no_is_remembered_for_this_unit_and_challenge_and_can_be_taken_back(small, sign_in):
    unit, other = small.units[-1], small.units[-3]
    client = sign_in(unit)
    assert "s1" in {offer.card.code for offer in recommended_to(small, unit).offers}
    text = text_of(dismiss(client, small, unit, solution="s1", reason="costly"))
    assert "Too costly" in text
    assert "s1" not in {offer.card.code for offer in recommended_to(small, unit).offers}
    assert "s1" in {offer.card.code for offer in recommended_to(small, other).offers}
    dismiss(client, small, unit, solution="s1", again="1")
    assert not Dismissal.objects.exists()
    assert "s1" in {offer.card.code for offer in recommended_to(small, unit).offers}
    events = AuditEvent.objects.filter(event__startswith="planning.solution.").order_by("pk")
    assert [event.event.rsplit(".", 1)[1] for event in events] == ["dismissed", "wanted_again"]


def test_an_unknown_reason_is_refused(small, sign_in):
    dismiss(sign_in(small.units[-1]), small, small.units[-1], reason="because")
    assert not Dismissal.objects.exists()


def test_a_lead_sees_how_many_units_refused_it_and_others_do_not(small, sign_in):
    for unit in small.units[-3:]:
        Dismissal.objects.create(
            unit=unit, challenge=small.challenge, solution=small.solutions[1], reason="not_allowed"
        )
    everywhere = Scope(paths=(small.root.path,))
    (row,) = recommended_to(small, small.units[0], leads=everywhere).refusals
    assert (row.code, row.units, row.reasons) == ("s1", 3, (("Not allowed", 3),))
    assert recommended_to(small, small.units[0]).refusals == ()


def test_what_runs_here_is_not_recommended_again(small):
    action = small.actions[0]
    codes = {offer.card.code for offer in recommended_to(small, action.unit).offers}
    assert "s0" not in codes


def test_a_unit_with_too_few_answers_sees_the_group_above_it(small):
    unit = UnitFactory(code="NEW", name="New branch", kind="city", parent=small.root)
    standing = recommended_to(small, unit).standing
    assert standing.is_of_group
    assert "Too few customers answered in New branch" in standing.text


def test_the_number_of_queries_does_not_grow_with_the_solutions(small, django_assert_num_queries):
    with django_assert_num_queries(QUERIES, exact=False):
        recommended_to(small, small.units[-1])
    for number in range(15):
        SolutionLinkFactory(challenge=small.challenge, solution=SolutionFactory(code=f"more{number}"))
        Dismissal.objects.create(
            unit=small.units[number], challenge=small.challenge, solution=small.solutions[1], reason="tried"
        )
    with django_assert_num_queries(QUERIES, exact=False):
        recommended_to(small, small.units[-1])
