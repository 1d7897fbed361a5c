"""Print which solutions work, challenge by challenge."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.models import Unit
from apps.impact.output import FORMATS, write_rows
from apps.impact.selectors import RankingRow, ranking_rows
from apps.taxonomy.models import Challenge


class Command(BaseCommand):
    help = "Print which solutions work: one row per challenge and solution, the best first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--challenge", metavar="C", help="only this challenge")
        parser.add_argument("--unit", metavar="U", help="as it holds in units of this unit's kind")
        parser.add_argument("--format", choices=FORMATS, default="table")

    def handle(self, **options: Any) -> None:
        challenge = unit = None
        if options["challenge"]:
            challenge = Challenge.objects.filter(code__iexact=options["challenge"]).first()
            if challenge is None:
                raise CommandError(f"There is no challenge {options['challenge']}.", returncode=2)
        if options["unit"]:
            unit = Unit.objects.filter(code__iexact=options["unit"]).first()
            if unit is None:
                raise CommandError(f"There is no unit {options['unit']}.", returncode=2)
        rows = ranking_rows(challenge=challenge, unit=unit)
        write_rows(rows, RankingRow, options["format"], self.stdout)  # type: ignore[arg-type]  # writes like a file
