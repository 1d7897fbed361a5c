"""Whatever is written into an address, no page fails."""

import pytest

pytestmark = pytest.mark.django_db
TOO_LARGE = "9" * 30


@pytest.mark.parametrize(
    "path",
    [
        "/challenges/a%00b/",
        "/challenges/a%00b/ranking/",
        "/solutions/a%00b/",
        "/solutions/a%00b/evidence/",
        "/units/a%00b/",
        "/units/LILLE/metrics/a%00b/",
        "/actions/a%00b/",
        "/search/?q=%00",
        "/challenges/?q=%00",
        "/solutions/?q=%00",
        "/plans/?q=%00",
        "/plans/?unit=%00",
        "/plans/new/?challenge=%00",
        "/unit/?q=%00",
        "/focus/?unit=%00",
        "/support/taxonomy/metric/?q=%00",
        "/api/v1/units/a%00b/",
        "/api/v1/units/?region=%00",
        "/solutions/?page=zero",
        f"/solutions/?page={TOO_LARGE}",
        f"/solution-strips/?pk={TOO_LARGE}",
        f"/data/imports/{TOO_LARGE}/",
        f"/events/{TOO_LARGE}/",
        f"/api/v1/events/{TOO_LARGE}/",
        f"/challenges/{'x' * 3000}/",
        "/challenges/%F0%9F%92%A9/",
        "/challenges/%ff%fe/",
        "/search/?q=%ff%fe",
        "/search/?q=%25%5F%5C%27%22%3B",
    ],
)
def test_it_is_answered_or_refused(path, client, admin_user):
    client.raise_request_exception = False
    client.force_login(admin_user)
    assert client.get(path).status_code < 500
