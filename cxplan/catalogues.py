"""Translation catalogues: what is compiled, what is missing, what is out of date."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polib

from cxplan.embedded.home import REPOSITORY

_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


class Message(NamedTuple):
    """A translatable text as the sources have it; `plural` and `context` are empty when absent."""

    text: str
    plural: str = ""
    context: str = ""


def catalogues() -> list[Path]:
    return sorted((REPOSITORY / "locale").glob("*/LC_MESSAGES/*.po"))


def compile_all() -> int:
    """Write every .mo older than its .po; their number."""
    outdated = [path for path in catalogues() if _is_newer(path, than=path.with_suffix(".mo"))]
    for path in outdated:
        polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))
    return len(outdated)


def merge(path: Path, messages: dict[Message, list[str]]) -> None:
    """Bring a catalogue in step with the sources, keeping every translation that still has its text."""
    old = polib.pofile(str(path)) if path.exists() else polib.POFile()
    known = {_message(entry): entry for entry in old if not entry.obsolete}
    new = polib.POFile(wrapwidth=100)
    language = path.parent.parent.name
    new.metadata = old.metadata or {
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Language": language,
        "MIME-Version": "1.0",
        "Plural-Forms": "nplurals=2; plural=(n > 1);" if language == "fr" else "nplurals=2; plural=(n != 1);",
    }
    for message, files in sorted(messages.items()):
        before = known.get(message)
        entry = polib.POEntry(
            msgid=message.text,
            msgid_plural=message.plural,
            msgctxt=message.context or None,
            msgstr=before.msgstr if before and not message.plural else "",
            msgstr_plural=(before.msgstr_plural if before else {0: "", 1: ""}) if message.plural else {},
            occurrences=[(file, "") for file in files],
            tcomment=before.tcomment if before else "",
            flags=["python-format"] if re.search(r"%\(\w+\)|%[sd]", message.text) else [],
        )
        new.append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    new.save(str(path))


def problems(path: Path, messages: dict[Message, list[str]]) -> Iterator[str]:
    """What keeps a catalogue from being complete, a sentence each."""
    entries = {_message(entry): entry for entry in polib.pofile(str(path)) if not entry.obsolete}
    for message in messages.keys() - entries.keys():
        yield f"missing: {message.text!r} of {messages[message][0]} (run: make messages)"
    for message in entries.keys() - messages.keys():
        yield f"no longer in the sources: {message.text!r} (run: make messages)"
    for message, entry in entries.items():
        translations = list(entry.msgstr_plural.values()) if message.plural else [entry.msgstr]
        if entry.fuzzy:
            yield f"fuzzy: {message.text!r}"
        if not all(translations):
            yield f"not translated: {message.text!r}"
        wanted = set(_PLACEHOLDER.findall(message.text + message.plural))
        # A plural form may leave the number out ("one unit"), but no form may invent a placeholder.
        for text in filter(None, translations):
            used = set(_PLACEHOLDER.findall(text))
            if used - wanted or (not message.plural and used != wanted):
                yield f"placeholders differ: {message.text!r} → {text!r}"


def _message(entry: polib.POEntry) -> Message:
    return Message(entry.msgid, entry.msgid_plural or "", entry.msgctxt or "")


def _is_newer(path: Path, *, than: Path) -> bool:
    return not than.exists() or path.stat().st_mtime > than.stat().st_mtime
