"""Whatever is written into recipes, titles and names, nothing of it runs in a reader's browser."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.library.documents import recipe_pdf
from apps.library.files import add_file
from apps.library.pages import solution_page
from apps.library.recipes import recipe_html
from apps.library.services import create_solution, set_web_links
from apps.library.texts import NAMES, RecipeText
from tests.payloads import FILE_NAMES, MARKDOWN, TEXTS, running, tags_of

ALLOWED_TAGS = {
    *("p", "br", "ul", "ol", "li", "strong", "em", "s", "code", "pre", "blockquote", "hr", "h4", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ALLOWED_ATTRIBUTES = {
    "a": {"href", "rel", "title"},
    "ol": {"start"},
    "code": {"class"},
    "td": {"style"},
    "th": {"style"},
}


@pytest.mark.parametrize("attack", [*TEXTS, *MARKDOWN])
def test_markdown_yields_only_known_elements_and_links(attack):
    for tag, attributes in tags_of(recipe_html(attack)):
        assert tag in ALLOWED_TAGS
        assert set(attributes) <= ALLOWED_ATTRIBUTES.get(tag, set())
        if tag == "a":
            assert re.match(r"^(https?://|mailto:)", attributes["href"])
            assert attributes["rel"] == "nofollow noopener noreferrer"


@pytest.fixture
def poisoned(lead, db):
    """A published solution whose every word and file name is an attack."""
    every = "\n\n".join([*TEXTS, *MARKDOWN])
    parts = {name: every for name in NAMES if name not in {"title", "summary"}}
    text = RecipeText(title=TEXTS[1], summary="\n".join(TEXTS)[:1_900], **parts)
    solution = create_solution(
        code="poisoned",
        text=text,
        translations={"fr": text},
        facts={"kind": "sop"},
        status="published",
        actor=lead,
    )
    set_web_links(solution=solution, links=[("https://a.example/?x=%22", TEXTS[2])], actor=lead)
    for name in FILE_NAMES[1:5]:
        add_file(solution=solution, file=SimpleUploadedFile(name, b"text\n"), actor=lead)
    return solution


@pytest.mark.parametrize("name", ["solution", "solution-edit", "solution-links", "solution-files"])
def test_pages_escape_what_people_wrote(client, lead, poisoned, name):
    client.force_login(lead)
    page = client.get(reverse(f"library:{name}", args=["poisoned"])).content.decode()
    assert running(page) == []


def test_files_come_as_downloads_that_no_browser_guesses_about(client, staff, poisoned):
    client.force_login(staff)
    for kept in poisoned.files.all():
        response = client.get(reverse("library:solution-file", args=[kept.pk]))
        assert response["Content-Disposition"].startswith("attachment")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response["Content-Security-Policy"]
        assert b"".join(response.streaming_content) == b"text\n"


def test_the_document_takes_words_as_words(lead, poisoned):
    page = solution_page("poisoned", reader=lead, as_of=poisoned.created_at.date())
    assert recipe_pdf(page, language="en", as_of=poisoned.created_at.date()).startswith(b"%PDF-")
