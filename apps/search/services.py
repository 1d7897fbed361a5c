"""Forgets noted changes that are long since read."""

from django.db import connection

KEPT_CHANGES = 100


def forget_changes() -> int:
    """How many were forgotten; whoever keeps a shelf in memory reads it once more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM search_change WHERE id <= (SELECT max(id) - %s FROM search_change)", [KEPT_CHANGES]
        )
        forgotten: int = cursor.rowcount
    return forgotten
