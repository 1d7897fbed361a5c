"""What do Rivage's people propose, ask for, plan and learn? Told through the services, dated back from now."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Max

from apps.accounts.models import AuditEvent, Unit, User
from apps.ideas import decisions
from apps.ideas.calls import create_call
from apps.ideas.models import Call, Comment, Idea
from apps.ideas.moderation import let_comment_in, let_idea_in
from apps.ideas.promotion import publish_idea
from apps.ideas.services import Trial, add_comment, create_idea, vote
from apps.library import requests
from apps.library.care import watch
from apps.library.learnings import add_learning, attach_use, set_learning_state
from apps.library.models import ChangeRequest, Solution, Status
from apps.library.playbooks import create_playbook
from apps.notifications.models import Mail, Notification
from apps.planning.events import create_event
from apps.planning.following import add_checklist, check_in
from apps.planning.models import Action, Plan
from apps.planning.plans import create_plan
from apps.planning.selectors import solutions_of
from apps.planning.tasklist import add_task, finish_task
from apps.taxonomy.models import Challenge
from cxplan.demo.content import read_toml

Row = TypeVar("Row", bound=Call | Idea | Comment | ChangeRequest | None)
DOMAIN = "@rivage.example"
# Steps of a recipe that a checklist says are done, before the last one that is not.
STEPS_DONE = 2
NEWS_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who and what the talk is about; `places` are the branches in the order of the network."""

    now: datetime
    people: dict[str, User]
    places: list[Unit]
    challenges: dict[str, Challenge]
    solutions: dict[str, Solution]
    calls: dict[str, Call] = field(default_factory=dict)
    ideas: dict[str, Idea] = field(default_factory=dict)

    @property
    def lead(self) -> User:
        return self.people["lead"]

    def on(self, days: int) -> date:
        return (self.now - timedelta(days=days)).date()

    def at(self, days: float) -> datetime:
        return self.now - timedelta(days=days)


@transaction.atomic
def tell_talk(*, now: datetime) -> int:
    """Everything of talk.toml, as of `now`; the number of ideas."""
    said = read_toml("talk.toml")
    cast = _cast(now)
    for entry in said["playbook"]:
        _playbook(cast, entry)
    for entry in said["call"]:
        _call(cast, entry)
    for entry in sorted(said["idea"], key=lambda idea: -int(idea["days"])):
        _idea(cast, entry)
    steps = [(step, entry["key"]) for entry in said["idea"] for step in entry.get("steps", ())]
    for step, key in sorted(steps, key=lambda row: -int(row[0]["days"])):
        _step(cast, cast.ideas[key], step)
    for entry in said["change"]:
        _change(cast, entry)
    for entry in said["learning"]:
        _learning(cast, entry)
    for name, codes in said["watch"].items():
        for code in codes:
            watch(solution=cast.solutions[code], user=cast.people[name])
    for entry in said["plan"]:
        _plan(cast, entry)
    for entry in said["event"]:
        _event(cast, entry)
    _follow(cast, said["check_in"])
    # Nobody at Rivage has a mailbox, and old news was read.
    Mail.objects.filter(user__in=cast.people.values()).delete()
    Notification.objects.unread().filter(created_at__lt=cast.at(NEWS_DAYS)).update(read_at=now)
    return len(cast.ideas)


def dated(at: datetime, told: Callable[[], Row]) -> Row:
    """Do something, and date its row and its audit rows to the time at which it happens in the story."""
    before = AuditEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0
    row = told()
    AuditEvent.objects.filter(pk__gt=before).update(at=at)
    if row is not None:
        row.created_at = at
        row.save(update_fields=["created_at"])
    return row


def _cast(now: datetime) -> Cast:
    people = {user.email.removesuffix(DOMAIN): user for user in User.objects.filter(email__endswith=DOMAIN)}
    # Branches came in from a file, one after the other.
    branches = Unit.objects.exclude(kind__in=["chain", "region"]).order_by("pk")
    return Cast(
        now=now,
        people=people,
        places=list(branches),
        challenges={one.code: one for one in Challenge.objects.all()},
        solutions={one.code: one for one in Solution.objects.all()},
    )


