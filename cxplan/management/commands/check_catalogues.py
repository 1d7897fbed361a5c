"""Fails when a text of the sources has no translation, or a catalogue is out of date."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cxplan.catalogues import catalogues, problems
from cxplan.extraction import messages


class Command(BaseCommand):
    help = "Check that every text is translated and every catalogue in step with the sources."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        found = messages()
        paths = catalogues()
        missing = {language for language, _ in settings.LANGUAGES} - {settings.LANGUAGE_CODE}
        missing -= {path.parent.parent.name for path in paths}
        sentences = [f"no catalogue for {language} (run: make messages)" for language in sorted(missing)]
        for path in paths:
            sentences += [f"{path.parent.parent.name}: {sentence}" for sentence in sorted(problems(path, found))]
        if sentences:
            raise CommandError("\n".join(sentences))
        self.stdout.write(f"{len(found)} texts, {len(paths)} catalogues: complete.")
