"""A recipe becomes HTML that can do no harm."""

import pytest

from apps.library.recipes import recipe_html


def test_paragraphs_lists_and_headings_are_kept():
    html = recipe_html("## Why\nIt helps.\n\n- one\n- two\n\n1. first\n2. second\n\nThe end.")
    assert html == (
        "<h3>Why</h3>\n<p>It helps.</p>\n<ul><li>one</li><li>two</li></ul>\n"
        "<ol><li>first</li><li>second</li></ol>\n<p>The end.</p>"
    )


def test_a_list_may_follow_its_sentence_at_once():
    assert recipe_html("Take:\n- a cup\nDone.") == "<p>Take:</p>\n<ul><li>a cup</li></ul>\n<p>Done.</p>"


def test_bold_emphasis_and_links_are_kept():
    html = recipe_html("**Now** and *then*, see [the guide](https://example.org/a?b=1&c=2).")
    assert "<strong>Now</strong>" in html
    assert "<em>then</em>" in html
    assert '<a href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer">the guide</a>' in html


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '[x](https://a.example/" onmouseover="alert(1))',
        "<img src=x onerror=alert(1)>",
        "- <b>bold</b>",
        "## <svg/onload=alert(1)>",
        "[<script>](https://a.example)",
    ],
)
def test_no_markup_of_the_author_survives(attack):
    html = recipe_html(attack)
    for forbidden in ("<script", "<img", "<b>", "<svg", 'href="javascript', '" onmouseover='):
        assert forbidden not in html


@pytest.mark.parametrize("text", ["", "  \n\n "])
def test_nothing_stays_nothing(text):
    assert recipe_html(text) == ""


def test_a_star_that_means_nothing_stays_a_star():
    assert recipe_html("2 * 3 * 4") == "<p>2 * 3 * 4</p>"
