"""Two look-alikes part by part, so that a person sees what they share."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Scope
from apps.core import formats
from apps.curation.models import LookAlike
from apps.ideas.models import Idea
from apps.ideas.states import UNDECIDED
from apps.library.models import PlaybookSolution, Solution, SolutionLink

NOTES = {
    LookAlike.Kind.SOLUTIONS: gettext_lazy(
        "The one you keep takes over links with their reasons, places in playbooks and aliases. "
        "The other is retired and points to it; its uses and their evidence stay where they are."
    ),
    LookAlike.Kind.IDEAS: gettext_lazy(
        "The one you keep goes on with the votes, comments and authors of both. It can be undone for a day."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    title: str
    url: str
    chip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A heading with what each of the two says under it."""

    label: str
    first: str
    second: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """`choices` holds how the two may be joined: keep the first, keep the second, or the solution answers."""

    found: LookAlike
    likeness: float
    first: Side
    second: Side
    parts: tuple[Part, ...]
    choices: tuple[str, ...]
    note: str

    @property
    def has_words(self) -> bool:
        """Whether an author is told in words."""
        return "answered" in self.choices


def pair_of(found: LookAlike, *, scope: Scope) -> Pair:
    """Both sides with their links and places; a constant number of queries."""
    ours, theirs = [one for one in (found.idea, found.other_idea, found.solution, found.other_solution) if one]
    solutions = [one for one in (found.solution, found.other_solution) if one is not None]
    linked, placed = _challenges(solutions), _playbooks(solutions)
    first, second = (_facts(one, linked, placed) for one in (ours, theirs))
    labels = list(dict.fromkeys([*first, *second]))
    return Pair(
        found=found,
        likeness=found.likeness,
        first=_side(ours),
        second=_side(theirs),
        parts=tuple(
            Part(label=label, first=first.get(label, ""), second=second.get(label, ""))
            for label in labels
            if first.get(label) or second.get(label)
        ),
        choices=_choices(found, scope),
        note=str(NOTES.get(LookAlike.Kind(found.kind), "")),
    )


def _choices(found: LookAlike, scope: Scope) -> tuple[str, ...]:
    if found.kind == LookAlike.Kind.SOLUTIONS:
        return ("first", "second")
    if found.kind == LookAlike.Kind.MIXED:
        return ("answered",)
    idea, other = found.idea, found.other_idea
    assert idea is not None
    assert other is not None
    return tuple(
        choice
        for choice, joined, kept in (("first", other, idea), ("second", idea, other))
        # Who joins an idea to another one decides on the one that ends.
        if scope.holds(joined.unit.path) and joined.state in UNDECIDED and kept.is_public
    )


def _side(entry: Idea | Solution) -> Side:
    if isinstance(entry, Solution):
        url = reverse("library:solution", args=[entry.code])
        return Side(title=entry.display_title, url=url, chip=entry.get_status_display())
    return Side(title=entry.title, url=reverse("ideas:idea", args=[entry.pk]), chip=entry.get_state_display())


def _facts(
    entry: Idea | Solution, linked: Mapping[int, list[str]], placed: Mapping[int, list[str]]
) -> dict[str, str]:
    if isinstance(entry, Idea):
        return {
            _("In short"): entry.text,
            _("Problem"): entry.problem,
            _("Unit"): entry.unit.display_name,
            _("Votes"): formats.number(entry.vote_count),
            _("Since"): formats.exact_day(entry.created_at.date()),
        }
    return {
        _("In short"): entry.display_summary,
        _("Kind"): entry.get_kind_display(),
        _("Challenges"): ", ".join(linked.get(entry.pk, [])),
        _("Playbooks"): ", ".join(placed.get(entry.pk, [])),
        _("Since"): formats.exact_day(entry.created_at.date()),
    }


def _challenges(solutions: list[Solution]) -> Mapping[int, list[str]]:
    links = SolutionLink.objects.filter(solution__in=solutions).select_related("challenge").order_by("pk")
    found: dict[int, list[str]] = {}
    for link in links:
        found.setdefault(link.solution_id, []).append(link.challenge.display_name)
    return found


def _playbooks(solutions: list[Solution]) -> Mapping[int, list[str]]:
    places = PlaybookSolution.objects.filter(solution__in=solutions).select_related("playbook").order_by("pk")
    found: dict[int, list[str]] = {}
    for place in places:
        found.setdefault(place.solution_id, []).append(place.playbook.display_title)
    return found
