"""Finds the translatable texts of Python sources and templates; needs Babel, a development tool."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract
from django.utils.translation.template import templatize

from cxplan.catalogues import Message
from cxplan.embedded.home import REPOSITORY

KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}


def messages(*, root: Path = REPOSITORY) -> dict[Message, list[str]]:
    """Every translatable text below `root` with the files that use it."""
    found: dict[Message, set[str]] = {}
    for path in _sources(root):
        name = str(path.relative_to(root))
        source = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            # Its lines are read as Python's, to which their indentation would mean something.
            source = "\n".join(line.lstrip() for line in templatize(source, origin=name).splitlines())
        for message in _extract(source):
            found.setdefault(message, set()).add(name)
    return {message: sorted(files) for message, files in found.items()}


def _sources(root: Path) -> Iterator[Path]:
    for folder in ("apps", "cxplan"):
        for path in sorted((root / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path
    for folder in ("templates", "apps"):
        for ending in ("html", "txt"):
            yield from sorted((root / folder).rglob(f"*.{ending}"))


def _extract(source: str) -> Iterator[Message]:
    for _, texts, _, context in extract("python", BytesIO(source.encode()), keywords=KEYWORDS):
        text, plural = (texts[0], texts[1]) if isinstance(texts, tuple) else (texts, "")
        if text:
            yield Message(text, plural or "", context or "")
