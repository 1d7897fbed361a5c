"""Rows that name their parent: none may be unknown, none may contain itself."""

from apps.core.staging import Stage


def reject_impossible_parents(stage: Stage, *, parents: str) -> None:
    """Reject rows whose parent is unknown, or that would contain themselves.

    `parents` is a query giving (code, parent's code) of what stands, in lower case. Parents may come later in
    the same file; each rejected row may leave others without their parent, hence the loop.
    """
    if not stage.has("parent"):
        return
    standing: dict[str, str | None] = dict(stage.rows(parents))
    while True:
        rows = stage.rows("SELECT no, lower(code), lower(parent), parent_clear FROM stage_typed")
        after = dict(standing)
        for _no, code, parent, is_cleared in rows:
            after[code] = None if is_cleared else parent or standing.get(code)
        unknown = [no for no, _code, parent, _clear in rows if parent and parent not in after]
        if unknown:
            stage.reject(
                "SELECT no, 'parent', 'unknown_parent', parent, '' FROM stage_typed WHERE no = ANY(%s)", [unknown]
            )
            continue
        circles = _circles(after)
        caught = [
            (no, circles[code])
            for no, code, parent, _clear in rows
            if code in circles and parent != standing.get(code)
        ]
        if not caught:
            return
        stage.reject(
            "SELECT no, 'parent', 'cycle', parent, circle FROM stage_typed "
            "JOIN unnest(%s::bigint[], %s::text[]) caught (no, circle) USING (no)",
            [[no for no, _circle in caught], [circle for _no, circle in caught]],
        )


def _circles(parents: dict[str, str | None]) -> dict[str, str]:
    """The codes that lie on a circle, each with the circle written out."""
    circles: dict[str, str] = {}
    seen: set[str] = set()
    for start in parents:
        chain: dict[str, None] = {}
        code: str | None = start
        while code is not None and code not in seen and code not in chain:
            chain[code] = None
            code = parents.get(code)
        if code is not None and code in chain:
            steps = list(chain)
            circle = steps[steps.index(code) :]
            circles.update(dict.fromkeys(circle, " → ".join([*circle, code])))
        seen.update(chain)
    return circles
