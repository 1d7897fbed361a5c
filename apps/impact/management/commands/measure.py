"""Bring every stale effect and ranking up to date, in this process."""

import sys
import time
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.impact.output import write_json
from apps.impact.selectors import measurement_summary
from apps.impact.services import MeasurementFailed, measure_stale


class Command(BaseCommand):
    help = "Bring every stale effect and ranking up to date, in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--as-of", type=date.fromisoformat, metavar="DATE", help="measure as on this day (default: today)"
        )
        parser.add_argument("--all", action="store_true", help="measure everything again, stale or not")
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, **options: Any) -> None:
        as_of: date = options["as_of"] or timezone.now().date()
        started = time.monotonic()
        try:
            runs = measure_stale(as_of=as_of, everything=options["all"], told=self._tell)
        except MeasurementFailed as failure:
            raise CommandError(failure.message) from failure
        seconds = round(time.monotonic() - started, 2)
        summary = measurement_summary()
        if options["format"] == "json":
            write_json(
                {
                    "as_of": as_of,
                    "actions": summary.actions,
                    "estimated": summary.estimated,
                    "not_estimable": summary.not_estimable,
                    "rankings": summary.rankings,
                    "seconds": seconds,
                    "measured": [run.metric.code for run in runs],
                },
                self.stdout,  # type: ignore[arg-type]  # Django's wrapper writes like a text file
            )
            return
        self.stdout.write(
            f"As of {as_of}: {summary.estimated} of {summary.actions} actions have an effect, "
            f"{summary.rankings} challenges are ranked. Measured {len(runs)} metrics in {seconds} s."
        )
        for code, count in summary.not_estimable.items():
            self.stdout.write(f"  {code}: {count}")

    def _tell(self, code: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"[{done + 1}/{total}] {code}", self.style.NOTICE)
