"""What a plan could show is said in words, before anybody begins."""

import re

import pytest
from django.urls import reverse

from apps.accounts.models import Role
from apps.impact import power
from apps.impact.models import Run
from tests.factories import ActionFactory, MembershipFactory, MetricFactory, PlanFactory, UserFactory
from tests.impact.small_chain import AS_OF, measured_chain

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain():
    return measured_chain()


@pytest.fixture
def ask(chain, client):
    user = UserFactory()
    MembershipFactory(user=user, unit=chain.root, role=Role.LEAD)
    client.force_login(user)

    def get(name, args=(), **asked):
        response = client.get(reverse(name, args=args), asked)
        return response, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))

    return get


def test_the_chance_is_said_with_the_usual_number_of_answers(ask, chain):
    _, text = ask("impact:chance", unit="b20", challenge="queue", effect="2,5")
    assert "With the usual 20 answers a week" in text
    assert "Would probably be seen" in text


def test_a_small_effect_needs_more_units_or_weeks(chain):
    few = power.action_chance(metric=chain.metric, unit=chain.units[20], wanted=0.4, as_of=AS_OF)
    assert few.seen is not None
    assert not few.is_probable
    assert few.units_needed is not None
    assert few.units_needed > 1
    assert "For 0.40" in " ".join(few.sentences)


def test_what_is_out_of_reach_is_said_so(chain):
    tiny = power.action_chance(metric=chain.metric, unit=chain.units[20], wanted=0.001, as_of=AS_OF)
    assert (tiny.units_needed, tiny.weeks_needed) == (None, None)
    assert "Not even a roll-out" in " ".join(tiny.sentences)


def test_what_is_promised_is_never_less_than_what_was_computed(chain):
    told = power.action_chance(metric=chain.metric, unit=chain.units[20], wanted=None, as_of=AS_OF)
    promised = float(re.search(r"effect of ([\d.]+)", told.sentences[0])[1])
    assert promised >= told.detectable


def test_more_units_show_smaller_effects(chain):
    few, many = (
        power.rollout_chance(metric=chain.metric, units=chain.units[-count:], wanted=None, as_of=AS_OF)
        for count in (3, 12)
    )
    assert many.detectable < few.detectable
    assert many.units == 12


def test_the_roll_out_is_asked_for_by_its_units_steps_and_weeks(ask, chain):
    response, text = ask(
        "impact:rollout-chance", unit=["B18", "B19", "B20"], metric="counter", steps="3", weeks="4"
    )
    assert response.context["chance"].weeks == 8 + 15
    assert "With 3 units that begin in an order drawn by lot" in text


def test_a_plan_is_asked_for_by_its_number(ask, chain):
    plan = PlanFactory(challenge=chain.challenge, intended_effect="1.5")
    ActionFactory(plan=plan, unit=chain.units[-1], challenge=chain.challenge, state="draft", effective_on=None)
    _, text = ask("impact:chance", args=[plan.pk])
    assert "An effect of 1.5 points would be seen in about" in text


def test_nothing_is_promised_where_nothing_was_measured(ask, chain):
    MetricFactory(code="new")
    _, text = ask("impact:chance", unit="B20", metric="new")
    assert "Nothing was measured on this outcome yet" in text


def test_a_unit_without_answers_is_refused_in_words(ask, chain):
    _, text = ask("impact:chance", unit="R0", metric="counter")
    assert "Too few answers to see anything" in text


def test_too_small_a_chain_is_refused_in_words(ask, chain):
    Run.objects.update(noise=None, reason="network_too_small", unit_count=4, week_count=9)
    _, text = ask("impact:chance", unit="B20", metric="counter")
    assert "Too small a chain to compare fairly" in text


def test_nonsense_is_taken_as_nothing_asked(ask, chain):
    for effect in ("", "x", "0", "nan", "inf"):
        response, _ = ask("impact:chance", unit="B20", metric="counter", effect=effect)
        assert response.context["chance"].wanted is None


def test_the_answer_needs_the_same_few_queries_for_any_number_of_units(chain, django_assert_num_queries):
    for count in (1, 12):
        with django_assert_num_queries(4):
            power.rollout_chance(metric=chain.metric, units=chain.units[-count:], wanted=None, as_of=AS_OF)
