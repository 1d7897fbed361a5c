"""A plain list to choose from is the one of Django, without what takes time."""

import pytest
from django import forms

from apps.core.widgets import PlainSelect, PlainSelectMultiple

CHOICES = [("", "None"), ("queue", "Long queue"), ('"><script>', "<b>fees</b>"), (3, "Three")]


def drawn(widget, value):
    form = type("Sheet", (forms.Form,), {"one": forms.Field(widget=widget(choices=CHOICES), required=False)})
    return str(form(initial={"one": value})["one"])


@pytest.mark.parametrize("value", ["", None, "queue", 3, '"><script>'])
def test_it_is_what_django_draws(value):
    ours, theirs = drawn(PlainSelect, value), drawn(forms.Select, value)
    assert [line.strip() for line in ours.replace(">", ">\n").split("\n") if line.strip()] == [
        line.strip() for line in theirs.replace(">", ">\n").split("\n") if line.strip()
    ]


def test_several_are_marked():
    ours = drawn(PlainSelectMultiple, ["queue", "3"])
    assert " multiple" in ours
    assert ours.count(" selected") == 2


def test_no_choice_brings_markup_along():
    ours = drawn(PlainSelect, "")
    assert "<script>" not in ours
    assert "<b>" not in ours
