"""The API's documentation works in a browser under our content security policy."""

import pytest

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]


def test_a_person_reads_the_documentation_and_tries_a_call(visit, lead):
    visitor = visit(width=1200)
    visitor.sign_in(lead.email)
    page = visitor.page
    page.goto("/api/docs/")
    operation = page.locator("#operations-units-units_list")
    page.locator("#operations-tag-units").click()
    operation.wait_for()
    assert page.locator(".opblock-tag").count() > 15
    operation.locator("button.opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table tbody .response-col_status").first
    answer.wait_for()
    assert answer.inner_text().startswith("200")
    assert "LILLE" in operation.locator(".live-responses-table").inner_text()
