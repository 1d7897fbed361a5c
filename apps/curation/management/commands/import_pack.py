"""Brings a solution pack into the library from the command line."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from apps.curation.packs import Pack, PackInvalid, read_pack
from apps.curation.services import import_pack
from apps.curation.shipped import shipped_packs
from apps.library.models import Status

EXIT_FAILED, EXIT_USAGE = 1, 2


class Command(BaseCommand):
    help = "Add a solution pack: a shipped one by its code, or a .json file. What is there already stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pack", metavar="CODE|FILE", help=", ".join(shipped_packs()))
        parser.add_argument("--as-drafts", action="store_true", help="bring the solutions in as drafts")
        parser.add_argument("--format", choices=["text", "json"], default="text", help="how to report")

    def handle(self, *_args: Any, **options: Any) -> None:
        pack = shipped_packs().get(options["pack"]) or self._read(Path(options["pack"]), options["format"])
        status = Status.DRAFT if options["as_drafts"] else Status.PUBLISHED
        result = {"pack": pack.code, **asdict(import_pack(pack=pack, status=status, actor=None))}
        if options["format"] == "json":
            self.stdout.write(json.dumps(result))
        else:
            self.stdout.write("\n".join(f"{name}: {value}" for name, value in result.items()))

    def _read(self, path: Path, report: str) -> Pack:
        if not path.is_file():
            raise CommandError(_("There is no file %(path)s.") % {"path": path}, returncode=EXIT_USAGE)
        try:
            return read_pack(json.loads(path.read_text(encoding="utf-8-sig")))
        except PackInvalid as error:
            problems = [{"pointer": place, "message": message} for place, message in error.problems]
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
            problems = [{"pointer": "", "message": _("The file is not valid JSON in UTF-8.")}]
        if report == "json":
            self.stdout.write(json.dumps({"pack": None, "errors": problems}))
        for problem in problems:
            self.stderr.write(f"{problem['pointer'] or '/'}: {problem['message']}")
        sys.exit(EXIT_FAILED)
