"""Compiles the translation catalogues that changed; needs no gettext programs."""

from typing import Any

from django.core.management.base import BaseCommand

from cxplan.catalogues import compile_all


class Command(BaseCommand):
    help = "Compile the translation catalogues that changed."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{compile_all()} catalogues compiled.")
