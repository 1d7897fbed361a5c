"""Every code of the engine has words that a manager understands."""

import re
from datetime import date
from pathlib import Path

import pytest
from django.utils import translation

from apps.impact import caveats, sheets, words
from apps.impact.stats import data, rules

# Drivers and plans have results of their own, which are not shown as effects.
OTHERS = {"drivers.py", "power.py"}
SOURCES = "\n".join(
    path.read_text() for path in Path(data.__file__).parent.glob("*.py") if path.name not in OTHERS
)
# Raised for arrays that do not fit together: a mistake in the program, never a result.
PROGRAM_ERRORS = {"bad_input", "bad_chunk"}


def found(pattern):
    codes = set(re.findall(pattern, SOURCES))
    assert codes
    return codes


def test_every_reason_has_words():
    raised = found(r'NotEstimable\(\s*"(\w+)"') | found(r'reason="(\w+)"') | set(rules.REFUSALS)
    assert raised - PROGRAM_ERRORS <= set(words.REASONS)


def test_every_check_has_words():
    assert found(r'Check\(\s*code="(\w+)"') <= set(caveats.CHECKS)


def test_every_part_of_quality_has_words():
    assert {code for code, _ in rules.QUALITY} == set(sheets.QUALITY)


def test_every_step_of_evidence_has_words():
    source = (Path(data.__file__).parent / "rules.py").read_text().split("def evidence(")[1]
    codes = set(re.findall(r'\(\s*"(\w+)",\s*(?:facts|info)', source))
    assert len(codes) >= 8
    assert codes <= set(sheets.EVIDENCE)
    assert codes <= set(sheets.RAISES)


def test_every_flag_has_words():
    documented = re.search(r"flags : tuple of str\n(.*?)\n    \"\"\"", SOURCES, flags=re.DOTALL)
    assert documented
    assert set(re.findall(r"``(\w+)``", documented[1])) <= set(caveats.FLAGS)


@pytest.mark.parametrize("code", [*words.REASONS, "something_new"])
def test_every_refusal_can_be_said(code):
    for language in ("en", "fr"):
        with translation.override(language):
            said = words.refusal(code, words.Figures(weeks_after=3, n_after=12, units=4, weeks=9))
            assert said.title
            assert said.text
            assert said.remedy
            assert "%(" not in said.text + said.remedy


def test_a_refusal_says_what_would_change_it_whatever_it_rests_on():
    for code in words.REASONS:
        for figures in (words.Figures(), words.Figures(units=400, weeks=104, n_after=900, free_units=40)):
            said = words.refusal(code, figures)
            assert said.title != said.remedy
            assert said.remedy


def test_every_refusal_of_a_plan_has_words():
    source = (Path(data.__file__).parent / "power.py").read_text()
    raised = set(re.findall(r'NotEstimable\(\s*"(\w+)"', source))
    assert raised
    assert raised <= set(words.POWER_REASONS)
    for code in words.POWER_REASONS:
        assert all(str(text) for text in (words.power_refusal(code).text, words.power_refusal(code).remedy))


@pytest.mark.parametrize(
    ("status", "probability", "verdict"),
    [
        ("estimated", 0.95, "improved"),
        ("estimated", 0.94, "probably_improved"),
        ("estimated", 0.8, "probably_improved"),
        ("estimated", 0.5, "no_clear_change"),
        ("estimated", 0.2, "probably_worse"),
        ("estimated", 0.05, "worse"),
        ("too_early", None, "too_early"),
        ("not_estimable", None, "not_estimable"),
    ],
)
def test_an_action_has_the_verdict_of_its_probability(status, probability, verdict):
    assert words.action_verdict(status, probability) == verdict


def test_what_would_change_it_is_counted():
    assert "18 more answers" in words.refusal("too_few_answers", words.Figures(n_after=12)).remedy
    assert "11 units and 11 weeks" in words.refusal("network_too_small", words.Figures(units=4, weeks=9)).remedy
    assert "28 December 2026" in words.refusal("too_early", words.Figures(known_on=date(2026, 12, 28))).remedy


def test_a_check_that_errs_on_the_careful_side_worries_nobody():
    careful = {"code": "placebo_spread", "passed": False, "value": 0.7}
    bold = {**careful, "value": 1.4}
    assert not caveats.worries(careful)
    assert caveats.worries(bold)
    assert "wider than they need be" in caveats.check("placebo_spread", 0.7).text
    assert "scatter more" in caveats.check("placebo_spread", 1.4).text


def test_what_is_for_information_is_said_as_it_is():
    assert "hardly wait" in caveats.check("reactive_uptake", 0.0).text
    assert "act after bad weeks" in caveats.check("reactive_uptake", 0.7).text
    assert "so much less" in caveats.check("naive_bias", -0.2).text
