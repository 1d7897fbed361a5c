"""What does the reference of the methods say? The Markdown page that comes along, as a safe web page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from markdown_it import MarkdownIt
from markdown_it.token import Token

# The page has a title of its own, so the text's headings begin below it.
BELOW_TITLE = 1
# A table of so few columns becomes cards on a phone; a wider one is moved sideways under a thumb.
CARD_COLUMNS = 4
# Marks between which figures are written; they are no text.
_MARK = re.compile(r"^<!--.*?-->\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    anchor: str
    title: str
    is_part: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The text as HTML, and its headings in order."""

    html: SafeString
    contents: tuple[Heading, ...]


def read_reference(path: Path) -> Reference | None:
    """The page at `path`, rendered once for each state of the file; None where it is not installed."""
    try:
        state = path.stat()
    except OSError:
        return None
    return _rendered(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=2)
def _rendered(path: Path, _changed: int, _size: int) -> Reference:
    return render_reference(path.read_text(encoding="utf-8"))


def render_reference(text: str) -> Reference:
    """Markdown without any HTML of its own; the first heading is the page's title and is left out."""
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    renderer.disable(["image", "html_block", "html_inline"])
    tokens = renderer.parse(_MARK.sub("", text))
    if tokens and tokens[0].tag == "h1":
        tokens = tokens[3:]
    contents = _name_headings(tokens)
    html: str = renderer.renderer.render(_wrap_tables(tokens), renderer.options, {})
    # What is wider than a phone is moved by keyboard, too.
    html = html.replace("<pre>", '<pre tabindex="0">')
    return Reference(html=mark_safe(html), contents=contents)  # noqa: S308 -- html is off


def _name_headings(tokens: Sequence[Token]) -> tuple[Heading, ...]:
    """Move headings below the page's title, and give each an address."""
    found: list[Heading] = []
    taken: set[str] = set()
    for at, token in enumerate(tokens):
        if token.type not in ("heading_open", "heading_close"):
            continue
        level = int(token.tag[1:])
        token.tag = f"h{level + BELOW_TITLE}"
        if token.type == "heading_close":
            continue
        title = _plain(tokens[at + 1])
        anchor = slugify(title) or "part"
        while anchor in taken:
            anchor += "-more"
        taken.add(anchor)
        token.attrSet("id", anchor)
        found.append(Heading(anchor=anchor, title=title, is_part=level == 1))
    return tuple(found)


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def _wrap_tables(tokens: Sequence[Token]) -> list[Token]:
    """Small tables name their cells, so that a phone can stack them; wide ones get a frame that scrolls."""
    out: list[Token] = []
    head: list[str] = []
    column = 0
    for at, token in enumerate(tokens):
        if token.type == "table_open":
            head = _head(tokens, at)
            is_wide = len(head) > CARD_COLUMNS
            token.attrSet("class", "cx-table" if is_wide else "cx-table cx-table--cards")
            name = escape(_before(tokens, at))
            frame = f'<div class="cx-wide" role="region" tabindex="0" aria-label="{name}">' if is_wide else "<div>"
            out.append(_raw(frame))
        elif token.type == "tr_open":
            column = 0
        elif token.type == "th_open":
            token.attrSet("scope", "col")
        elif token.type == "td_open":
            if column == 0:
                token.tag = "th"
                token.attrSet("scope", "row")
            elif column < len(head):
                token.attrSet("data-label", head[column])
            column += 1
        elif token.type == "td_close" and column == 1:
            token.tag = "th"
        out.append(token)
        if token.type == "table_close":
            out.append(_raw("</div>"))
    return out


def _head(tokens: Sequence[Token], at: int) -> list[str]:
    titles = []
    for index in range(at, len(tokens)):
        if tokens[index].type == "th_open":
            titles.append(_plain(tokens[index + 1]))
        elif tokens[index].type == "thead_close":
            break
    return titles


def _before(tokens: Sequence[Token], at: int) -> str:
    """The heading a table stands under."""
    for index in range(at, -1, -1):
        if tokens[index].type == "heading_open":
            return _plain(tokens[index + 1])
    return ""


def _raw(html: str) -> Token:
    """Markup of ours between the tokens; only these and what the renderer makes reach the page unescaped."""
    return Token("html_block", "", 0, content=html)
