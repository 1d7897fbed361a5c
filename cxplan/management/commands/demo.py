"""Sets up the demonstration chain: generated, imported, measured, compared with the truth, served."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.core.errors import CxplanError
from cxplan import demonstration
from cxplan.demo import ChainTruth
from cxplan.supervisor import serve

EXIT_USAGE = 2
ROLES = {"lead": "CX lead", "manager": "Manager", "staff": "Staff"}


class Command(BaseCommand):
    help = "Load the demonstration chain, print its ranking beside the truth, and serve."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000, help="the next free one when it is taken")
        parser.add_argument("--no-serve", action="store_true", help="load, measure and compare only")
        parser.add_argument("--fresh", action="store_true", help="forget the loaded chain and make a new one")
        parser.add_argument("--branches", type=int, default=120)
        parser.add_argument("--weeks", type=int, default=104)
        parser.add_argument("--seed", type=int, default=2026)

    def handle(self, *_args: Any, **options: Any) -> None:
        self.step = ""
        self.began = time.monotonic()
        try:
            truth = self._prepare(options)
        except CxplanError as error:
            raise CommandError(error.message) from error
        except ValueError as error:
            raise CommandError(str(error), returncode=EXIT_USAGE) from error
        if not options["no_serve"]:
            sys.exit(
                serve(
                    host=options["host"],
                    port=options["port"],
                    on_ready=lambda address: self._welcome(address, truth),
                )
            )

    def _prepare(self, options: dict[str, Any]) -> ChainTruth | None:
        now = timezone.now()
        today = now.date()
        demonstration.refuse_other_data()
        if options["fresh"]:
            demonstration.forget_chain()
        if demonstration.is_loaded():
            truth = demonstration.known_truth()
            self._say("The demonstration chain is loaded already (--fresh makes a new one).")
        else:
            truth = demonstration.generate(
                seed=options["seed"],
                end=today,
                branches=options["branches"],
                weeks=options["weeks"],
                progress=lambda label, share: self._show(f"Generating the chain: {label}", share),
            )
            self._done(f"Generated {truth.responses:,} responses of {truth.branches} branches")
            rows = demonstration.load(progress=self._show)
            demonstration.open_sign_ins(truth=truth)
            demonstration.people_talk(at=now)
            self._done(f"Imported {sum(rows.values()):,} rows from {len(rows)} files")
        if truth is None:
            self._say("The answer sheet is not in this home, so there is nothing to compare with.")
            return None
        self._show(f"Measuring {truth.flagship_metric}", 0)
        demonstration.measure_flagship(truth=truth, as_of=today)
        self._done(f"Measured {truth.flagship_metric}")
        self.stdout.write(f"\nWhat helps against “{truth.flagship}”, measured and true:\n\n")
        for line in demonstration.comparison_lines(demonstration.compare(truth=truth)):
            self.stdout.write(line)
        self.stdout.write("")
        self.stdout.flush()
        return truth

    def _welcome(self, address: str, truth: ChainTruth | None) -> None:
        self.stdout.write(f"cxplan is at {address} (Ctrl-C stops it)")
        if truth is not None:
            self.stdout.write(f"Sign in with the password {demonstration.PASSWORD} as")
            for role, email in truth.sign_ins.items():
                self.stdout.write(f"  {ROLES[role]:<8} {email}")
            self.stdout.write("The other metrics are being measured meanwhile; Learn shows how far that is.")
        self.stdout.flush()

    def _show(self, label: str, share: float) -> None:
        """A moving line on a terminal; elsewhere a line when something else begins."""
        step = label.partition(":")[0]
        if sys.stderr.isatty():
            self.stderr.write(f"\r\x1b[K{label} {share:>4.0%}", ending="")
        elif step != self.step:
            self.stderr.write(f"{step} ...")
        self.step = step
        self.stderr.flush()

    def _done(self, label: str) -> None:
        """Close a step with the time since the command began."""
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        self._say(f"{start}{label} ({time.monotonic() - self.began:.0f} s).")

    def _say(self, words: str) -> None:
        self.stderr.write(words)
        self.stderr.flush()
