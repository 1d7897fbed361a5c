"""Brings the translation catalogues in step with the texts of the sources."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from cxplan.catalogues import merge
from cxplan.embedded.home import REPOSITORY
from cxplan.extraction import messages


class Command(BaseCommand):
    help = "Bring the translation catalogues in step with the sources."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        found = messages()
        for language, _ in settings.LANGUAGES:
            if language != settings.LANGUAGE_CODE:
                merge(REPOSITORY / "locale" / language / "LC_MESSAGES" / "django.po", found)
        self.stdout.write(f"{len(found)} texts in the catalogues.")
