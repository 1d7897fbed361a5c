"""How do many new rows get into a table at once?"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection, models
from psycopg import sql


def copy_rows(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    """Insert rows by COPY; they get their keys in the database and do not learn them."""
    columns = [field for field in model._meta.concrete_fields if not field.primary_key]
    readers = [_reader(field) for field in columns]
    names: list[sql.Composable] = [sql.Identifier(str(field.column)) for field in columns]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(names)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            values = row.__dict__
            copy.write_row([read(values) for read in readers])


def _reader(field: "models.Field[Any, Any]") -> Callable[[dict[str, Any]], Any]:
    name = field.attname
    if isinstance(field, models.JSONField):
        return lambda values: None if values[name] is None else json.dumps(values[name], allow_nan=False)
    return lambda values: values[name]
