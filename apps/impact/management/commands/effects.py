"""Print what each action changed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.impact.output import FORMATS, write_rows
from apps.impact.selectors import EffectRow, effect_rows
from apps.taxonomy.models import Challenge


class Command(BaseCommand):
    help = "Print what each action changed: one row per action and metric."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--challenge", metavar="C", help="only actions logged for this challenge")
        parser.add_argument("--format", choices=FORMATS, default="table")

    def handle(self, **options: Any) -> None:
        challenge = None
        if options["challenge"]:
            challenge = Challenge.objects.filter(code__iexact=options["challenge"]).first()
            if challenge is None:
                raise CommandError(f"There is no challenge {options['challenge']}.", returncode=2)
        rows = effect_rows(challenge=challenge)
        write_rows(rows, EffectRow, options["format"], self.stdout)  # type: ignore[arg-type]  # writes like a file
