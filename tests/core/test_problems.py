"""Every error of the API is a problem document that says what to do."""

import pytest
from django.test import Client
from rest_framework.throttling import UserRateThrottle

from apps.core.errors import CxplanError
from apps.core.problems import STATUS_OF_CODE, exception_handler
from cxplan.api import router
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
FIELDS = ["type", "title", "status", "detail", "code", "errors"]


def assert_problem(answer, status, code):
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert list(body) == FIELDS
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"].endswith(code)
    assert body["detail"]
    return body


@pytest.mark.parametrize("name", [prefix for prefix, _, _ in router.registry])
def test_nobody_is_told_to_bring_a_token(api, name):
    answer = api(None).get(f"/api/v1/{name}/")
    assert_problem(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer cxp_unknown", "bearer \xe9"])
def test_a_token_that_is_not_ours_is_refused(header):
    answer = Client().get("/api/v1/units/", headers={"Authorization": header})
    assert_problem(answer, 401, "authentication_failed")


def test_the_token_of_a_person_who_left_is_refused(api, staff):
    client = api(staff)
    staff.is_active = False
    staff.save(update_fields=["is_active"])
    assert_problem(client.get("/api/v1/units/"), 401, "authentication_failed")


def test_a_role_that_is_missing_is_a_403(api):
    assert_problem(api(UserFactory()).get("/api/v1/units/"), 403, "permission_denied")


def test_a_thing_of_nobody_is_a_404(api, staff):
    assert_problem(api(staff).get("/api/v1/units/NOWHERE/"), 404, "not_found")


@pytest.mark.parametrize("method", ["get", "post", "patch", "put", "delete"])
@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/", "/api/v2/units/", "/api/v1/unicorns/", "/api/v1/units/a/b/"]
)
def test_an_address_of_nobody_is_a_problem_too(path, method):
    answer = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert_problem(answer, 404, "not_found")


def test_a_missing_slash_is_named():
    body = assert_problem(Client().get("/api/v1/units"), 404, "not_found")
    assert "slash" in body["detail"]
    body = assert_problem(Client().get("/api/v1/unicorns"), 404, "not_found")
    assert "slash" not in body["detail"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_a_method_that_does_not_exist_is_a_405(api, lead, method):
    answer = getattr(api(lead), method)("/api/v1/units/")
    assert_problem(answer, 405, "method_not_allowed")
    assert "GET" in answer["Allow"]


def test_an_answer_that_cannot_be_given_is_a_406(api, lead):
    answer = api(lead).get("/api/v1/units/", headers={"Accept": "application/xml"})
    assert_problem(answer, 406, "not_acceptable")


def test_a_body_in_another_form_is_a_415(api, manager):
    answer = api(manager).post("/api/v1/actions/", "<action/>", content_type="application/xml")
    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("text", ["{", "", "\xff", "nul\0", "[1, 2]", '"text"', "NaN", '{"cost": NaN}', "1e999"])
def test_a_body_that_is_no_object_is_a_400(api, manager, text):
    answer = api(manager).post("/api/v1/actions/", text.encode("latin-1"), content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_body_that_is_too_large_is_a_413(api, manager, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = api(manager).post("/api/v1/actions/", {"note": "x" * 2000}, format="json")
    assert_problem(answer, 413, "request_too_large")


def test_too_many_calls_are_told_when_to_come_back(api, staff, outsider, monkeypatch):
    monkeypatch.setattr(UserRateThrottle, "get_rate", lambda self: "2/min")
    client = api(staff)
    assert [client.get("/api/v1/units/").status_code for _ in range(3)] == [200, 200, 429]
    answer = client.get("/api/v1/units/")
    assert_problem(answer, 429, "throttled")
    assert 1 <= int(answer["Retry-After"]) <= 61
    assert api(outsider).get("/api/v1/units/").status_code == 200


def test_a_failure_of_ours_tells_nothing_of_the_inside(api, lead, monkeypatch, caplog):
    def explode(view):
        raise RuntimeError("the password is swordfish")

    viewset = next(viewset for prefix, viewset, _ in router.registry if prefix == "units")
    monkeypatch.setattr(viewset, "get_queryset", explode)
    answer = api(lead).get("/api/v1/units/")
    assert_problem(answer, 500, "server_error")
    assert "swordfish" not in answer.content.decode()
    assert "swordfish" in caplog.text


def test_problems_speak_the_callers_language(api, staff):
    answer = api(staff).get("/api/v1/units/NOWHERE/", headers={"Accept-Language": "fr"})
    assert answer["Content-Language"] == "fr"


@pytest.mark.parametrize(("code", "status"), STATUS_OF_CODE.items())
def test_domain_errors_get_their_status_here(code, status):
    error = CxplanError("No.", field="unit/name")
    error.code = code
    response = exception_handler(error, {})
    assert response.status_code == status
    assert response.data["errors"] == [{"pointer": "#/unit~1name", "code": code, "message": "No."}]


def test_every_listed_code_is_one_that_something_raises():
    # What is wrong with a file has one class and many codes.
    codes, classes = {"too_large"}, [CxplanError]
    while classes:
        found = classes.pop()
        codes.add(found.code)
        classes += found.__subclasses__()
    assert set(STATUS_OF_CODE) <= codes
