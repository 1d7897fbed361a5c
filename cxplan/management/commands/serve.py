"""Serves cxplan on this machine until Ctrl-C: web, worker, beat and the servers they need."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from cxplan.supervisor import serve


class Command(BaseCommand):
    help = "Run web, worker and beat, with the embedded database and broker unless others are set."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--port", type=int, default=8000, help="the next free one is taken when it is not free"
        )

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        def announce(address: str) -> None:
            self.stdout.write(f"cxplan is at {address} (Ctrl-C stops it)")
            self.stdout.flush()

        sys.exit(serve(host=host, port=port, on_ready=announce))
