"""The lines of a recipe's procedure that can become tasks."""

import re

LINES_AT_MOST = 12
LENGTH_AT_MOST = 300
_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+(?P<text>\S.*)$")
_LINK = re.compile(r"\[([^\]\n]+)\]\([^)\n]*\)")
_EMPHASIS = re.compile(r"\*{1,2}([^*\n]+)\*{1,2}")


def lines_of(procedure: str, *, body: str = "") -> list[str]:
    """One line a step, without list marks; the body's lists stand in for a procedure that is not told."""
    told = [line.strip() for line in procedure.splitlines() if line.strip()]
    lines = [_without_mark(line) for line in told] or [
        match["text"] for line in body.splitlines() if (match := _MARK.match(line))
    ]
    plain = [_EMPHASIS.sub(r"\1", _LINK.sub(r"\1", line)).strip()[:LENGTH_AT_MOST] for line in lines]
    return list(dict.fromkeys(line for line in plain if line))[:LINES_AT_MOST]


def _without_mark(line: str) -> str:
    match = _MARK.match(line)
    return match["text"] if match else line
