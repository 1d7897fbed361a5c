"""What tests of imports share: writing rows as a file and running it through the services."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from apps.accounts.models import User
from apps.imports.models import ImportBatch
from apps.imports.services import receive_import, run_import

Importer = Callable[..., ImportBatch]


def as_csv(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


@pytest.fixture
def bring_in(db: None, settings: Any, tmp_path: Any) -> Importer:
    """Import rows (the first is the header), a text or bytes, and give the batch back."""

    def run(
        kind: str,
        content: Sequence[Sequence[object]] | str | bytes,
        *,
        name: str = "file.csv",
        source: str = "",
        mapping: Mapping[str, Any] | None = None,
        actor: User | None = None,
        **flags: bool,
    ) -> ImportBatch:
        data = (
            content.encode()
            if isinstance(content, str)
            else content
            if isinstance(content, bytes)
            else as_csv(content)
        )
        batch = receive_import(
            kind=kind, file=io.BytesIO(data), file_name=name, source=source, mapping=mapping, actor=actor, **flags
        )
        return run_import(batch=batch)

    return run


def counts(batch: ImportBatch) -> tuple[int, int, int, int]:
    """New, duplicate, corrected and rejected rows."""
    assert batch.state == ImportBatch.State.FINISHED, batch.error
    return batch.accepted_count, batch.duplicate_count, batch.corrected_count, batch.rejected_count


def told(batch: ImportBatch) -> list[tuple[int, str, str]]:
    """Line, field and code of each rejected row."""
    return [(one["line"], one["field"], one["code"]) for one in batch.reject_sample]
