"""How do many new rows get into a table at once?"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import connection, models
from psycopg import sql

# Rows that are written out at once: enough to keep the server busy, few enough to weigh nothing.
BATCH = 2000
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_NULL = r"\N"
_JSON = json.JSONEncoder(allow_nan=False)

Values = Sequence[Any]


def copy_rows(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    """Insert rows by COPY; they get their keys in the database and do not learn them."""
    kept = [row.__dict__ for row in rows]
    names = [field.attname for field in _fields(model)]
    copy_columns(model, {name: [row[name] for row in kept] for name in names})


def copy_columns(model: type[models.Model], columns: Mapping[str, Any]) -> None:
    """The same, column by column: a list holds a value for each row, anything else is one for all of them."""
    fields = _fields(model)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields),
    )
    count = max(len(values) for values in columns.values() if isinstance(values, list))
    written = [_written(field, columns[field.attname], count) for field in fields]
    lines = map("\t".join, zip(*written, strict=True))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        while some := "\n".join(islice(lines, BATCH)):
            copy.write(f"{some}\n")


def _fields(model: type[models.Model]) -> "list[models.Field[Any, Any]]":
    return [field for field in model._meta.concrete_fields if not field.primary_key]


def _written(field: "models.Field[Any, Any]", values: Any, count: int) -> list[str]:
    """A column as COPY reads it; a text that many rows share is written once."""
    if not isinstance(values, list):
        return _written(field, [values], 1) * count
    if isinstance(field, models.FloatField):
        return [_NULL if value is None else repr(value) for value in values]
    if not isinstance(field, models.CharField | models.TextField | models.JSONField):
        return [_NULL if value is None else str(value) for value in values]
    if isinstance(field, models.JSONField):
        # Lists and objects have no value to be found by, only a place where they lie.
        known = {id(value): value for value in values}
        texts = {
            key: _NULL if one is None else _JSON.encode(one).translate(_ESCAPES) for key, one in known.items()
        }
        return [texts[id(value)] for value in values]
    texts = {value: _NULL if value is None else value.translate(_ESCAPES) for value in set(values)}
    return [texts[value] for value in values]
