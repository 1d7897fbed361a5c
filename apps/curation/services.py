"""Brings a pack into the library: what is new comes in, what is there already stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from apps.accounts.models import User
from apps.accounts.services import record
from apps.curation.models import OutsideEvidence
from apps.curation.packs import Pack, PackChallenge, PackSolution
from apps.library.models import Playbook, Solution, SolutionLink, Status
from apps.library.playbooks import create_playbook
from apps.library.services import create_solution, link_solution
from apps.taxonomy.models import Alias, Challenge
from apps.taxonomy.services import create_challenge


@dataclass(frozen=True, slots=True, kw_only=True)
class PackOutcome:
    """What an import changed; `kept` counts the entries that were there already."""

    challenges: int = 0
    solutions: int = 0
    links: int = 0
    playbooks: int = 0
    kept: int = 0


@transaction.atomic
def import_pack(*, pack: Pack, status: str = Status.PUBLISHED, actor: User | None) -> PackOutcome:
    """All of a pack or nothing of it. A code that exists keeps its own words; the same pack twice adds nothing."""
    challenges, new_challenges = _bring_challenges(pack, actor)
    solutions, new_solutions, links = {}, 0, 0
    existing = {one.code.lower(): one for one in Solution.objects.filter(code__in=_codes(pack.solutions))}
    for entry in pack.solutions:
        solution = existing.get(entry.code.lower()) or Solution.objects.filter(code__iexact=entry.code).first()
        if solution is None:
            solution = _new_solution(entry, status, actor)
            new_solutions += 1
        solutions[entry.code.lower()] = solution
        links += _bring_links(entry, solution, challenges, actor)
        _bring_evidence(pack, entry, solution)
    new_playbooks = _bring_playbooks(pack, solutions, status, actor)
    outcome = PackOutcome(
        challenges=new_challenges,
        solutions=new_solutions,
        links=links,
        playbooks=new_playbooks,
        kept=len(pack.challenges)
        + len(pack.solutions)
        + len(pack.playbooks)
        - new_challenges
        - new_solutions
        - new_playbooks,
    )
    if actor is not None:
        record(
            event="curation.pack.imported",
            actor=actor,
            subject=actor,
            data={"pack": pack.code, "challenges": new_challenges, "solutions": new_solutions},
        )
    return outcome


def _codes(entries: Sequence[PackSolution]) -> list[str]:
    return [entry.code for entry in entries]


def _bring_challenges(pack: Pack, actor: User | None) -> tuple[dict[str, Challenge], int]:
    named = {one.code.lower() for one in pack.challenges} | {
        link.challenge.lower() for entry in pack.solutions for link in entry.challenges
    }
    known = {
        one.code.lower(): one
        for one in Challenge.objects.select_related("merged_into")
        if one.code.lower() in named
    }
    by_code = {one.code.lower(): one for one in pack.challenges}
    new = 0

    def bring(entry: PackChallenge) -> Challenge:
        nonlocal new
        key = entry.code.lower()
        if key not in known:
            above = by_code.get(entry.parent.lower())
            parent = bring(above) if above else known.get(entry.parent.lower())
            known[key] = create_challenge(
                code=entry.code,
                name=entry.name.en,
                name_fr=entry.name.fr,
                description=entry.description.en,
                description_fr=entry.description.fr,
                parent=parent,
                actor=actor,
            )
            Alias.objects.bulk_create(
                [Alias(source=pack.code, label=label, challenge=known[key]) for label in _distinct(entry.aliases)],
                ignore_conflicts=True,
            )
            new += 1
        return known[key]

    for entry in pack.challenges:
        bring(entry)
    return known, new


def _distinct(labels: Sequence[str]) -> list[str]:
    return list({label.casefold(): label for label in labels}.values())


def _new_solution(entry: PackSolution, status: str, actor: User | None) -> Solution:
    return create_solution(
        code=entry.code,
        text=entry.text,
        translations={} if entry.french.is_empty else {"fr": entry.french},
        facts={
            "kind": entry.kind,
            "cost": entry.cost,
            "effort_hours": None if entry.effort_hours is None else Decimal(str(entry.effort_hours)),
            "lag_days": entry.lag_days,
        },
        status=status,
        actor=actor,
    )


def _bring_links(
    entry: PackSolution, solution: Solution, challenges: dict[str, Challenge], actor: User | None
) -> int:
    linked = set(SolutionLink.objects.filter(solution=solution).values_list("challenge", flat=True))
    new = 0
    for link in entry.challenges:
        challenge = challenges.get(link.challenge.lower())
        standing = (challenge.merged_into or challenge) if challenge else None
        if standing is not None and standing.pk not in linked:
            link_solution(solution=solution, challenge=standing, rationale=link.rationale, actor=actor)
            linked.add(standing.pk)
            new += 1
    return new


def _bring_evidence(pack: Pack, entry: PackSolution, solution: Solution) -> None:
    for one in entry.evidence:
        OutsideEvidence.objects.update_or_create(
            pack=pack.code,
            solution=solution,
            outcome=one.outcome.en,
            defaults={
                "outcome_fr": one.outcome.fr,
                "unit_label": one.unit,
                "effect": one.effect,
                "low": one.low,
                "high": one.high,
                "use_count": one.uses,
                "unit_count": one.units,
                "level": one.level,
                "method": one.method,
                "as_of": one.as_of,
            },
        )


def _bring_playbooks(pack: Pack, solutions: dict[str, Solution], status: str, actor: User | None) -> int:
    new = 0
    for entry in pack.playbooks:
        if Playbook.objects.filter(code__iexact=entry.code).exists():
            continue
        create_playbook(
            code=entry.code,
            words={
                "title": entry.title.en,
                "title_fr": entry.title.fr,
                "rationale": entry.why.en,
                "rationale_fr": entry.why.fr,
            },
            steps=[(solutions[code.lower()], "") for code in entry.solutions],
            status=status,
            actor=actor,
        )
        new += 1
    return new
