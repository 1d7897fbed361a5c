"""What somebody asks the library: a few words, the facets chosen and how to show what is found."""

from dataclasses import dataclass, fields, replace
from typing import Any

from django.utils.http import urlencode

SOLUTIONS, CHALLENGES, IDEAS = "solutions", "challenges", "ideas"
# A facet of solutions that is chosen asks for solutions alone.
OF_SOLUTIONS = ("kind", "evidence", "verdict", "cost", "unit_kind", "status", "language")
TABLE, BUBBLES = "table", "bubbles"
MOST_PINS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Empty texts and None ask for nothing in particular; `cost` is the highest, `evidence` the lowest wanted."""

    q: str = ""
    what: str = ""
    challenge: str = ""
    touchpoint: str = ""
    kind: str = ""
    evidence: int | None = None
    verdict: str = ""
    cost: int | None = None
    unit_kind: str = ""
    language: str = ""
    status: str = ""
    state: str = ""
    order: str = ""
    view: str = ""
    metric: str = ""
    pin: tuple[str, ...] = ()
    page: int = 1

    @property
    def kinds_of_hits(self) -> tuple[str, ...]:
        """Of what to look for, given what was chosen."""
        if self.what:
            return (self.what,)
        if any(getattr(self, name) not in ("", None) for name in OF_SOLUTIONS) or self.view == BUBBLES:
            return (SOLUTIONS,)
        return (IDEAS,) if self.state else (SOLUTIONS, CHALLENGES, IDEAS)

    @property
    def is_narrowed(self) -> bool:
        asked = ("challenge", "touchpoint", "state", *OF_SOLUTIONS)
        return any(getattr(self, name) not in ("", None) for name in asked)

    def address(self, **changes: Any) -> str:
        """The query string of this question with something changed; a change starts again at page one."""
        changed = replace(self, **{"page": 1, **changes})
        pairs = {field.name: getattr(changed, field.name) for field in fields(changed)}
        kept = {name: value for name, value in pairs.items() if value not in ("", None, ())}
        if kept.get("page") == 1:
            del kept["page"]
        return "?" + urlencode(kept, doseq=True)

    def with_pin(self, code: str) -> str:
        """The address that pins a solution for comparing, or takes its pin away."""
        others = tuple(pinned for pinned in self.pin if pinned != code)
        pins = others if code in self.pin else (*self.pin, code)[-MOST_PINS:]
        return self.address(pin=pins, page=self.page)
