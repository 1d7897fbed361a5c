"""A solution pack as values: what the JSON format holds, and what is wrong with one that does not fit."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from apps.core.errors import CxplanError
from apps.library.texts import LENGTH_MAX, LENGTHS, PARTS, RecipeText

FORMAT, VERSION = "cxplan-solution-pack", 1
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MOST_ENTRIES = 2_000
MOST_PROBLEMS = 50
KINDS = ("training", "sop", "asset", "policy", "system", "communication")
FEWEST_UNITS = 3


class PackInvalid(CxplanError):
    """Says every place that does not fit, each as a JSON pointer and what to do."""

    code = "pack_invalid"

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = tuple(problems[:MOST_PROBLEMS])
        first = f"{self.problems[0][0] or '/'}: {self.problems[0][1]}"
        more = len(problems) - 1
        super().__init__(
            first if not more else _("%(first)s (and %(more)d more)") % {"first": first, "more": more}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text in English, and in French where there is one."""

    en: str = ""
    fr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackChallenge:
    code: str
    name: Words
    description: Words = field(default_factory=Words)
    parent: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackLink:
    challenge: str
    rationale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackEvidence:
    """What uses elsewhere changed, positive is better, with its 95 % interval; no unit or person is named."""

    outcome: Words
    unit: str
    effect: float
    low: float
    high: float
    uses: int
    units: int
    level: int
    method: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackSolution:
    code: str
    kind: str
    text: RecipeText
    french: RecipeText
    cost: int | None = None
    effort_hours: float | None = None
    lag_days: int = 0
    challenges: tuple[PackLink, ...] = ()
    evidence: tuple[PackEvidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackPlaybook:
    code: str
    title: Words
    why: Words
    solutions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    code: str
    title: Words
    description: Words = field(default_factory=Words)
    license: str = ""
    challenges: tuple[PackChallenge, ...] = ()
    solutions: tuple[PackSolution, ...] = ()
    playbooks: tuple[PackPlaybook, ...] = ()


def read_pack(data: Any) -> Pack:
    """Raises PackInvalid with everything that is wrong, not only the first."""
    reader = _Reader()
    pack = reader.pack(data)
    if reader.problems:
        raise PackInvalid(reader.problems)
    return pack


def write_pack(pack: Pack) -> dict[str, Any]:
    """The pack as plain JSON values; what is empty is left out."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "code": pack.code,
        "title": _said(pack.title),
        "description": _said(pack.description),
        "license": pack.license,
        "challenges": [
            _without_empty(
                {
                    "code": challenge.code,
                    "name": _said(challenge.name),
                    "description": _said(challenge.description),
                    "parent": challenge.parent,
                    "aliases": list(challenge.aliases),
                }
            )
            for challenge in pack.challenges
        ],
        "solutions": [_solution(solution) for solution in pack.solutions],
        "playbooks": [
            {
                "code": playbook.code,
                "title": _said(playbook.title),
                "why": _said(playbook.why),
                "solutions": list(playbook.solutions),
            }
            for playbook in pack.playbooks
        ],
    }


def _solution(solution: PackSolution) -> dict[str, Any]:
    text, french = solution.text.as_dict(), solution.french.as_dict()
    recipe = {part: _said(Words(en=text[part], fr=french[part])) for part in PARTS}
    return _without_empty(
        {
            "code": solution.code,
            "title": _said(Words(en=text["title"], fr=french["title"])),
            "kind": solution.kind,
            "cost": solution.cost,
            "effort_hours": solution.effort_hours,
            "lag_days": solution.lag_days,
            "challenges": [
                _without_empty({"challenge": link.challenge, "rationale": link.rationale})
                for link in solution.challenges
            ],
            "summary": _said(Words(en=text["summary"], fr=french["summary"])),
            "recipe": _without_empty(recipe),
            "evidence": [
                {
                    "outcome": _said(one.outcome),
                    "unit": one.unit,
                    "effect": one.effect,
                    "low": one.low,
                    "high": one.high,
                    "uses": one.uses,
                    "units": one.units,
                    "level": one.level,
                    "method": one.method,
                    "as_of": one.as_of,
                }
                for one in solution.evidence
            ],
        }
    )


def _said(words: Words) -> dict[str, str]:
    return _without_empty({"en": words.en, "fr": words.fr})


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


class _Reader:
    """Reads a value of unknown shape and writes down what does not fit, with its place."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []

    def wrong(self, place: str, message: str) -> None:
        self.problems.append((place, message))

    def pack(self, data: Any) -> Pack:
        values = self.object(data, "")
        if values.get("format") != FORMAT:
            self.wrong("/format", _("This is not a solution pack: “format” has to be “%s”.") % FORMAT)
        if values.get("version") != VERSION:
            self.wrong("/version", _("Only version %d of the format can be read.") % VERSION)
        if self.problems:
            return Pack(code="", title=Words())
        challenges = tuple(
            self.challenge(one, f"/challenges/{place}") for place, one in self.listed(values, "challenges", "")
        )
        solutions = tuple(
            self.solution(one, f"/solutions/{place}") for place, one in self.listed(values, "solutions", "")
        )
        playbooks = tuple(
            self.playbook(one, f"/playbooks/{place}") for place, one in self.listed(values, "playbooks", "")
        )
        self.check_codes("challenges", [one.code for one in challenges])
        self.check_codes("solutions", [one.code for one in solutions])
        self.check_codes("playbooks", [one.code for one in playbooks])
        self.check_parents(challenges)
        known = {one.code.lower() for one in solutions}
        for place, playbook in enumerate(playbooks):
            for code in playbook.solutions:
                if code.lower() not in known:
                    self.wrong(
                        f"/playbooks/{place}/solutions",
                        _("“%s” is none of the pack’s solutions. Add it, or take it out here.") % code,
                    )
        return Pack(
            code=self.code(values, ""),
            title=self.words(values, "title", "", most=200, needed=True),
            description=self.words(values, "description", ""),
            license=self.text(values, "license", "", most=100),
            challenges=challenges,
            solutions=solutions,
            playbooks=playbooks,
        )

    def challenge(self, data: Any, place: str) -> PackChallenge:
        values = self.object(data, place)
        return PackChallenge(
            code=self.code(values, place),
            name=self.words(values, "name", place, most=200, needed=True),
            description=self.words(values, "description", place),
            parent=self.text(values, "parent", place, most=64),
            aliases=tuple(self.texts(values, "aliases", place, most=300)),
        )

    def solution(self, data: Any, place: str) -> PackSolution:
        values = self.object(data, place)
        kind = self.text(values, "kind", place, most=20)
        if kind not in KINDS:
            self.wrong(f"{place}/kind", _("Choose one of %s.") % ", ".join(KINDS))
        title = self.words(values, "title", place, most=200, needed=True)
        summary = self.words(values, "summary", place, most=LENGTHS["summary"])
        recipe = self.object(values.get("recipe", {}), f"{place}/recipe")
        for name in recipe:
            if name not in PARTS:
                self.wrong(f"{place}/recipe/{name}", _("A recipe has the parts %s.") % ", ".join(PARTS))
        parts = {part: self.words(recipe, part, f"{place}/recipe") for part in PARTS}
        return PackSolution(
            code=self.code(values, place),
            kind=kind,
            text=RecipeText(title=title.en, summary=summary.en, **{part: parts[part].en for part in PARTS}),
            french=RecipeText(title=title.fr, summary=summary.fr, **{part: parts[part].fr for part in PARTS}),
            cost=self.whole(values, "cost", place, 1, 5),
            effort_hours=self.real(values, "effort_hours", place, 0, 1e6),
            lag_days=self.whole(values, "lag_days", place, 0, 3_650) or 0,
            challenges=tuple(
                self.link(one, f"{place}/challenges/{at}") for at, one in self.listed(values, "challenges", place)
            ),
            evidence=tuple(
                self.evidence(one, f"{place}/evidence/{at}") for at, one in self.listed(values, "evidence", place)
            ),
        )

    def link(self, data: Any, place: str) -> PackLink:
        values = self.object(data, place)
        code = self.text(values, "challenge", place, most=64)
        if not CODE.fullmatch(code):
            self.wrong(f"{place}/challenge", _("Name a challenge by its code."))
        return PackLink(challenge=code, rationale=self.text(values, "rationale", place))

    def evidence(self, data: Any, place: str) -> PackEvidence:
        values = self.object(data, place)
        effect, low, high = (self.real(values, name, place, -1e12, 1e12) for name in ("effect", "low", "high"))
        if effect is None or low is None or high is None or not low <= effect <= high:
            self.wrong(place, _("An effect needs its interval: low, effect and high, in this order."))
            effect = low = high = 0.0
        return PackEvidence(
            outcome=self.words(values, "outcome", place, most=200, needed=True),
            unit=self.text(values, "unit", place, most=40),
            effect=effect,
            low=low,
            high=high,
            uses=self.whole(values, "uses", place, 1, 10**6) or 0,
            units=self.whole(values, "units", place, FEWEST_UNITS, 10**6) or 0,
            level=self.whole(values, "level", place, 0, 5) or 0,
            method=self.text(values, "method", place, most=40),
            as_of=self.text(values, "as_of", place, most=10),
        )

    def playbook(self, data: Any, place: str) -> PackPlaybook:
        values = self.object(data, place)
        solutions = tuple(dict.fromkeys(self.texts(values, "solutions", place, most=64)))
        if len(solutions) < 2:
            self.wrong(f"{place}/solutions", _("A playbook joins at least two solutions."))
        return PackPlaybook(
            code=self.code(values, place),
            title=self.words(values, "title", place, most=200, needed=True),
            why=self.words(values, "why", place),
            solutions=solutions,
        )

    # Single values

    def object(self, data: Any, place: str) -> Mapping[str, Any]:
        if isinstance(data, Mapping):
            return data
        self.wrong(place, _("An object is expected here."))
        return {}

    def listed(self, values: Mapping[str, Any], name: str, place: str) -> list[tuple[int, Any]]:
        found = values.get(name)
        if found is None:
            return []
        if not isinstance(found, list) or len(found) > MOST_ENTRIES:
            self.wrong(f"{place}/{name}", _("A list of at most %d entries is expected here.") % MOST_ENTRIES)
            return []
        return list(enumerate(found))

    def code(self, values: Mapping[str, Any], place: str) -> str:
        code = values.get("code")
        if isinstance(code, str) and CODE.fullmatch(code):
            return code
        self.wrong(f"{place}/code", _("A code has up to 64 letters, digits, dots, dashes or underscores."))
        return ""

    def text(self, values: Mapping[str, Any], name: str, place: str, *, most: int = LENGTH_MAX) -> str:
        return self.checked_text(values.get(name), f"{place}/{name}", most)

    def checked_text(self, value: Any, place: str, most: int) -> str:
        if value is None:
            return ""
        # A list of lines is a numbered or plain list, for those who write packs by hand.
        if isinstance(value, list) and all(isinstance(line, str) for line in value):
            value = "\n".join(f"{number}. {line.strip()}" for number, line in enumerate(value, 1))
        if not isinstance(value, str) or "\0" in value:
            self.wrong(place, _("A text is expected here."))
            return ""
        if len(value) > most:
            self.wrong(place, _("The text is too long: at most %d characters.") % most)
            return ""
        return value.strip()

    def texts(self, values: Mapping[str, Any], name: str, place: str, *, most: int) -> list[str]:
        return [
            text
            for at, one in self.listed(values, name, place)
            if (text := self.checked_text(one, f"{place}/{name}/{at}", most))
        ]

    def words(
        self, values: Mapping[str, Any], name: str, place: str, *, most: int = LENGTH_MAX, needed: bool = False
    ) -> Words:
        found = values.get(name)
        if isinstance(found, str):
            found = {"en": found}
        if found is None:
            found = {}
        said = self.object(found, f"{place}/{name}")
        words = Words(
            en=self.checked_text(said.get("en"), f"{place}/{name}/en", most),
            fr=self.checked_text(said.get("fr"), f"{place}/{name}/fr", most),
        )
        if needed and not words.en:
            self.wrong(f"{place}/{name}/en", _("A text in English is needed here."))
        return words

    def whole(self, values: Mapping[str, Any], name: str, place: str, least: int, most: int) -> int | None:
        found = values.get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            self.wrong(
                f"{place}/{name}",
                _("A whole number from %(least)d to %(most)d is expected.") % {"least": least, "most": most},
            )
            return None
        return found

    def real(self, values: Mapping[str, Any], name: str, place: str, least: float, most: float) -> float | None:
        found = values.get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            self.wrong(f"{place}/{name}", _("A number is expected here."))
            return None
        if not least <= found <= most:
            self.wrong(f"{place}/{name}", _("The number is out of range."))
            return None
        return float(found)

    # What holds between entries

    def check_codes(self, name: str, codes: Sequence[str]) -> None:
        seen: set[str] = set()
        for place, code in enumerate(codes):
            if code and code.lower() in seen:
                self.wrong(f"/{name}/{place}/code", _("The code “%s” is used twice.") % code)
            seen.add(code.lower())

    def check_parents(self, challenges: Sequence[PackChallenge]) -> None:
        above = {one.code.lower(): one.parent.lower() for one in challenges}
        for place, one in enumerate(challenges):
            seen, code = set[str](), one.code.lower()
            while code in above and code not in seen:
                seen.add(code)
                code = above[code]
            if code in seen:
                self.wrong(f"/challenges/{place}/parent", _("The challenge stands under itself."))
