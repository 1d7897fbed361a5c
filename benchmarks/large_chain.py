# ruff: noqa: PLC0415 -- Django is imported when its settings know the database of this run
"""Fills an empty database with a chain of thousands of units and what a few years of acting leave behind."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

REGIONS, AREAS = 10, 100
METRICS, CHALLENGES, SOLUTIONS = 9, 200, 400
CELL_WEEKS = 30
ZONES = ("Europe/Paris", "Europe/London", "America/New_York", "Asia/Tokyo")
KINDS = ("high_street", "airport", "station")
BATCH = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who looks at the pages; the area's head is a manager of about fifty units."""

    lead: Any
    area: Any
    manager: Any
    staff: Any


def fill(units: int, actions: int, *, today: date) -> People:
    """The same rows for the same sizes and day."""
    rng = random.Random(1)
    places, branches = _units(units)
    people, owners = _people(places, branches, rng)
    metrics, challenges = _taxonomy(rng)
    versions = _library(challenges, rng)
    plans = _plans(actions, challenges, versions, owners, rng)
    rows = _actions(plans, branches, owners, actions, today, rng)
    _follow(rows, owners, branches, today, rng)
    _cells(branches, metrics, today)
    _results(rows, metrics, challenges, versions, today, rng)
    _queue(branches, owners, challenges, today, rng)
    return people


def _units(count: int) -> tuple[list[Any], list[Any]]:
    from django.db.backends.postgresql.psycopg_any import DateRange

    from apps.accounts.models import Unit, UnitPlacement

    known: list[Any] = []

    def add(number: int, parents: Sequence[Any], **fields: str) -> list[Any]:
        start = len(known)
        made = Unit.objects.bulk_create(
            [
                Unit(
                    code=f"U{start + i:05}",
                    name=f"Unit {start + i}",
                    timezone=ZONES[i % len(ZONES)],
                    region=f"region_{i % REGIONS}",
                    **{"kind": KINDS[i % len(KINDS)], **fields},
                )
                for i in range(number)
            ],
            BATCH,
        )
        above = [parents[i % len(parents)] if parents else None for i in range(number)]
        for unit, parent in zip(made, above, strict=True):
            unit.path = f"{parent.path if parent else ''}{unit.pk}."
        Unit.objects.bulk_update(made, ["path"], BATCH)
        valid = DateRange(date(2015, 1, 1), None)
        UnitPlacement.objects.bulk_create(
            [
                UnitPlacement(unit=unit, parent=parent, valid=valid)
                for unit, parent in zip(made, above, strict=True)
            ],
            BATCH,
        )
        known.extend(made)
        return list(made)

    top = add(1, [], kind="organisation")
    areas = add(AREAS, add(REGIONS, top, kind="region"), kind="area")
    return known, add(count - 1 - REGIONS - AREAS, areas)


def _people(places: Sequence[Any], branches: Sequence[Any], rng: random.Random) -> tuple[People, list[Any]]:
    from apps.accounts.models import Membership, Role, User

    owners = User.objects.bulk_create(
        [User(email=f"p{i}@example.org", name=f"Person {i}", password="!") for i in range(len(branches))], BATCH
    )
    Membership.objects.bulk_create(
        [Membership(user=user, unit=unit, role=Role.MANAGER) for user, unit in zip(owners, branches, strict=True)],
        BATCH,
    )

    def person(name: str, unit: Any, role: str) -> Any:
        user = User.objects.create(email=f"{name}@example.org", name=name, password="!")
        Membership.objects.create(user=user, unit=unit, role=role)
        return user

    people = People(
        lead=person("lead", places[0], Role.LEAD),
        area=person("area", places[1 + REGIONS], Role.MANAGER),
        manager=owners[7],
        staff=person("staff", branches[7], Role.STAFF),
    )
    return people, list(owners)