def _playbook(cast: Cast, entry: dict[str, Any]) -> None:
    create_playbook(
        code=entry["code"],
        words={
            "title": entry["title"],
            "title_fr": entry["title_fr"],
            "rationale": entry["rationale"],
            "rationale_fr": entry["rationale_fr"],
        },
        steps=[(cast.solutions[code], note) for code, note in entry["steps"]],
        status=Status.PUBLISHED,
        actor=cast.lead,
    )


def _call(cast: Cast, entry: dict[str, Any]) -> None:
    opened = cast.on(entry["opened"])
    cast.calls[entry["key"]] = dated(
        cast.at(entry["opened"]),
        lambda: create_call(
            title=entry["title"],
            title_fr=entry["title_fr"],
            text=entry["text"],
            text_fr=entry["text_fr"],
            challenge=cast.challenges[entry["challenge"]],
            unit=None,
            opens_on=opened,
            closes_on=cast.on(entry["closes"]),
            as_of=opened,
            actor=cast.lead,
        ),
    )


def _idea(cast: Cast, entry: dict[str, Any]) -> None:
    """Proposed, let in, voted for and commented on; decisions follow in the order of their days."""
    author = cast.people[entry.get("author") or entry["by_nobody"]]
    is_anonymous = "by_nobody" in entry
    unit = Unit.objects.get(pk=author.memberships.values_list("unit", flat=True)[0])
    at = cast.at(entry["days"])
    idea = dated(
        at,
        lambda: create_idea(
            text=entry["text"],
            title=entry["title"],
            problem=entry["problem"],
            challenge=cast.challenges[entry["challenge"]] if "challenge" in entry else None,
            call=cast.calls[entry["call"]] if "call" in entry else None,
            unit=unit,
            trial=Trial(since=cast.on(entry["tried"]), unit=unit) if "tried" in entry else None,
            is_anonymous=is_anonymous,
            at=at,
            actor=author,
        ),
    )
    cast.ideas[entry["key"]] = idea
    if not idea.is_public and not is_anonymous:
        idea = dated(at, lambda: let_idea_in(idea=idea, at=at, actor=cast.lead))
    if is_anonymous and any(step["step"] == "let_in" for step in entry.get("steps", ())):
        idea = dated(at, lambda: let_idea_in(idea=idea, at=at, actor=cast.lead))
    for name in entry.get("voters", ()):
        dated(at, lambda name=name: vote(idea=idea, actor=cast.people[name]) and None)  # type: ignore[misc]  # bound now
    for said in entry.get("comments", ()):
        dated(cast.at(said["days"]), lambda said=said: _comment(cast, idea, said))  # type: ignore[misc]  # bound now


def _comment(cast: Cast, idea: Idea, said: dict[str, Any]) -> Comment:
    """Said, and let in at once unless it `waits`."""
    at, by = cast.at(said["days"]), cast.people[said["by"]]
    comment = add_comment(idea=idea, text=said["text"], kind=said["kind"], at=at, actor=by)
    if comment.let_in_at is None and not said.get("waits", False):
        comment = let_comment_in(comment=comment, at=at, actor=cast.lead)
    return comment


def _step(cast: Cast, idea: Idea, step: dict[str, Any]) -> None:
    dated(cast.at(step["days"]), lambda: _decide(cast, idea, step))


def _decide(cast: Cast, idea: Idea, step: dict[str, Any]) -> None:
    at, lead = cast.at(step["days"]), cast.lead
    match step["step"]:
        case "review":
            decisions.review_idea(idea=idea, at=at, actor=lead)
        case "ask":
            decisions.ask_author(idea=idea, question=step["text"], at=at, actor=lead)
        case "pilot":
            units = [cast.places[place] for place in step["places"]]
            decisions.pilot_idea(idea=idea, units=units, reason=step["text"], at=at, actor=lead)
        case "decline":
            decisions.decline_idea(idea=idea, reason=step["reason"], text=step["text"], at=at, actor=lead)
        case "merge":
            decisions.merge_idea(idea=idea, into=cast.ideas[step["into"]], at=at, actor=lead)
        case "publish":
            # The chain's library came in with the solution that this idea became long ago.
            solution = cast.solutions[step["solution"]]
            solution.origin, solution.author = Solution.Origin.CROWD, idea.author
            solution.save(update_fields=["origin", "author", "updated_at"])
            Idea.objects.filter(pk=idea.pk).update(solution=solution)
            publish_idea(idea=idea, at=at, actor=lead)


