"""Takes files in and imports them: all good rows of a file together, or none."""

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path, PurePath
from secrets import token_hex
from typing import IO, Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.blocks import MEBIBYTE, FileRefused, Limits, Table
from apps.core.errors import CxplanError
from apps.core.fields import CODE_PATTERN
from apps.core.mapping import MappedTable, parse_mapping
from apps.core.staging import ImportKind, Outcome, Stage
from apps.core.tabular import open_table
from apps.feedback.services import rebuild_cells
from apps.imports.kinds import KINDS
from apps.imports.models import ImportBatch, Kind
from apps.imports.rejects import rejections, write_rejects
from apps.taxonomy.models import Metric

MAX_ATTEMPTS = 3
SAMPLE = 20
# Whoever received a file has this long to run it or to have it run, before others do.
PATIENCE_SECONDS = 30
# From this many rows on a file changes what the database should know of its tables.
LARGE = 10_000
WORK_MEMORY = "256MB"
# First numbers of two-part advisory locks: one batch, and all kinds that are stored one after the other.
BATCH_LOCK = 7_301
KIND_LOCKS = {"structure": 1, "feedback": 2}
KIND_LOCK = 7_302

Progress = Callable[[ImportBatch], None]


class ImportRefused(CxplanError):
    """An import that can't even be received."""

    code = "import_refused"


def receive_import(
    *,
    kind: str,
    file: IO[bytes],
    file_name: str,
    source: str = "",
    mapping: Mapping[str, Any] | None = None,
    is_strict: bool = False,
    is_dry_run: bool = False,
    actor: User | None,
) -> ImportBatch:
    """Keep `file` and a row that says it is to be imported; `run_import` does it, here or in a worker.

    `mapping` is a parsed mapping file. Raises ImportRefused, MappingInvalid, or FileRefused when it is too large.
    """
    if kind not in KINDS:
        raise ImportRefused(
            _("“%(kind)s” is no kind of import. Use one of: %(kinds)s.")
            % {"kind": kind, "kinds": ", ".join(Kind.values)},
            field="kind",
        )
    if source and not re.fullmatch(CODE_PATTERN.strip("^$"), source):
        raise ImportRefused(_("A source has letters, digits, dots, hyphens and underscores only."), field="source")
    if mapping is not None:
        meant = parse_mapping(mapping).kind
        if meant and meant != kind:
            raise ImportRefused(
                _("The mapping is for %(meant)s, the import for %(kind)s.") % {"meant": meant, "kind": kind},
                field="mapping",
            )
    stored, size = _keep(file, file_name)
    with transaction.atomic():
        batch = ImportBatch.objects.create(
            kind=kind,
            source=source,
            file=stored,
            file_name=PurePath(file_name).name[:255],
            file_bytes=size,
            mapping=dict(mapping) if mapping is not None else None,
            is_strict=is_strict,
            is_dry_run=is_dry_run,
            actor=actor,
        )
        record(
            event="imports.batch.received",
            actor=actor,
            subject=batch,
            data={"kind": kind, "file": batch.file_name, "bytes": size},
        )
    return batch


