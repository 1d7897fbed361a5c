"""Pages and fragments: what they say, to whom, and with how many queries."""

import re
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Role
from apps.impact.models import Effect, RankedSolution, Run, SolutionClaim
from apps.impact.output import write_sheet
from apps.impact.portions import series_of
from apps.planning.models import Action
from tests.factories import (
    ActionFactory,
    ChallengeFactory,
    EventFactory,
    MembershipFactory,
    SolutionFactory,
    UserFactory,
)
from tests.impact.small_chain import measured_chain

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def chain():
    return measured_chain()


@pytest.fixture
def sign_in(client):
    def as_role(unit, role=Role.MANAGER, language="en"):
        user = UserFactory(language=language)
        MembershipFactory(user=user, unit=unit, role=role)
        client.force_login(user)
        return client

    return as_role


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_the_ranking_recommends_and_explains(chain, sign_in):
    client = sign_in(chain.units[-1])
    response = client.get(reverse("impact:challenge-ranking", args=["QUEUE"]), headers=HTMX)
    text = text_of(response)
    assert response.status_code == 200
    assert "<html" not in response.content.decode()
    assert f"Recommended for {chain.units[-1].name}" in text
    assert "Needs testing" in text
    assert "Not yet rankable" in text
    assert "Why this rating" in text
    assert "likely between" in text
    plan = reverse("planning:plan-new")
    assert f"{plan}?challenge=queue&amp;solution=s0&amp;unit={chain.units[-1].code}" in response.content.decode()


def test_the_ranking_is_a_page_too(chain, sign_in):
    response = sign_in(chain.units[0]).get(reverse("impact:challenge-ranking", args=["queue"]))
    assert "<html" in response.content.decode()


def test_what_the_unit_tried_already_is_said(chain, sign_in):
    action = chain.actions[0]
    response = sign_in(action.unit).get(reverse("impact:challenge-ranking", args=["queue"]), headers=HTMX)
    assert "Used here since" in text_of(response)
    assert reverse("planning:action", args=[action.external_id]) in response.content.decode()


def test_staff_see_the_ranking_without_planning(chain, sign_in):
    response = sign_in(chain.units[0], Role.STAFF).get(
        reverse("impact:challenge-ranking", args=["queue"]), headers=HTMX
    )
    assert reverse("planning:plan-new") not in response.content.decode()


def test_the_safe_order_puts_the_safe_pick_first(chain, sign_in):
    client = sign_in(chain.root, Role.LEAD)
    response = client.get(reverse("impact:challenge-ranking", args=["queue"]), {"order": "safe"}, headers=HTMX)
    ranked = response.context["ranking"].ranked
    assert [card.low_10 for card in ranked] == sorted((card.low_10 for card in ranked), reverse=True)
    assert ranked[0].is_safe_pick


def test_another_scope_cannot_be_asked_for(chain, sign_in):
    client = sign_in(chain.units[0])
    address = reverse("impact:challenge-ranking", args=["queue"])
    assert client.get(address, {"unit": chain.units[0].code}).status_code == 200
    assert client.get(address, {"unit": chain.units[1].code}).status_code == 404


def test_an_unmeasured_challenge_lists_its_solutions(sign_in, chain):
    challenge = ChallengeFactory(code="new")
    response = sign_in(chain.root).get(reverse("impact:challenge-ranking", args=["new"]), headers=HTMX)
    assert "Not measured yet" in text_of(response)
    challenge.metric = None
    challenge.save()
    response = sign_in(chain.root).get(reverse("impact:challenge-ranking", args=["new"]), headers=HTMX)
    assert "No outcome to measure" in text_of(response)


def test_uses_of_other_scopes_have_no_name(chain, sign_in):
    own, other = chain.actions[0], chain.actions[4]
    response = sign_in(own.unit).get(reverse("impact:solution-evidence", args=["S0"]), headers=HTMX)
    page = response.content.decode()
    assert own.unit.name in page
    assert reverse("planning:action", args=[own.external_id]) in page
    assert not re.search(rf"{other.unit.name}\b", page)
    assert other.external_id not in page
    assert "Another unit (city, West)" in page
    assert "All uses together" in page


