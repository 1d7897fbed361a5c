"""A recipe becomes HTML that can do no harm."""

import pytest

from apps.library.recipes import recipe_html


def flat(text):
    return recipe_html(text).replace("\n", "")


def test_paragraphs_lists_and_headings_are_kept():
    assert flat("## Why\nIt helps.\n\n- one\n- two\n\n1. first\n2. second\n\nThe end.") == (
        "<h4>Why</h4><p>It helps.</p><ul><li>one</li><li>two</li></ul>"
        "<ol><li>first</li><li>second</li></ol><p>The end.</p>"
    )


def test_a_list_may_follow_its_sentence_at_once_whatever_its_bullets():
    assert flat("Take:\n- a cup\n\nDone.") == "<p>Take:</p><ul><li>a cup</li></ul><p>Done.</p>"
    assert flat("Take:\n• a cup\n• a spoon") == "<p>Take:</p><ul><li>a cup</li><li>a spoon</li></ul>"


def test_lines_stay_lines():
    assert flat("One\nTwo") == "<p>One<br />Two</p>"


def test_bold_emphasis_tables_and_links_are_kept():
    html = recipe_html("**Now** and *then*, see [the guide](https://example.org/a?b=1&c=2).")
    assert "<strong>Now</strong>" in html
    assert "<em>then</em>" in html
    assert '<a href="https://example.org/a?b=1&amp;c=2" rel="nofollow noopener noreferrer">the guide</a>' in html
    assert '<a href="mailto:help@example.org"' in recipe_html("[ask](mailto:help@example.org)")
    assert "<td>8</td>" in recipe_html("| Hour | Desks |\n|---|---|\n| Eight | 8 |")


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
    assert flat("2 * 3 * 4") == "<p>2 * 3 * 4</p>"
