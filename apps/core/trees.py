"""Materialised paths of a tree, so that a subtree is one indexed prefix match."""

from django.db import connection


def path_prefixes(path: str) -> list[str]:
    """The paths of every ancestor of `path` and itself, the root first: "1.5." gives ["1.", "1.5."]."""
    steps = path.rstrip(".").split(".") if path else []
    return [".".join(steps[: depth + 1]) + "." for depth in range(len(steps))]


def refresh_paths(*, table: str, parents: str) -> int:
    """Recompute `table.path` from the parent of each row and return how many rows moved.

    `parents` is a query giving (id, parent_id), parent_id NULL for a root. A path is the chain of ids from
    the root, each followed by a dot. Rows caught in a cycle keep an empty path.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE parents AS ({parents}), tree AS (
                SELECT id, id || '.' AS path FROM parents WHERE parent_id IS NULL
                UNION ALL
                SELECT child.id, tree.path || child.id || '.'
                FROM parents child JOIN tree ON child.parent_id = tree.id
            )
            UPDATE {table} AS target SET path = tree.path
            FROM tree WHERE tree.id = target.id AND target.path IS DISTINCT FROM tree.path
            """
        )
        moved: int = cursor.rowcount
        return moved