def test_a_lead_sees_every_name(chain, sign_in):
    page = sign_in(chain.root, Role.LEAD).get(reverse("impact:solution-evidence", args=["s0"])).content.decode()
    assert all(action.unit.name in page for action in chain.actions[::4])
    assert "Another unit" not in page


def test_a_solution_nobody_used_invites_to_measure_it(sign_in, chain):
    SolutionFactory(code="fresh")
    text = text_of(sign_in(chain.root).get(reverse("impact:solution-evidence", args=["fresh"]), headers=HTMX))
    assert "Be the first" in text


def test_the_effect_shows_its_story(chain, sign_in):
    effect = Effect.objects.on_target().filter(status=Effect.Status.ESTIMATED).order_by("-effect").first()
    client = sign_in(effect.action.unit)
    response = client.get(reverse("impact:action-effect", args=[effect.action.external_id]), headers=HTMX)
    text, page = text_of(response), response.content.decode()
    assert "Improved" in text
    assert "Plain before and after would have said" in text
    assert "How well it could be measured" in text
    assert 'id="effect-weeks"' in page
    assert 'id="effect-difference"' in page
    assert 'id="effect-total"' in page
    assert page.count("Show as a table") == 3
    assert "Next: Keep it as your standard" in text
    assert "The weeks that count are compared with how the same weeks would likely have gone" in text
    assert "Without the action it would have moved by" in text
    assert "Can the comparison be trusted?" in text


def estimated(chain):
    return Effect.objects.on_target().filter(status=Effect.Status.ESTIMATED).order_by("-effect").first()


def test_what_else_went_on_is_marked_and_named(chain, sign_in):
    effect = estimated(chain)
    action = effect.action
    EventFactory(unit=None, name="Summer offer", starts_on=action.effective_on, ends_on=action.effective_on)
    EventFactory(unit=chain.units[-1], name="Works elsewhere", starts_on=action.effective_on)
    other = ActionFactory(unit=action.unit, effective_on=action.effective_on + timedelta(days=30))
    page = sign_in(action.unit).get(reverse("impact:action-effect", args=[action.external_id])).content.decode()
    assert "Summer offer" in page
    assert "Works elsewhere" not in page
    assert reverse("planning:action", args=[other.external_id]) in page


def test_a_drawn_roll_out_is_said_to_be_one(chain, sign_in):
    action = estimated(chain).action
    Action.objects.filter(pk=action.pk).update(is_randomised=True)
    text = text_of(sign_in(action.unit).get(reverse("impact:action-effect", args=[action.external_id])))
    assert "Drawn by lot" in text
    assert "nobody chose to begin here after a bad spell" in text


def test_the_weeks_leave_as_a_file_that_runs_nothing(chain, sign_in):
    effect = estimated(chain)
    response = sign_in(effect.action.unit).get(reverse("impact:action-weeks", args=[effect.action.external_id]))
    lines = response.content.decode("utf-8-sig").splitlines()
    assert response["Content-Type"].startswith("text/csv")
    assert lines[0].split(",")[:4] == ["week", "observed", "without", "without_low"]
    assert len(lines) == 1 + len(series_of(effect)["week"])
    assert not re.search(r"(^|,)[=+@]", "\n".join(lines))


def test_text_that_a_spreadsheet_would_run_is_made_harmless():
    @dataclass
    class Row:
        name: str
        value: float | None

    out = StringIO()
    write_sheet([Row("=1+1", -2.0), Row("plain", None)], Row, out)
    assert out.getvalue().splitlines() == ["name,value", "'=1+1,-2.0", "plain,"]


def test_how_it_is_measured_is_told(chain, sign_in):
    assert "Why not simply before and after?" in text_of(sign_in(chain.root).get(reverse("impact:methods")))


def test_a_refusal_says_why_and_what_would_change_it(chain, sign_in):
    action = chain.actions[0]
    Effect.objects.filter(action=action).on_target().update(
        status="not_estimable", reason="no_comparison", effect=None, se=None, low=None, high=None, series=None
    )
    text = text_of(
        sign_in(action.unit).get(reverse("impact:action-effect", args=[action.external_id]), headers=HTMX)
    )
    assert "Too few others to compare with" in text
    assert "let the others follow eight weeks later" in text


