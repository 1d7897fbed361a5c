"""Forgets noted changes that are long since read."""

from django.db import connection

KEPT_CHANGES = 100
# Each table of which something is forgotten gets a new row: whoever read it before sees that it is another state.
_FORGET = """
    WITH forgotten AS (
        DELETE FROM search_change WHERE id <= (SELECT max(id) - %s FROM search_change) RETURNING source
    ), noted AS (
        INSERT INTO search_change (source) SELECT DISTINCT source FROM forgotten
    )
    SELECT count(*) FROM forgotten
"""


def forget_changes() -> int:
    """How many were forgotten; whoever keeps a shelf in memory reads the tables concerned once more."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [KEPT_CHANGES])
        forgotten: int = cursor.fetchone()[0]
    return forgotten
