"""The parts of a recipe, and what a text of one language consists of."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from django.utils.translation import gettext_lazy as _

# Language of the main text; other languages are translations of it.
MAIN_LANGUAGE = "en"
LANGUAGES = {"en": _("English"), "fr": _("French")}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeText:
    """A solution's words in one language, by the parts of TIDieR; `body` is the free part."""

    title: str = ""
    summary: str = ""
    why: str = ""
    materials: str = ""
    procedure: str = ""
    who: str = ""
    how: str = ""
    where: str = ""
    when_and_how_much: str = ""
    tailoring: str = ""
    fidelity: str = ""
    body: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)

    @property
    def is_empty(self) -> bool:
        return not any(asdict(self).values())


NAMES = tuple(one.name for one in fields(RecipeText))
# What is written down besides title and summary, in the order of the page.
PARTS = NAMES[2:]
LABELS: dict[str, Any] = {
    "title": _("Title"),
    "summary": _("In a sentence or two"),
    "why": _("Why it works"),
    "materials": _("What you need"),
    "procedure": _("Step by step"),
    "who": _("Who does it"),
    "how": _("In what way"),
    "where": _("Where"),
    "when_and_how_much": _("When and how much"),
    "tailoring": _("What you may adapt"),
    "fidelity": _("How to check that it is done"),
    "body": _("Anything else"),
}
HINTS: dict[str, Any] = {
    "title": _("What is done, in a few words."),
    "summary": _("What a colleague reads before deciding."),
    "why": _("What makes customers feel the difference."),
    "materials": _("Things, sheets, systems; one a line."),
    "procedure": _("Number the steps: 1. 2. 3."),
    "who": _("The role, and what they must know."),
    "how": _("Face to face, by phone, one to one, in a group…"),
    "where": _("The place and what it must have."),
    "when_and_how_much": _("How often, how long, at what times."),
    "tailoring": _("What may differ from unit to unit, and what must not."),
    "fidelity": _("What to look at, how often, and what is good enough."),
    "body": _("Whatever fits nowhere else."),
}
LENGTHS = {"title": 200, "summary": 20_000, "body": 100_000}
LENGTH_MAX = 20_000
