"""What differs between two texts, word by word."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
# Beyond this the comparison would take longer than anybody reads.
WORDS_MAX = 8_000


class Change(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    text: str
    change: Change

    @property
    def is_added(self) -> bool:
        return self.change is Change.ADDED

    @property
    def is_removed(self) -> bool:
        return self.change is Change.REMOVED


def difference(old: str, new: str) -> tuple[Piece, ...]:
    """The old and the new text as one sequence of pieces that stayed, went and came."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    if max(len(before), len(after)) > WORDS_MAX:
        whole = [Piece(text=old, change=Change.REMOVED), Piece(text=new, change=Change.ADDED)]
        return tuple(piece for piece in whole if piece.text)
    return tuple(_joined(_pieces(before, after)))


def _pieces(before: Sequence[str], after: Sequence[str]) -> Iterator[Piece]:
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    for what, i, j, k, m in matcher.get_opcodes():
        if what == "equal":
            yield Piece(text="".join(before[i:j]), change=Change.SAME)
            continue
        if i < j:
            yield Piece(text="".join(before[i:j]), change=Change.REMOVED)
        if k < m:
            yield Piece(text="".join(after[k:m]), change=Change.ADDED)


def _joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """A blank between two changes is read as part of them."""
    removed, added = "", ""
    for piece in pieces:
        if piece.change is Change.SAME and (piece.text.strip() or not (removed or added)):
            yield from _flush(removed, added)
            removed = added = ""
            yield piece
        elif piece.change is Change.SAME:
            removed, added = removed + piece.text, added + piece.text
        elif piece.change is Change.REMOVED:
            removed += piece.text
        else:
            added += piece.text
    yield from _flush(removed, added)


def _flush(removed: str, added: str) -> Iterator[Piece]:
    if removed == added:
        if removed:
            yield Piece(text=removed, change=Change.SAME)
        return
    if removed:
        yield Piece(text=removed, change=Change.REMOVED)
    if added:
        yield Piece(text=added, change=Change.ADDED)