def _change(cast: Cast, entry: dict[str, Any]) -> None:
    at = cast.at(entry["days"])
    asked = dated(
        at,
        lambda: requests.request_change(
            solution=cast.solutions[entry["solution"]],
            language=entry["language"],
            changes={entry["part"]: entry["words"]},
            reason=entry["reason"],
            at=at,
            actor=cast.people[entry["by"]],
        ),
    )
    if "decision" in entry:
        decide = requests.accept_request if entry["decision"] == "accept" else requests.decline_request
        at = cast.at(entry["decided"])
        dated(
            at,
            lambda: decide(request=asked, decision=entry.get("answer", ""), at=at, actor=cast.lead) and None,
        )


def _learning(cast: Cast, entry: dict[str, Any]) -> None:
    solution, author = cast.solutions[entry["solution"]], cast.people[entry["by"]]
    learning = add_learning(
        solution=solution, statement=entry["statement"], statement_fr=entry["statement_fr"], actor=author
    )
    set_learning_state(learning=learning, state=entry["state"], actor=cast.lead)
    wanted = entry["supporting"] + entry["contradicting"]
    uses = Action.objects.filter(solutions__version__solution=solution).order_by("effective_on", "pk")[:wanted]
    for number, action_id in enumerate(uses.values_list("external_id", flat=True)):
        attach_use(
            learning=learning, action_id=action_id, is_supporting=number >= entry["contradicting"], actor=author
        )


def _plan(cast: Cast, entry: dict[str, Any]) -> None:
    units = [cast.places[place] for place in entry["places"]]
    owner = cast.people["manager"] if units == cast.places[:1] else cast.lead
    plan: Plan = create_plan(
        challenge=cast.challenges[entry["challenge"]],
        units=units,
        solutions=[cast.solutions[code] for code in entry["solutions"]],
        owner=owner,
        intention=entry["intention"],
        planned_on=cast.on(entry["starts"]),
        intended_effect=Decimal(entry["effect"]),
        actor=owner,
    )
    for wave, action in enumerate(plan.actions.order_by("pk")):
        for number, title in enumerate(entry["tasks"]):
            due_on = cast.on(entry["starts"]) - timedelta(days=5 - number) + timedelta(weeks=wave)
            task = add_task(
                action=action,
                title=title,
                assignee=cast.people["staff"] if owner != cast.lead and number == 1 else owner,
                due_on=due_on,
                actor=owner,
            )
            if number < entry["done"]:
                finish_task(task=task, at=cast.at(1), actor=owner)


def _event(cast: Cast, entry: dict[str, Any]) -> None:
    create_event(
        unit=cast.places[entry["place"]] if "place" in entry else None,
        kind=entry["kind"],
        name=entry["name"],
        starts_on=cast.on(entry["starts"]),
        ends_on=cast.on(entry["ends"]),
        actor=cast.lead,
    )


def _follow(cast: Cast, said: dict[str, str]) -> None:
    """The newest two actions of the story's branch: how they go, and which steps are done."""
    running = Action.objects.filter(unit=cast.places[0], state=Action.State.APPLIED)
    for action in running.order_by("-effective_on", "-pk")[:2]:
        assert action.effective_on is not None
        made_on = min(action.effective_on + timedelta(weeks=2), cast.now.date())
        check_in(action=action, made_on=made_on, actor=cast.people["manager"], **said)
        parts = [solution.versions.order_by("-number").first() for solution in solutions_of(action)]
        lines = [line for part in parts if part is not None for line in part.procedure.splitlines()]
        steps = [{"text": line, "is_done": number < STEPS_DONE} for number, line in enumerate(lines)]
        add_checklist(action=action, steps=steps, actor=cast.people["staff"])
