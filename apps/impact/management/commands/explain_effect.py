"""Compute one action's effect again and print each step."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.impact.explain import Explanation, NothingToExplain, explain_effect
from apps.impact.output import write_json
from apps.planning.models import Action


class Command(BaseCommand):
    help = "Compute one action's effect again, as on the day it was measured, and print each step."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", metavar="ACTION", help="the action's external id")
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, **options: Any) -> None:
        action = Action.objects.filter(external_id__iexact=options["action"]).first()
        if action is None:
            raise CommandError(f"There is no action {options['action']}.", returncode=2)
        try:
            found = explain_effect(action=action)
        except NothingToExplain as error:
            raise CommandError(error.message) from error
        if options["format"] == "json":
            document = asdict(found)
            document["steps"] = [{"title": step.title, "figures": dict(step.figures)} for step in found.steps]
            write_json(document, self.stdout)  # type: ignore[arg-type]  # writes like a file
        else:
            self._print(found)
        if not found.agrees:
            raise CommandError(f"{', '.join(found.differing)} came out otherwise than stored.")

    def _print(self, found: Explanation) -> None:
        self.stdout.write(f"{found.action} on {found.metric}, as of {found.as_of}")
        for number, step in enumerate(found.steps, start=1):
            self.stdout.write(f"\n{number}. {step.title}")
            width = max(len(name) for name, _ in step.figures)
            for name, value in step.figures:
                shown = "-" if value in (None, "") else f"{value:.4g}" if isinstance(value, float) else value
                self.stdout.write(f"   {name.strip().ljust(width)}  {shown}")
        self.stdout.write("")
        if not found.is_current:
            self.stdout.write(
                "Answers or actions have changed since: the stored number waits to be measured again."
            )
        elif found.agrees:
            self.stdout.write("The stored number is the same.")
        else:
            self.stdout.write("The stored number is another one: measure again with --all.")
