"""A recipe as a document to print: what people wrote goes in as data, never into the template."""

from collections.abc import Iterator
from datetime import date
from json import dumps
from typing import Any

import typst
from django.conf import settings
from django.utils.translation import gettext as _
from markdown_it.token import Token

from apps.core.formats import counted, number
from apps.core.templatetags.cx import COST_WORDS
from apps.library.pages import SolutionPage
from apps.library.recipes import tokens_of

TEMPLATE = "templates/library/recipe.typ"


def recipe_pdf(page: SolutionPage, *, language: str, as_of: date) -> bytes:
    """The recipe in the reader's language, as an accessible PDF."""
    data = {
        "language": language[:2],
        "title": page.wording.title,
        "author": page.author,
        "kind": page.kind_label,
        "summary": page.wording.summary,
        "facts": list(_facts(page)),
        "parts": [{"label": part.label, "blocks": list(blocks(part.source))} for part in page.wording.parts],
        "answers": _("It answers"),
        "challenges": [challenge.name for challenge in page.challenges],
        "footer": _("%(code)s, version %(number)s, printed %(day)s")
        % {
            "code": page.code,
            "number": page.versions[0].number if page.versions else 0,
            "day": as_of.isoformat(),
        },
    }
    return typst.compile(
        str(settings.BASE_DIR / TEMPLATE),
        root=str(settings.BASE_DIR / "templates"),
        sys_inputs={"data": dumps(data)},
        pdf_standards="ua-1",
        ignore_system_fonts=True,
    )


def blocks(markdown: str) -> Iterator[dict[str, Any]]:
    """Paragraphs, headings and lists of a text; lists inside lists are told in one level."""
    kind, items, depth, heading = "", list[list[dict[str, Any]]](), 0, False
    for token in tokens_of(markdown):
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                depth += 1
                if depth == 1:
                    kind, items = ("bullet" if token.type.startswith("bullet") else "number"), []
            case "bullet_list_close" | "ordered_list_close":
                depth -= 1
                if depth == 0:
                    yield {"kind": kind, "items": items}
            case "heading_open":
                heading = True
            case "heading_close":
                heading = False
            case "inline" if depth:
                items.append(runs(token))
            case "inline":
                yield {"kind": "heading" if heading else "text", "runs": runs(token)}
            case "code_block" | "fence":
                yield {"kind": "text", "runs": [_run(token.content.rstrip())]}


def runs(inline: Token) -> list[dict[str, Any]]:
    """The pieces of a line with how each is set."""
    bold, emphasis, link, found = 0, 0, "", []
    for token in inline.children or ():
        match token.type:
            case "strong_open":
                bold += 1
            case "strong_close":
                bold -= 1
            case "em_open":
                emphasis += 1
            case "em_close":
                emphasis -= 1
            case "link_open":
                link = str(token.attrGet("href") or "")
            case "link_close":
                link = ""
            case "softbreak" | "hardbreak":
                found.append(_run("\n"))
            case _ if token.content:
                found.append(_run(token.content, bold=bool(bold), emphasis=bool(emphasis), link=link))
    return found


def _run(text: str, *, bold: bool = False, emphasis: bool = False, link: str = "") -> dict[str, Any]:
    return {"text": text, "bold": bold, "emphasis": emphasis, "link": link}


def _facts(page: SolutionPage) -> Iterator[dict[str, str]]:
    if page.cost is not None:
        yield {"name": _("Cost"), "value": str(COST_WORDS[page.cost])}
    if page.effort_hours is not None:
        yield {"name": _("Effort"), "value": f"{number(page.effort_hours)} {_('hours')}"}
    if page.lag_days:
        yield {"name": _("Shows after"), "value": counted(page.lag_days, "day")}
    if page.owner:
        yield {"name": _("Owner"), "value": page.owner}
