"""Builds the files a browser loads, when they are not up to date."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from cxplan.asset_build import build


class Command(BaseCommand):
    help = "Copy the wanted files of packages, build the chart bundle and collect static files."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--force", action="store_true", help="build even when nothing changed")

    def handle(self, *args: Any, force: bool, **options: Any) -> None:
        self.stdout.write("Assets built." if build(force=force) else "Assets are up to date.")
