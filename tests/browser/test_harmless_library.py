"""In a real browser, under our content security policy, nothing that people wrote runs."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.library.files import add_file
from apps.library.playbooks import create_playbook
from apps.library.requests import request_change
from apps.library.services import create_solution
from apps.library.texts import NAMES, RecipeText
from tests.payloads import FILE_NAMES, MARKDOWN, TEXTS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]
TRAP = "window.alerted = []; window.alert = (...told) => window.alerted.push(told);"


def poisoned(code, attack, lead):
    every = "\n\n".join([*TEXTS, *MARKDOWN])
    parts = {name: every for name in NAMES if name not in {"title", "summary"}}
    text = RecipeText(title=attack, summary="\n".join(TEXTS)[:1_900], **parts)
    return create_solution(
        code=code,
        text=text,
        translations={"fr": text},
        facts={"kind": "sop"},
        status="published",
        actor=lead,
    )


def test_no_page_of_the_library_runs_what_people_wrote(visit, lead, staff):
    first = poisoned("first", TEXTS[1], lead)
    second = poisoned("second", TEXTS[10], lead)
    create_playbook(
        code="both",
        words={"title": TEXTS[3], "rationale": "\n\n".join(MARKDOWN)},
        steps=[(first, TEXTS[4]), (second, TEXTS[5])],
        status="published",
        actor=lead,
    )
    asked = request_change(
        solution=first,
        language="en",
        changes={"why": "\n".join(TEXTS)},
        reason=TEXTS[6],
        at=first.created_at,
        actor=staff,
    )
    for name in FILE_NAMES[1:5]:
        add_file(solution=first, file=SimpleUploadedFile(name, b"text\n"), actor=lead)
    visitor = visit(width=1200)
    visitor.page.add_init_script(TRAP)
    visitor.sign_in(lead.email)
    for address in (
        "/solutions/",
        "/solutions/?q=script",
        "/solutions/first/",
        "/solutions/first/edit/",
        "/solutions/first/versions/1/",
        "/solutions/first/links/",
        "/solutions/first/files/",
        "/solutions/first/change/",
        "/playbooks/both/",
        "/playbooks/both/edit/",
        "/library/changes/",
        f"/library/changes/{asked.pk}/",
    ):
        visitor.page.goto(address)
        visitor.page.wait_for_load_state("networkidle")
        assert visitor.page.evaluate("window.alerted") == [], address
        for link in visitor.page.locator("main a[href]").all():
            assert not (link.get_attribute("href") or "").lower().startswith("javascript"), address
