"""The description of the API is valid, and the API does what it says, whatever is sent."""

import json

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.accounts.services import create_token
from cxplan.api import router
from cxplan.wsgi import application
from tests.test_api import populate

pytestmark = pytest.mark.django_db
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
COLLECTIONS = [prefix for prefix, _, _ in router.registry]
# Calls per operation; the seed is fixed, so that every run sends the same.
EXAMPLES = 12


@pytest.fixture(scope="module")
def description(tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("openapi") / "schema.json"
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", "--file", str(path))
    return json.loads(path.read_text())


@pytest.fixture
def kept_connection():
    """The application closes connections between requests; this one holds the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_the_description_is_valid_and_complete(description):
    assert description["openapi"].startswith("3.1")
    assert {path.split("/")[3] for path in description["paths"]} == set(COLLECTIONS)
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["description"], where
            assert operation["responses"]["4XX"] == {"$ref": "#/components/responses/Problem"}, where
            assert operation["security"] == [{"token": []}, {"cookieAuth": []}], where


def test_it_is_served_to_programs_and_to_people(api, client, staff):
    answer = api(staff).get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    assert json.loads(answer.content)["openapi"].startswith("3.1")
    client.force_login(staff)
    assert client.get("/api/docs/").status_code == 200


@pytest.mark.parametrize("name", COLLECTIONS)
def test_whatever_is_sent_the_answer_is_as_described(name, chain, admin_user, description, kept_connection):
    populate(chain, 2, admin_user)
    _, secret = create_token(
        user=admin_user, name="fuzz", scopes=["read", "write", "import"], expires_at=None, actor=admin_user
    )
    schema = schemathesis.openapi.from_dict(description).include(path_regex=rf"^/api/v1/{name}/")
    schema.app = application
    for result in schema.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def send(case):
            response = case.call(headers={"Authorization": f"Bearer {secret}"})
            case.validate_response(response, checks=CHECKS)

        send()