def test_another_scopes_effect_does_not_exist(chain, sign_in):
    client = sign_in(chain.units[0])
    assert client.get(reverse("impact:action-effect", args=[chain.actions[0].external_id])).status_code == 200
    assert client.get(reverse("impact:action-effect", args=[chain.actions[1].external_id])).status_code == 404


def test_a_planned_action_has_no_result_yet(chain, sign_in):
    day = timezone.localdate() + timedelta(days=7)
    action = ActionFactory(unit=chain.units[0], state="planned", effective_on=None, planned_on=day)
    text = text_of(sign_in(chain.units[0]).get(reverse("impact:action-effect", args=[action.external_id])))
    assert "If it starts then, a first answer comes around" in text


def test_focus_lists_what_costs_most_first(chain, sign_in):
    never_acted = chain.units[-1]
    response = sign_in(never_acted).get(reverse("impact:focus"))
    rows = [*response.context["costly"], *response.context["others"]]
    assert [row.code for row in rows] == ["queue"]
    assert "the better half of the chain has" in text_of(response)


def test_learn_is_for_leads(chain, sign_in):
    assert sign_in(chain.units[0]).get(reverse("impact:learn")).status_code == 404
    response = sign_in(chain.root, Role.LEAD).get(reverse("impact:learn"))
    text = text_of(response)
    assert "Counter" in text
    assert "Solution 0" in text


def test_progress_is_polled_until_all_is_measured(chain, sign_in):
    client = sign_in(chain.root, Role.LEAD)
    response = client.get(reverse("impact:learn"), headers=HTMX)
    # Measured as of a day in 2023, so that today all of it is stale.
    assert "every 3s" in response.content.decode()
    assert "0 of 2 outcomes are up to date" in text_of(response)


def test_a_failed_measurement_shows(chain, sign_in):
    Run.objects.create(
        metric=chain.metric,
        state=Run.State.FAILED,
        error="ArithmeticError: singular",
        method="x",
        fingerprint="0" * 64,
        as_of="2023-01-01",
    )
    text = text_of(sign_in(chain.root, Role.LEAD).get(reverse("impact:learn")))
    assert "Failed, will be tried again" in text
    assert "singular" in text


def test_a_check_that_could_not_be_run_is_not_said_to_hold(chain, sign_in):
    held = {"code": "kurtosis", "passed": True, "value": 0.1, "limit": ""}
    unrun = {"code": "placebo_spread", "passed": False, "value": None, "limit": ""}
    stopped = {"code": "converged", "passed": False, "value": 0.0, "limit": ""}
    client = sign_in(chain.root, Role.LEAD)
    newest = Run.objects.filter(state=Run.State.FINISHED)
    for checks, said in (
        ([held], "all hold"),
        ([held, unrun], "those that could be run hold"),
        ([held, stopped], "The computation stopped before it was exact"),
    ):
        newest.update(checks=checks)
        assert said in text_of(client.get(reverse("impact:learn")))


PAGES = [
    "impact:challenge-ranking",
    "impact:solution-evidence",
    "impact:action-effect",
    "impact:focus",
    "impact:learn",
    "impact:checks",
    "impact:calibration",
    "impact:methods",
]


@pytest.mark.parametrize("name", PAGES)
def test_pages_speak_french_and_need_few_queries(chain, sign_in, name, django_assert_max_num_queries):
    codes = {PAGES[0]: ["queue"], PAGES[1]: ["s0"], PAGES[2]: [chain.actions[0].external_id]}
    client = sign_in(chain.root, Role.LEAD, language="fr")
    with django_assert_max_num_queries(20):
        response = client.get(reverse(name, args=codes.get(name, [])))
    assert response.status_code == 200
    assert 'lang="fr"' in response.content.decode()


def test_a_longer_ranking_needs_no_more_queries(chain, sign_in, django_assert_num_queries):
    client = sign_in(chain.root, Role.LEAD)
    address = reverse("impact:challenge-ranking", args=["queue"])
    client.get(address, headers=HTMX)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        client.get(address, headers=HTMX)
    run = Run.objects.filter(metric=chain.metric).first()
    for _ in range(10):
        RankedSolution.objects.create(
            run=run,
            metric=chain.metric,
            challenge=chain.challenge,
            solution=SolutionFactory(),
            method="x",
            fingerprint="0" * 64,
            as_of=run.as_of,
        )
    with django_assert_num_queries(len(few)):
        client.get(address, headers=HTMX)