def _taxonomy(rng: random.Random) -> tuple[list[Any], list[Any]]:
    from apps.taxonomy.models import Challenge, Journey, Metric, Touchpoint

    journey = Journey.objects.create(code="j", name="Journey")
    touchpoints = [
        Touchpoint.objects.create(code=f"t{i}", name=f"Touchpoint {i}", journey=journey, position=i)
        for i in range(METRICS - 1)
    ]
    common = {"kind": "perception", "journey": journey, "scale_min": 0, "scale_max": 10}
    metrics = [Metric.objects.create(code="overall", name="Overall", is_overall=True, **common)]
    metrics += [
        Metric.objects.create(code=f"m{i}", name=f"Metric {i}", touchpoint=touchpoint, **common)
        for i, touchpoint in enumerate(touchpoints)
    ]
    challenges = Challenge.objects.bulk_create(
        [
            Challenge(
                code=f"c{i}",
                name=f"Challenge {i}",
                metric=(metric := metrics[1 + i % (METRICS - 1)]),
                touchpoint=metric.touchpoint,
            )
            for i in range(CHALLENGES)
        ]
    )
    for challenge in challenges:
        challenge.path = f"{challenge.pk}."
    Challenge.objects.bulk_update(challenges, ["path"])
    return metrics, list(challenges)


def _library(challenges: Sequence[Any], rng: random.Random) -> list[Any]:
    from apps.library.models import Solution, SolutionLink, SolutionVersion

    solutions = Solution.objects.bulk_create(
        [
            Solution(
                code=f"s{i}",
                title=f"Solution {i}",
                summary="What it is.",
                kind=rng.choice(Solution.Kind.values),
                cost=1 + i % 5,
                lag_days=14,
                status=Solution.Status.PUBLISHED,
            )
            for i in range(SOLUTIONS)
        ]
    )
    SolutionLink.objects.bulk_create(
        [
            SolutionLink(challenge=challenges[(i + k * 7) % CHALLENGES], solution=solution)
            for i, solution in enumerate(solutions)
            for k in range(3)
        ]
    )
    return list(
        SolutionVersion.objects.bulk_create(
            [
                SolutionVersion(solution=s, number=1, title=s.title, summary=s.summary, lag_days=14)
                for s in solutions
            ]
        )
    )


