"""Imports one file from the command line."""

import json
import shutil
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from apps.core.blocks import FileRefused
from apps.core.errors import CxplanError
from apps.core.mapping import read_mapping
from apps.imports.models import ImportBatch, Kind
from apps.imports.services import receive_import, run_import

EXIT_FAILED, EXIT_USAGE, EXIT_REJECTED = 1, 2, 3


class Command(BaseCommand):
    help = "Import a file; exit status 0: all rows came in, 3: some were rejected, 1: the file was refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=Kind.values, metavar="KIND", help=", ".join(Kind.values))
        parser.add_argument("file", type=Path, metavar="FILE", help="a .csv, .csv.gz, .ndjson or .xlsx file")
        parser.add_argument("--source", default="", help="the source of rows that do not name one")
        parser.add_argument("--map", type=Path, dest="mapping", metavar="FILE", help="a mapping file (TOML)")
        parser.add_argument("--dry-run", action="store_true", help="check everything and store nothing")
        parser.add_argument("--strict", action="store_true", help="refuse a file with unknown columns")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="where to write the rejected rows")
        parser.add_argument("--format", choices=["text", "json"], default="text", help="how to report")

    def handle(self, *_args: Any, **options: Any) -> None:
        began = time.monotonic()
        for path in filter(None, [options["file"], options["mapping"]]):
            if not path.is_file():
                raise CommandError(_("There is no file %(path)s.") % {"path": path}, returncode=EXIT_USAGE)
        try:
            batch = self._import(options)
        except CxplanError as error:
            self._report_error(options, _told(error))
            sys.exit(EXIT_FAILED)
        if batch.error is not None:
            self._report_error(options, batch.error)
            sys.exit(EXIT_FAILED)
        result = {
            "kind": batch.kind,
            "file": str(options["file"]),
            "rows": batch.row_count,
            "accepted": batch.accepted_count,
            "duplicates": batch.duplicate_count,
            "corrected": batch.corrected_count,
            "rejected": batch.rejected_count,
            "warnings": batch.warnings,
            "rejects": _rejects_path(batch, options["rejects"]),
            "seconds": round(time.monotonic() - began, 3),
        }
        if options["format"] == "json":
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            self._report(batch, result)
        if batch.rejected_count:
            sys.exit(EXIT_REJECTED)

    def _import(self, options: dict[str, Any]) -> ImportBatch:
        mapping = None
        if options["mapping"] is not None:
            mapping = read_mapping(options["mapping"].read_text(encoding="utf-8-sig"))
        with options["file"].open("rb") as file:
            batch = receive_import(
                kind=options["kind"],
                file=file,
                file_name=options["file"].name,
                source=options["source"],
                mapping=mapping,
                is_strict=options["strict"],
                is_dry_run=options["dry_run"],
                actor=None,
            )
        show = self._show if sys.stderr.isatty() else None
        batch = run_import(batch=batch, progress=show)
        while not batch.is_over:
            # A worker took it in the meantime.
            time.sleep(0.5)
            batch = run_import(batch=batch)
        if show is not None:
            self.stderr.write("", ending="\r\n")
        return batch

    def _show(self, batch: ImportBatch) -> None:
        share = 100 * batch.read_bytes // max(batch.file_bytes, 1)
        self.stderr.write(
            f"\r{batch.phase or batch.state:<10} {batch.row_count:>12,} rows  {share:>3} %", ending=""
        )
        self.stderr.flush()

    def _report(self, batch: ImportBatch, result: dict[str, Any]) -> None:
        for warning in batch.warnings:
            self.stderr.write(str(warning))
        self.stdout.write(
            _(
                "%(rows)s rows: %(accepted)s accepted, %(duplicates)s duplicates, %(corrected)s corrected, "
                "%(rejected)s rejected, in %(seconds)s s."
            )
            % result
        )
        for one in batch.reject_sample:
            self.stdout.write(_("Line %(line)s, %(field)s: %(message)s") % one)
        if result["rejects"]:
            self.stdout.write(_("The rejected rows are in %(path)s.") % {"path": result["rejects"]})
        if batch.is_dry_run:
            self.stdout.write(_("Nothing was stored: this was a dry run."))

    def _report_error(self, options: dict[str, Any], error: dict[str, Any]) -> None:
        if options["format"] == "json":
            self.stdout.write(
                json.dumps(
                    {"kind": options["kind"], "file": str(options["file"]), "error": error}, ensure_ascii=False
                )
            )
            return
        place = _("Line %(line)s: ") % error if error["line"] else ""
        self.stderr.write(f"{place}{error['message']} {error['remedy']}".strip())


def _told(error: CxplanError) -> dict[str, Any]:
    if isinstance(error, FileRefused):
        return error.as_dict()
    return {"code": error.code, "message": error.message, "line": None, "field": error.field, "remedy": ""}


def _rejects_path(batch: ImportBatch, wanted: Path | None) -> str | None:
    if not batch.rejects:
        return None
    if wanted is None:
        return str(batch.rejects.path)
    shutil.copyfile(batch.rejects.path, wanted)
    return str(wanted)
