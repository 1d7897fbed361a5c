"""The command that gives a program its key."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import ApiToken, AuditEvent

pytestmark = pytest.mark.django_db


def created(capsys, *arguments):
    call_command("create_token", *arguments)
    return capsys.readouterr().out.strip()


def test_it_prints_a_token_that_works(staff, capsys):
    secret = created(capsys, "--user", "Staff@Example.org", "--name", "BI tool")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get("/api/v1/units/").status_code == 200
    token = ApiToken.objects.get()
    assert (token.user, token.name, token.scopes, token.expires_at) == (staff, "BI tool", ["read"], None)
    assert secret not in str(token.__dict__)
    assert AuditEvent.objects.filter(event="accounts.token.created").count() == 1


def test_scopes_and_an_end_can_be_chosen(staff, capsys):
    day = timezone.now().date() + timedelta(days=30)
    created(
        capsys, "--user", staff.email, "--name", "x", "--scope", "read", "--scope", "import", "--expires", str(day)
    )
    token = ApiToken.objects.get()
    assert token.scopes == ["read", "import"]
    assert token.is_valid_at(datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC))
    assert not token.is_valid_at(datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--user", "nobody@example.org", "--name", "x"],
        ["--user", "staff@example.org", "--name", "x", "--expires", "2001-01-01"],
    ],
)
def test_it_refuses_with_a_reason(staff, arguments):
    with pytest.raises(CommandError) as refusal:
        call_command("create_token", *arguments)
    assert refusal.value.returncode == 2
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("extra", [["--scope", "everything"], ["--expires", "soon"], ["--nonsense"]])
def test_a_usage_error_creates_nothing(staff, extra):
    with pytest.raises(CommandError):
        call_command("create_token", "--user", staff.email, "--name", "x", *extra)
    assert not ApiToken.objects.exists()
