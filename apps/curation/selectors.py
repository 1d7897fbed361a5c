"""What a pack would bring, and a part of the library as a pack of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, Q
from django.utils.translation import get_language

from apps.curation.models import OutsideEvidence
from apps.curation.packs import (
    FEWEST_UNITS,
    Pack,
    PackChallenge,
    PackEvidence,
    PackLink,
    PackPlaybook,
    PackSolution,
    Words,
)
from apps.impact.models import RankedSolution
from apps.library.models import Playbook, Solution, SolutionLink, SolutionVersion
from apps.library.texts import RecipeText
from apps.taxonomy.models import Challenge


@dataclass(frozen=True, slots=True, kw_only=True)
class PackEntry:
    """A challenge of a pack with its solutions, in the reader's language."""

    name: str
    is_there: bool
    solutions: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackView:
    """A pack beside the library: `there` of its `total` solutions are in it already."""

    code: str
    title: str
    description: str
    license: str
    challenges: int
    total: int
    there: int
    playbooks: tuple[str, ...]
    entries: tuple[PackEntry, ...]

    @property
    def is_complete(self) -> bool:
        return self.there == self.total


def said(words: Words) -> str:
    return words.fr if words.fr and (get_language() or "").startswith("fr") else words.en


def view_packs(packs: Sequence[Pack]) -> list[PackView]:
    """Two queries, however many packs there are."""
    solutions = {code.lower() for code in Solution.objects.values_list("code", flat=True)}
    challenges = {code.lower() for code in Challenge.objects.values_list("code", flat=True)}
    return [_view(pack, solutions, challenges) for pack in packs]


def _view(pack: Pack, solutions: set[str], challenges: set[str]) -> PackView:
    entries = [
        PackEntry(
            name=said(challenge.name),
            is_there=challenge.code.lower() in challenges,
            solutions=tuple(
                (
                    said(Words(en=one.text.title, fr=one.french.title)),
                    said(Words(en=one.text.summary, fr=one.french.summary)),
                    one.code.lower() in solutions,
                )
                for one in pack.solutions
                if challenge.code.lower() in {link.challenge.lower() for link in one.challenges}
            ),
        )
        for challenge in pack.challenges
    ]
    return PackView(
        code=pack.code,
        title=said(pack.title),
        description=said(pack.description),
        license=pack.license,
        challenges=len(pack.challenges),
        total=len(pack.solutions),
        there=sum(one.code.lower() in solutions for one in pack.solutions),
        playbooks=tuple(said(playbook.title) for playbook in pack.playbooks),
        entries=tuple(entries),
    )


def pack_of(*, code: str, title: str, challenges: Sequence[str], with_evidence: bool) -> Pack:
    """The published solutions of some challenges, those below them included; all of them when none is named.

    Evidence names no unit and no person, and is left out when it rests on few units. Seven queries.
    """
    asked = Challenge.objects.current()
    if challenges:
        tops = Challenge.objects.filter(code__in=challenges).values_list("path", flat=True)
        below = Q()
        for path in tops:
            below |= Q(path__startswith=path)
        asked = asked.filter(below) if below else asked.none()
    terms = {one.pk: one for one in asked.select_related("parent").prefetch_related("aliases").order_by("path")}
    newest = SolutionVersion.objects.order_by("solution", "-number").distinct("solution")
    solutions = (
        Solution.objects.published()
        .filter(links__challenge__in=terms)
        .prefetch_related(
            Prefetch("versions", newest.prefetch_related("translations"), to_attr="newest"),
            Prefetch("links", SolutionLink.objects.filter(challenge__in=terms).order_by("pk"), to_attr="answered"),
        )
        .distinct()
        .order_by("code")
    )
    chosen = list(solutions)
    evidence = _evidence([one.pk for one in chosen]) if with_evidence else {}
    codes = {one.pk for one in chosen}
    playbooks = Playbook.objects.published().prefetch_related("steps__solution").order_by("code")
    return Pack(
        code=code,
        title=Words(en=title),
        license="",
        challenges=tuple(_challenge(one, terms) for one in terms.values()),
        solutions=tuple(_solution(one, terms, evidence.get(one.pk, ())) for one in chosen),
        playbooks=tuple(
            PackPlaybook(
                code=playbook.code,
                title=Words(en=playbook.title, fr=playbook.title_fr),
                why=Words(en=playbook.rationale, fr=playbook.rationale_fr),
                solutions=tuple(step.solution.code for step in playbook.steps.all()),
            )
            for playbook in playbooks
            if {step.solution_id for step in playbook.steps.all()} <= codes
        ),
    )


def _challenge(one: Challenge, terms: dict[int, Challenge]) -> PackChallenge:
    return PackChallenge(
        code=one.code,
        name=Words(en=one.name, fr=one.name_fr),
        description=Words(en=one.description, fr=one.description_fr),
        parent=one.parent.code if one.parent and one.parent_id in terms else "",
        aliases=tuple(sorted({alias.label for alias in one.aliases.all()})),
    )


def _solution(one: Solution, terms: dict[int, Challenge], evidence: Sequence[PackEvidence]) -> PackSolution:
    versions: list[SolutionVersion] = one.newest  # type: ignore[attr-defined]  # prefetched above
    links: list[SolutionLink] = one.answered  # type: ignore[attr-defined]  # prefetched above
    text, french = RecipeText(title=one.title), RecipeText(title=one.title_fr)
    if versions:
        text = versions[0].text
        french = next((other.text for other in versions[0].translations.all() if other.language == "fr"), french)
    return PackSolution(
        code=one.code,
        kind=one.kind,
        text=text,
        french=french,
        cost=one.cost,
        effort_hours=None if one.effort_hours is None else float(one.effort_hours),
        lag_days=one.lag_days,
        challenges=tuple(
            PackLink(challenge=terms[link.challenge_id].code, rationale=link.rationale) for link in links
        ),
        evidence=tuple(evidence),
    )


def _evidence(pks: Sequence[int]) -> dict[int, list[PackEvidence]]:
    rows = (
        RankedSolution.objects.filter(
            solution__in=pks, context="", effect__isnull=False, unit_count__gte=FEWEST_UNITS
        )
        .select_related("metric")
        .order_by("solution", "metric", "-evidence", "pk")
        .distinct("solution", "metric")
    )
    known: dict[int, list[PackEvidence]] = {}
    for row in rows:
        # A constraint of the table: no effect without its interval.
        assert row.effect is not None
        assert row.low is not None
        assert row.high is not None
        known.setdefault(row.solution_id, []).append(
            PackEvidence(
                outcome=Words(en=row.metric.name, fr=row.metric.name_fr),
                unit=row.metric.display_unit,
                effect=row.effect,
                low=row.low if row.claim_low is None else row.claim_low,
                high=row.high if row.claim_high is None else row.claim_high,
                uses=row.action_count,
                units=row.unit_count,
                level=row.evidence,
                method=row.method,
                # The month is enough, and tells less.
                as_of=row.as_of.strftime("%Y-%m"),
            )
        )
    return known


def outside_evidence(solution: Solution) -> list[OutsideEvidence]:
    return list(OutsideEvidence.objects.filter(solution=solution).order_by("-level", "pack", "outcome"))