def test_the_ranking_compares_two_by_two(chain, sign_in):
    response = sign_in(chain.root, Role.LEAD).get(
        reverse("impact:challenge-ranking", args=["queue"]), headers=HTMX
    )
    pairs = response.context["ranking"].pairs
    assert len(pairs) == len(response.context["ranking"].ranked) > 1
    assert [row.pairs[index].text for index, row in enumerate(pairs)] == [""] * len(pairs)
    assert pairs[0].pairs[-1].tone == "better"
    assert "Compare two by two" in text_of(response)
    assert f"{pairs[0].title} is better than {pairs[-1].title} with a chance of" in response.content.decode()


def test_the_ranking_switches_to_all_kinds_of_unit(chain, sign_in):
    client = sign_in(chain.units[-1])
    address = reverse("impact:challenge-ranking", args=["queue"])
    own = client.get(address, headers=HTMX).context["ranking"]
    everywhere = client.get(address, {"kind": "all"}, headers=HTMX).context["ranking"]
    assert (own.context, everywhere.context) == ("airport", "")
    assert [choice.label for choice in own.kinds] == ["In units like yours (airport)", "In all units"]
    assert [choice.is_current for choice in everywhere.kinds] == [False, True]
    assert [card.effect for card in own.ranked] != [card.effect for card in everywhere.ranked]


def test_a_place_is_told_with_its_range(chain, sign_in):
    text = text_of(
        sign_in(chain.root, Role.LEAD).get(reverse("impact:challenge-ranking", args=["queue"]), headers=HTMX)
    )
    assert re.search(r"(likely place \d to \d|place \d for sure)", text)
    assert "Expected place" in text
    safe = sign_in(chain.root, Role.LEAD).get(
        reverse("impact:challenge-ranking", args=["queue"]), {"order": "safe"}
    )
    assert "in 9 of 10 cases" in text_of(safe)


def test_what_is_worth_trying_is_told_with_its_gain(chain, sign_in):
    RankedSolution.objects.filter(rank__isnull=False, solution__code="s2").update(
        is_worth_trying=True, try_next=0.12, p_best=0.3
    )
    text = text_of(sign_in(chain.root, Role.LEAD).get(reverse("impact:challenge-ranking", args=["queue"])))
    assert "Worth trying next" in text
    assert "+0.12 points" in text


def test_the_evidence_says_where_whether_it_lasts_and_how_uses_differ(chain, sign_in):
    row = RankedSolution.objects.get(solution__code="s0", context="")
    late = {"effect": 0.2, "se": 0.1, "low": 0.0, "high": 0.4, "p_positive": 0.9}
    row.persistence = {"late1": late, "late2": late, "p_fades": 0.95, "fades": True}
    row.heterogeneity = 2.0
    row.save()
    text = text_of(sign_in(chain.root, Role.LEAD).get(reverse("impact:solution-evidence", args=["s0"])))
    assert "It fades" in text
    assert "After half a year" in text
    assert "It may not help everywhere" in text
    assert "By kind of unit" in text
    assert "90%" in text  # the fidelity that the uses recorded
    assert "What would raise it" in text


def test_the_checks_say_what_holds_and_what_could_not_be_run(chain, sign_in):
    run = Run.objects.get(metric=chain.metric, state=Run.State.FINISHED)
    run.checks = [
        {"code": "placebo_mean", "passed": True, "value": 0.02, "limit": "within 2 standard errors of 0"},
        {"code": "placebo_spread", "passed": False, "value": 1.31, "limit": "0.85–1.15"},
        {"code": "converged", "passed": True, "value": 1.0, "limit": ""},
        {"code": "reactive_uptake", "passed": True, "value": 0.7, "limit": "for information"},
        {"code": "naive_bias", "passed": True, "value": 0.25, "limit": "for information"},
    ]
    run.noise = {**run.noise, "inflation": 1.31}
    run.save()
    text = text_of(sign_in(chain.root, Role.LEAD).get(reverse("impact:checks")))
    assert "Ranges were widened" in text
    assert "31% wider" in text
    assert "1 of 10 needs attention" in text
    assert "2.01 times as likely after a clear dip" in text
    assert "+0.25 points" in text
    assert "It takes about a hundred weeks with answers" in text


