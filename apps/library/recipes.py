"""A recipe's Markdown as safe HTML: no markup of the author's own, and links that lead to the web or a mailbox."""

import re
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

# Below the title of the page, of its section and of the part.
HEADING = 4
_LINK = re.compile(r"^(https?://|mailto:)[^\s]+$", re.IGNORECASE)
_BULLET = re.compile(r"^(\s*)•\s+", re.MULTILINE)


def recipe_html(text: str) -> SafeString:
    """Headings, lists, tables, emphasis, quotes and links; whatever else somebody wrote stays text."""
    if not text.strip():
        return mark_safe("")
    html: str = _renderer().render(_BULLET.sub(r"\1- ", text))
    return mark_safe(html)  # noqa: S308 -- html is off, links are checked


def tokens_of(text: str) -> list[Token]:
    """The text as the same Markdown, for documents that are no HTML."""
    return _renderer().parse(_BULLET.sub(r"\1- ", text))


@lru_cache(maxsize=1)
def _renderer() -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    # A picture would be fetched from elsewhere; pictures belong to the files of a solution.
    renderer.disable(["image", "html_block", "html_inline"])
    renderer.validateLink = lambda url: bool(_LINK.match(url))  # type: ignore[method-assign]
    renderer.add_render_rule("link_open", _link_open)
    renderer.add_render_rule("heading_open", _heading)
    renderer.add_render_rule("heading_close", _heading)
    return renderer


def _link_open(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    tokens[at].attrSet("rel", "nofollow noopener noreferrer")
    return self.renderToken(tokens, at, options, env)


def _heading(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    tokens[at].tag = f"h{HEADING}"
    return self.renderToken(tokens, at, options, env)