def _plans(
    count: int, challenges: Sequence[Any], versions: Sequence[Any], owners: Sequence[Any], rng: random.Random
) -> list[tuple[Any, Any, int]]:
    """Half of the actions stand alone, the others in roll-outs of fifty units; each plan with its size."""
    from apps.planning.models import Plan

    sizes = [1] * (count // 2) + [50] * (count // 100)
    chosen = [rng.randrange(SOLUTIONS) for _ in sizes]
    plans = Plan.objects.bulk_create(
        [
            Plan(
                challenge=challenges[(place + k * 7 % 21) % CHALLENGES],
                owner=rng.choice(owners),
                intention="On Mondays at the counter",
            )
            for k, place in enumerate(chosen)
        ],
        BATCH,
    )
    through = Plan.solutions.through
    through.objects.bulk_create(
        [through(plan=p, solution_id=versions[place].solution_id) for p, place in zip(plans, chosen, strict=True)],
        BATCH,
    )
    return [(plan, versions[place], size) for plan, place, size in zip(plans, chosen, sizes, strict=True)]


def _actions(
    plans: Sequence[tuple[Any, Any, int]],
    branches: Sequence[Any],
    owners: Sequence[Any],
    count: int,
    today: date,
    rng: random.Random,
) -> list[Any]:
    from apps.planning.models import Action, ActionSolution
    from apps.planning.states import FROZEN

    states = ("draft", "planned", "planned", "planned", *["applied"] * 8, *["sustained"] * 4, *["stopped"] * 4)
    made, versions = [], []
    for plan, version, size in plans:
        state = rng.choice(states)
        first = rng.randrange(len(branches))
        start = today - timedelta(days=rng.randrange(1, 1_000))
        for step in range(size):
            is_frozen = state in FROZEN
            place = (first + step) % len(branches)
            since = start + timedelta(days=step % 30)
            made.append(
                Action(
                    external_id=f"A{len(made):06}",
                    plan=plan,
                    unit=branches[place],
                    owner=owners[place],
                    state=state,
                    challenge=plan.challenge,
                    target_metric=plan.challenge.metric if is_frozen else None,
                    planned_on=since if is_frozen else today + timedelta(days=rng.randrange(-30, 90)),
                    effective_on=since if is_frozen else None,
                    ended_on=since + timedelta(days=120) if state == "stopped" else None,
                )
            )
            versions.append(version)
    actions = Action.objects.bulk_create(made[:count], BATCH)
    ActionSolution.objects.bulk_create(
        [
            ActionSolution(action=action, version=version, fidelity=90)
            for action, version in zip(actions, versions, strict=False)
            if action.state in FROZEN
        ],
        BATCH,
    )
    return list(actions)


def _follow(
    actions: Sequence[Any], owners: Sequence[Any], branches: Sequence[Any], today: date, rng: random.Random
) -> None:
    """Tasks, check-ins, events, roll-outs drawn by lot, and who did what."""
    from apps.accounts.models import AuditEvent, subject_of
    from apps.planning.models import CheckIn, Draw, Event, Task

    now = datetime.combine(today, datetime.min.time(), UTC)
    Task.objects.bulk_create(
        [
            Task(
                action=a,
                title="Print the card",
                assignee_id=a.owner_id,
                position=i,
                due_on=(a.planned_on or today) + timedelta(days=7 * i),
                done_at=now if a.effective_on and i else None,
            )
            for a in actions
            for i in range(1 + a.pk % 2)
        ],
        BATCH,
    )
    begun = [a for a in actions if a.effective_on]
    CheckIn.objects.bulk_create(
        [
            CheckIn(
                action=a,
                person_id=a.owner_id,
                happening="yes",
                working="unclear",
                obstacle="none",
                made_on=min(a.effective_on + timedelta(weeks=weeks), today),
            )
            for a in begun
            for weeks in (2, 6)[: a.pk % 3]
        ],
        BATCH,
    )
    starts = [today + timedelta(days=rng.randrange(-700, 60)) for _ in range(len(actions) // 5)]
    Event.objects.bulk_create(
        [
            Event(
                unit=None if i % 500 == 0 else branches[i % len(branches)],
                kind="campaign",
                name=f"Event {i}",
                starts_on=start,
                ends_on=start + timedelta(days=6),
            )
            for i, start in enumerate(starts)
        ],
        BATCH,
    )
    drawn = {a.plan_id: a for a in actions[len(actions) // 2 :]}
    Draw.objects.bulk_create(
        [
            Draw(
                plan_id=plan,
                seed=1,
                steps=2,
                gap_weeks=4,
                first_on=today,
                drawn_at=now,
                reads_on=today + timedelta(days=k % 90),
            )
            for k, plan in enumerate(drawn)
        ]
    )
    AuditEvent.objects.bulk_create(
        [AuditEvent(event="planning.action.applied", actor_id=a.owner_id, subject=subject_of(a)) for a in begun],
        BATCH,
    )


def _cells(branches: Sequence[Any], metrics: Sequence[Any], today: date) -> None:
    from django.db import connection

    from apps.core.periods import WEEK, week_of
    from apps.feedback.models import Response, Series, Source

    monday = week_of(today)
    Series.objects.bulk_create(
        [Series(unit=unit, metric=metric) for unit in branches for metric in metrics], BATCH
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO feedback_cell (unit_id, metric_id, week, n, weight, weight_squares, total, squares)
            SELECT u, m, %s::date - 7 * w, 12, 12, 12, 12 * level, 12 * level * level + 30
            FROM unnest(%s::bigint[]) u, unnest(%s::bigint[]) m, generate_series(0, %s) w,
                 LATERAL (SELECT 6 + (hashtext(u || '-' || m) %% 100) / 50.0 + (w %% 5) / 10.0 AS level) levels
            """,
            [monday, [u.pk for u in branches], [m.pk for m in metrics], CELL_WEEKS - 1],
        )
    source = Source.objects.create(code="survey")
    Response.objects.bulk_create(
        [
            Response(
                source=source,
                external_id=f"{unit.code}-{k}",
                unit=unit,
                week=monday - k * WEEK,
                occurred_at=datetime.combine(monday - k * WEEK, datetime.min.time(), UTC),
                comment="Waited far too long." if k % 2 else "",
            )
            for unit in branches
            for k in range(12)
        ],
        BATCH,
    )


def _results(
    actions: Sequence[Any],
    metrics: Sequence[Any],
    challenges: Sequence[Any],
    versions: Sequence[Any],
    today: date,
    rng: random.Random,
) -> None:
    from apps.impact.models import Effect, RankedSolution, Run

    runs = {
        metric.pk: Run.objects.create(
            metric=metric, as_of=today, state=Run.State.FINISHED, benchmark={"level": 7.6, "spread": 0.6}
        )
        for metric in metrics
    }
    effects = []
    for action in actions:
        if action.effective_on is None:
            continue
        is_known = action.effective_on < today - timedelta(weeks=15)
        figure = rng.gauss(0.2, 0.3)
        known = {"effect": figure, "se": 0.2, "low": figure - 0.4, "high": figure + 0.4, "p_positive": 0.8}
        effects.append(
            Effect(
                run=runs[action.target_metric_id],
                action=action,
                metric_id=action.target_metric_id,
                role="target",
                status="estimated" if is_known else "too_early",
                as_of=today,
                method="bench",
                fingerprint="",
                known_on=None if is_known else action.effective_on + timedelta(weeks=15),
                series=_series(action.effective_on),
                **(known if is_known else {}),
            )
        )
    Effect.objects.bulk_create(effects, BATCH)
    RankedSolution.objects.bulk_create(
        [
            RankedSolution(
                run=runs[challenge.metric_id],
                challenge=challenge,
                solution_id=version.solution_id,
                metric_id=challenge.metric_id,
                context=context,
                context_count=3 if context else 0,
                effect=0.3,
                se=0.1,
                low=0.1,
                high=0.5,
                evidence=rng.randrange(6),
                rank=1 + k,
                tier=1,
                verdict=rng.choice(RankedSolution.Verdict.values),
                action_count=5,
                unit_count=4,
                method="bench",
                fingerprint="",
                as_of=today,
            )
            for i, version in enumerate(versions)
            for k in range(3)
            for challenge in [challenges[(i + k * 7) % CHALLENGES]]
            for context in ("", "airport")
        ],
        BATCH,
    )


def _series(start: date) -> dict[str, Any]:
    weeks = range(-30, 16)
    flat = {"observed": 7.2, "counterfactual": 7.0, "low": 6.8, "high": 7.2, "n": 12}
    days = [str(start + timedelta(weeks=k)) for k in weeks]
    return {"start": str(start), "week": days, **{name: [level] * len(weeks) for name, level in flat.items()}}


def _queue(
    branches: Sequence[Any], owners: Sequence[Any], challenges: Sequence[Any], today: date, rng: random.Random
) -> None:
    """Ideas, their comments, labels nobody mapped, and what people were told."""
    from apps.ideas.models import Comment, Idea
    from apps.notifications.models import Notification
    from apps.taxonomy.models import UnmappedLabel

    now = datetime.combine(today, datetime.min.time(), UTC)
    ideas = Idea.objects.bulk_create(
        [
            Idea(
                title=f"Idea {i}",
                text="Let us try it.",
                author=owners[i % len(owners)],
                unit=branches[i % len(branches)],
                challenge=challenges[i % CHALLENGES],
                state=("new", "in_review")[i % 2],
                state_since=now,
                due_at=now + timedelta(days=i % 20),
                let_in_at=now,
            )
            for i in range(len(branches))
        ],
        BATCH,
    )
    Comment.objects.bulk_create(
        [
            Comment(idea=idea, author=owners[k], text="We need this.", let_in_at=now if k else None)
            for idea in ideas
            for k in range(2)
        ],
        BATCH,
    )
    UnmappedLabel.objects.bulk_create(
        [
            UnmappedLabel(
                source="helpdesk", label=f"label {i}", first_seen_at=now, last_seen_at=now, response_count=3
            )
            for i in range(500)
        ]
    )
    Notification.objects.bulk_create(
        [
            Notification(
                user=user,
                kind="planning.task_due",
                topic="plans",
                title=f"News {k}",
                url=f"/plans/?q={k}",
                created_at=now - timedelta(days=k),
            )
            for user in owners
            for k in range(6)
        ],
        BATCH,
    )
