"""The choices that narrow a search down, each with how much it would leave."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.accounts.models import Role
from apps.accounts.person import Person
from apps.core import formats
from apps.impact.models import RankedSolution
from apps.library.models import Solution
from apps.search.choices import COSTS, EVIDENCE, LANGUAGES, STATES
from apps.search.question import Question
from apps.taxonomy.models import Challenge, Touchpoint

FACET_VALUES = 12
Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValue:
    value: str
    label: str
    count: int
    is_chosen: bool
    # The address with this value chosen, or with the choice taken back.
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    name: str
    label: str
    values: tuple[FacetValue, ...]
    is_chosen: bool


def solution_facets(question: Question, counts: Counts, person: Person) -> tuple[Facet, ...]:
    most = _most(counts["challenge"])
    named = Challenge.objects.filter(Q(pk__in=most) | Q(code__iexact=question.challenge))
    challenges = {str(challenge.pk): challenge for challenge in named.only("code", "name", "name_fr")}
    of = _Facets(question, counts)
    facets = [
        of.named("challenge", _("Challenge"), challenges),
        of.listed("kind", _("Kind"), Solution.Kind.choices),
        of.at_least("evidence", _("Evidence, at least"), EVIDENCE),
        of.listed("verdict", _("Verdict"), RankedSolution.Verdict.choices),
        of.at_most("cost", _("Cost, at most"), COSTS),
        of.named("touchpoint", _("Touchpoint"), _touchpoints(counts["touchpoint"])),
        of.free("unit_kind", _("Used in")),
        of.listed("language", _("Languages"), LANGUAGES),
    ]
    if person.has(Role.LEAD):
        facets.append(of.all_statuses())
    return tuple(facet for facet in facets if facet.values)


def touchpoint_facet(question: Question, counts: Mapping[str, int]) -> tuple[Facet, ...]:
    facet = _Facets(question, {"touchpoint": counts}).named("touchpoint", _("Touchpoint"), _touchpoints(counts))
    return (facet,) if facet.values else ()


def state_facet(question: Question, counts: Mapping[str, int]) -> tuple[Facet, ...]:
    facet = _Facets(question, {"state": counts}).listed("state", _("State"), STATES)
    return (facet,) if facet.values else ()


def _touchpoints(counts: Mapping[str, int]) -> dict[str, Touchpoint]:
    return {str(touchpoint.pk): touchpoint for touchpoint in Touchpoint.objects.filter(pk__in=list(counts))}


def _most(counts: Mapping[str, int]) -> list[str]:
    return sorted(counts, key=lambda value: (-counts[value], value))[:FACET_VALUES]


class _Facets:
    """Makes the facets of one question from the counts by value."""

    def __init__(self, question: Question, counts: Counts) -> None:
        self.question = question
        self.counts = counts

    def listed(self, name: str, label: str, choices: Iterable[tuple[Any, Any]]) -> Facet:
        counts = self.counts.get(name, {})
        return self._facet(name, label, [(str(v), str(word), counts.get(str(v), 0)) for v, word in choices])

    def at_least(self, name: str, label: str, choices: Sequence[tuple[int, Any]]) -> Facet:
        counts = {int(value): number for value, number in self.counts.get(name, {}).items()}
        reach = [(str(v), str(word), sum(n for level, n in counts.items() if level >= v)) for v, word in choices]
        return self._facet(name, label, reach)

    def at_most(self, name: str, label: str, choices: Sequence[tuple[int, Any]]) -> Facet:
        counts = {int(value): number for value, number in self.counts.get(name, {}).items()}
        reach = [(str(v), str(word), sum(n for level, n in counts.items() if level <= v)) for v, word in choices]
        return self._facet(name, label, reach)

    def named(self, name: str, label: str, terms: Mapping[str, Any]) -> Facet:
        counts = self.counts.get(name, {})
        # Those named that are not among the most are chosen.
        most = [*_most(counts), *terms.keys() - set(_most(counts))]
        listed = [(terms[pk].code, terms[pk].display_name, counts.get(pk, 0)) for pk in most if pk in terms]
        return self._facet(name, label, listed)

    def free(self, name: str, label: str) -> Facet:
        counts = self.counts.get(name, {})
        return self._facet(
            name, label, [(value, capfirst(formats.code_as_said(value)), counts[value]) for value in _most(counts)]
        )

    def all_statuses(self) -> Facet:
        """Every status can be asked for, published ones unless another is."""
        chosen = self.question.status or Solution.Status.PUBLISHED
        counts = self.counts.get("status", {})
        values = tuple(
            FacetValue(
                value=value,
                label=str(word),
                count=counts.get(value, 0),
                is_chosen=value == chosen,
                url=self.question.address(status="" if value == Solution.Status.PUBLISHED else value),
            )
            for value, word in Solution.Status.choices
        )
        return Facet(name="status", label=_("Status"), values=values, is_chosen=bool(self.question.status))

    def _facet(self, name: str, label: str, counted: Iterable[tuple[str, str, int]]) -> Facet:
        asked = getattr(self.question, name)
        chosen = "" if asked is None else str(asked).lower()
        values = tuple(
            FacetValue(
                value=value,
                label=word,
                count=number,
                is_chosen=value.lower() == chosen,
                url=self.question.address(
                    **{name: _empty(name) if value.lower() == chosen else _typed(name, value)}
                ),
            )
            for value, word, number in counted
            if number or value.lower() == chosen
        )
        return Facet(name=name, label=label, values=values, is_chosen=bool(chosen))


def _empty(name: str) -> str | None:
    return None if name in {"evidence", "cost"} else ""


def _typed(name: str, value: str) -> str | int:
    return int(value) if name in {"evidence", "cost"} else value
