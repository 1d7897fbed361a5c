"""Create an API token and print it once."""

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.accounts.models import ApiToken, User
from apps.accounts.services import create_token
from apps.core.errors import CxplanError


def last_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a date. Write it as YYYY-MM-DD.") from error


class Command(BaseCommand):
    help = "Create an API token of a person and print it; it is shown this once and never again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, metavar="EMAIL", help="whose rights the token has")
        parser.add_argument("--name", required=True, help="what it is for")
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            choices=ApiToken.Access.values,
            metavar="SCOPE",
            help=f"what it may do: {', '.join(ApiToken.Access.values)}; repeat for several (default read)",
        )
        parser.add_argument("--expires", type=last_day, metavar="DATE", help="last day on which it works")

    def handle(
        self, *args: Any, user: str, name: str, scope: list[str], expires: date | None, **options: Any
    ) -> None:
        person = User.objects.filter(email__iexact=user, is_active=True).first()
        if person is None:
            raise CommandError(f"Nobody has the address {user}. Check its spelling.", returncode=2)
        until = datetime.combine(expires, time.max, UTC) if expires else None
        if until is not None and until <= timezone.now():
            raise CommandError(f"{expires} is over. Choose a later day.", returncode=2)
        try:
            _token, secret = create_token(user=person, name=name, scopes=scope, expires_at=until, actor=None)
        except CxplanError as error:
            raise CommandError(error.message) from error
        self.stdout.write(secret)