def test_what_fails_comes_first_and_is_unfolded(chain, sign_in):
    failing = {"code": "kurtosis", "passed": False, "value": 4.0, "limit": "at most 1"}
    run = Run.objects.get(metric=chain.later, state=Run.State.FINISHED)
    run.checks = [{"code": "placebo_mean", "passed": True, "value": 0.0, "limit": ""}, failing]
    run.save()
    response = sign_in(chain.root, Role.LEAD).get(reverse("impact:checks"))
    first, *others = response.context["metrics"]
    assert first.code == chain.later.code
    assert [check.code for check in first.checks][:1] == ["kurtosis"]
    folds = re.findall(r'<details class="cx-fold" id="checks-(\w+)"( open)?>', response.content.decode())
    assert folds == [(first.code, " open"), *((metric.code, "") for metric in others)]


def test_the_checks_of_an_outcome_that_can_not_be_measured_say_why(chain, sign_in):
    Run.objects.filter(metric=chain.metric).update(reason="network_too_small", unit_count=4, week_count=9)
    text = text_of(sign_in(chain.root, Role.LEAD).get(reverse("impact:checks")))
    assert "Still needed: 11 units and 11 weeks more" in text


def test_claims_are_judged_by_what_came_later(chain, sign_in):
    SolutionClaim.objects.update(as_of=chain.actions[0].effective_on - timedelta(weeks=40))
    response = sign_in(chain.root, Role.LEAD).get(reverse("impact:calibration"))
    groups = response.context["calibration"].groups
    assert sum(group.claims for group in groups) > 0
    assert all(group.low <= group.kept / group.claims <= group.high for group in groups)
    text = text_of(response)
    assert "Too few to say" in text
    assert "No verdict has changed so far" in text


def test_a_changed_verdict_is_written_down(chain, sign_in):
    claim = SolutionClaim.objects.filter(solution__code="s0", metric=chain.metric).first()
    claim.pk, claim.verdict, claim.as_of = None, "unknown", claim.as_of - timedelta(days=300)
    claim.save()
    response = sign_in(chain.root, Role.LEAD).get(reverse("impact:calibration"))
    change = response.context["calibration"].changes[0]
    assert (change.before, change.code) == ("unknown", "s0")
    assert change.after != "unknown"


def test_many_changes_unfold(chain, sign_in):
    claim = SolutionClaim.objects.filter(solution__code="s0", metric=chain.metric).first()
    for days in range(1, 14):
        claim.pk, claim.as_of = None, claim.as_of - timedelta(days=days)
        claim.verdict = "unknown" if days % 2 else "works"
        claim.save()
    response = sign_in(chain.root, Role.LEAD).get(reverse("impact:calibration"))
    found = response.context["calibration"]
    assert (len(found.changes), len(found.older_changes)) == (8, 5)
    assert "5 older changes" in text_of(response)


def test_too_little_history_is_said_so(chain, sign_in):
    SolutionClaim.objects.all().delete()
    text = text_of(sign_in(chain.root, Role.LEAD).get(reverse("impact:calibration")))
    assert "Too little history yet" in text


def test_plain_and_fair_stand_side_by_side(chain, sign_in):
    response = sign_in(chain.root, Role.LEAD).get(reverse("impact:calibration"), {"metric": "COUNTER"})
    naive = response.context["calibration"].naive
    assert len(naive.rows) == Effect.objects.on_target().filter(status="estimated").count()
    assert "plain before and after differs from the fair comparison by" in text_of(response)
    assert "Show as a table" in text_of(response)


def test_limits_of_checks_are_written_as_in_the_readers_language(chain, sign_in):
    run = Run.objects.get(metric=chain.metric, state=Run.State.FINISHED)
    run.checks = [{"code": "placebo_spread", "passed": True, "value": 1.02, "limit": "0.85–1.15"}]
    run.save()
    text = text_of(sign_in(chain.root, Role.LEAD, language="fr").get(reverse("impact:checks")))
    assert "0,85–1,15" in text