def _keep(file: IO[bytes], file_name: str) -> tuple[str, int]:
    """Copy the file into the store piece by piece; its name there and its size."""
    size = 0
    with tempfile.NamedTemporaryFile(prefix="import-", dir=_working_folder()) as copy:
        while chunk := file.read(MEBIBYTE):
            size += len(chunk)
            if size > settings.IMPORT_MAX_BYTES:
                raise FileRefused(
                    _("The file is larger than %(size)s MB.") % {"size": settings.IMPORT_MAX_BYTES // MEBIBYTE},
                    code="too_large",
                    remedy=_("Compress it with gzip, or import it in parts."),
                )
            copy.write(chunk)
        copy.seek(0)
        name = default_storage.save(f"imports/{token_hex(8)}-{_plain_name(file_name)}", File(copy))
    return name, size


def _working_folder() -> Path:
    folder = Path(settings.HOME) / "work"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _plain_name(file_name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", PurePath(file_name).name)[-100:] or "file"


def run_import(*, batch: ImportBatch, progress: Progress | None = None) -> ImportBatch:
    """Import a received batch to its end; whoever holds its lock does it, everybody else returns at once.

    A run that was cut off left nothing behind and starts anew, up to MAX_ATTEMPTS times.
    """
    with _holding("SELECT pg_try_advisory_lock(%s, %s)", BATCH_LOCK, batch.pk % 2**31) as is_ours:
        batch.refresh_from_db()
        if not is_ours or batch.is_over:
            return batch
        language = batch.actor.language if batch.actor is not None else translation.get_language()
        with translation.override(language):
            if batch.attempt_count >= MAX_ATTEMPTS:
                _fail(
                    batch,
                    FileRefused(
                        _("The import was cut off %(count)s times.") % {"count": MAX_ATTEMPTS},
                        code="cut_off",
                        remedy=_(
                            "Nothing of the file was imported. Import it again, in parts if it is very large."
                        ),
                    ),
                )
                return batch
            _update(
                batch,
                state=ImportBatch.State.RUNNING,
                phase="reading",
                attempt_count=F("attempt_count") + 1,
                started_at=Now(),
            )
            try:
                _Run(batch=batch, progress=progress or (lambda _batch: None)).run()
            except CxplanError as error:
                _fail(batch, error)
        forget_files(batches=[batch])
    return batch


class _Run:
    """One attempt at one batch."""

    def __init__(self, *, batch: ImportBatch, progress: Progress) -> None:
        self.batch = batch
        self.kind: ImportKind = KINDS[batch.kind]
        self.progress = progress

    def run(self) -> None:
        with self.batch.file.open("rb") as file, _memory():
            table = self._table(file.file)
            stage = Stage(
                kind=self.kind,
                columns=table.columns,
                source=self.batch.source,
                day=self.batch.created_at.date(),
            )
            warnings = self._warnings(stage)
            try:
                stage.create()
                stage.load(table.blocks(), separator=table.separator, on_progress=self._on_read)
                if stage.row_count == 0:
                    raise FileRefused(
                        _("The file has a header and no rows."),
                        code="no_rows",
                        line=2,
                        remedy=_("Export it again: it needs rows of data under the header."),
                    )
                with _holding("SELECT pg_advisory_lock(%s, %s)", KIND_LOCK, KIND_LOCKS[self.kind.lock]):
                    self._to_phase("checking", row_count=stage.row_count, warnings=warnings)
                    stage.check()
                    if stage.notes:
                        _update(self.batch, warnings=[*warnings, *stage.notes])
                    rejects, sample = self._rejects(file.file, stage)
                    self._to_phase("storing")
                    self._store(stage, rejects, sample)
                    if stage.row_count >= LARGE and self.kind.tables:
                        # Until the server does so by itself, later imports would be planned for the old sizes.
                        stage.execute(f"ANALYZE {', '.join(self.kind.tables)}")
            finally:
                if not connection.needs_rollback:
                    stage.drop()

    def _table(self, file: IO[bytes]) -> Table:
        limits = Limits(
            field_characters=settings.IMPORT_MAX_FIELD_CHARACTERS, file_bytes=settings.IMPORT_MAX_BYTES
        )
        table = open_table(file, name=self.batch.file_name, limits=limits)
        return table if self.batch.mapping is None else MappedTable(table, parse_mapping(self.batch.mapping))

    def _warnings(self, stage: Stage) -> list[str]:
        if stage.unknown and self.batch.is_strict:
            raise FileRefused(
                _("The column “%(column)s” is not known.") % {"column": stage.unknown[0]},
                code="unknown_column",
                line=1,
                field=stage.unknown[0],
                remedy=_("Remove it or correct its name. Known are: %(columns)s.")
                % {"columns": ", ".join(one.header for one in stage.fields)},
            )
        return [
            _("The column “%(column)s” is not known and was left out.") % {"column": name}
            for name in stage.unknown
        ]

    def _on_read(self, position: int, rows: int) -> None:
        self._to_phase("reading", read_bytes=position, row_count=rows)

    def _to_phase(self, phase: str, **fields: Any) -> None:
        _update(self.batch, phase=phase, **fields)
        self.progress(self.batch)

    def _rejects(self, file: IO[bytes], stage: Stage) -> tuple[str, list[dict[str, Any]]]:
        """Write the rejected rows before the good ones are stored, so that a finished batch always has them."""
        if not stage.rejected_count:
            return "", []
        sample = [one.as_dict() for one in rejections(stage, limit=SAMPLE)]
        table = open_table(
            file,
            name=self.batch.file_name,
            limits=Limits(
                field_characters=settings.IMPORT_MAX_FIELD_CHARACTERS, file_bytes=settings.IMPORT_MAX_BYTES
            ),
        )
        stem = PurePath(self.batch.file_name).name.split(".")[0]
        suffix = "xlsx" if table.row_format == "xlsx" else "csv"
        with tempfile.NamedTemporaryFile(prefix="rejects-", dir=_working_folder()) as copy:
            write_rejects(table=table, stage=stage, path=Path(copy.name))
            copy.seek(0)
            name = f"rejects/{self.batch.pk}-{_plain_name(stem)}-rejected.{suffix}"
            return default_storage.save(name, File(copy)), sample

    def _store(self, stage: Stage, rejects: str, sample: list[dict[str, Any]]) -> None:
        rejected = stage.rejected_count
        with transaction.atomic():
            outcome = self._apply(stage)
            counts = {
                "row_count": stage.row_count,
                "accepted_count": outcome.accepted,
                "corrected_count": outcome.corrected,
                "rejected_count": rejected,
                "duplicate_count": stage.row_count - rejected - outcome.accepted - outcome.corrected,
            }
            _update(
                self.batch,
                state=ImportBatch.State.FINISHED,
                phase="",
                rejects=rejects,
                reject_sample=sample,
                read_bytes=self.batch.file_bytes,
                finished_at=Now(),
                **counts,
            )
            record(
                event="imports.batch.finished",
                actor=self.batch.actor,
                subject=self.batch,
                data={"kind": self.batch.kind, "is_dry_run": self.batch.is_dry_run, **counts},
            )
        self.progress(self.batch)

    def _apply(self, stage: Stage) -> Outcome:
        with transaction.atomic():
            outcome = self.kind.apply(stage)
            if self.batch.kind == Kind.METRICS:
                # Answers that are scored in another way make other cells.
                for metric in Metric.objects.filter(pk__in=outcome.changed).order_by("pk"):
                    rebuild_cells(metric=metric, actor=self.batch.actor)
            if self.batch.is_dry_run:
                transaction.set_rollback(True)
        return outcome


def forget_files(*, batches: Iterable[ImportBatch]) -> None:
    """Delete the files of batches that are over: they may name customers in clear."""
    for batch in batches:
        if batch.is_over and batch.file.name:
            batch.file.storage.delete(batch.file.name)
            _update(batch, file="")


def _update(batch: ImportBatch, **fields: Any) -> None:
    ImportBatch.objects.filter(pk=batch.pk).update(**fields)
    batch.refresh_from_db()


def _fail(batch: ImportBatch, error: CxplanError) -> None:
    told = (
        error.as_dict()
        if isinstance(error, FileRefused)
        else {"code": error.code, "message": error.message, "line": None, "field": error.field, "remedy": ""}
    )
    with transaction.atomic():
        _update(batch, state=ImportBatch.State.FAILED, phase="", error=told, finished_at=Now())
        record(event="imports.batch.failed", actor=batch.actor, subject=batch, data={"code": told["code"]})


@contextmanager
def _holding(statement: str, *key: int) -> Iterator[bool]:
    """Hold an advisory lock of the session; it ends with the connection, however that ends."""
    with connection.cursor() as cursor:
        cursor.execute(statement, key)
        is_held = cursor.fetchone()[0] is not False
    try:
        yield is_held
    finally:
        if is_held:
            _quietly("SELECT pg_advisory_unlock(%s, %s)", key)


@contextmanager
def _memory() -> Iterator[None]:
    """Let the joins of an import work in memory."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET work_mem = '{WORK_MEMORY}'")
        # Compiling the statements of an import takes longer than running them.
        cursor.execute("SET jit = off")
        # Enough to tell large from small; the server looks closer when it has time.
        cursor.execute("SET default_statistics_target = 10")
    try:
        yield
    finally:
        _quietly("RESET work_mem", ())
        _quietly("RESET jit", ())
        _quietly("RESET default_statistics_target", ())


def _quietly(statement: str, parameters: Sequence[int]) -> None:
    """Run a clean-up that a lost connection has done already."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
    except (InterfaceError, OperationalError, InternalError):
        connection.close()


def resume_imports() -> list[ImportBatch]:
    """Run what nobody runs: batches whose task was lost, and those whose process was killed."""
    forget_files(batches=ImportBatch.objects.exclude(file="").exclude(pk__in=ImportBatch.objects.unfinished()))
    patience = Now() - timedelta(seconds=PATIENCE_SECONDS)
    waiting = ImportBatch.objects.unfinished().exclude(state=ImportBatch.State.RECEIVED, created_at__gt=patience)
    return [run_import(batch=batch) for batch in waiting.order_by("pk")]
