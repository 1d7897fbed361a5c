"""What tests of planning do over and over."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from django.test import Client

from apps.accounts.models import AuditEvent, User
from apps.library.models import Solution
from apps.planning.applying import apply_action
from apps.planning.freezing import AppliedSolution
from apps.planning.models import Action
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.planning.conftest import TODAY

SignIn = Callable[[User], Client]


def text_of(response: Any) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def events_of(action: Action) -> list[str]:
    return list(AuditEvent.objects.about(action).order_by("id").values_list("event", flat=True))


def last_data(action: Action) -> dict[str, Any]:
    return AuditEvent.objects.about(action).latest("id").data


def plan_arguments(chain: Chain, challenge: Challenge, solution: Solution, actor: User) -> dict[str, Any]:
    return {
        "challenge": challenge,
        "units": [chain.lille],
        "solutions": [solution],
        "owner": actor,
        "planned_on": TODAY,
        "actor": actor,
    }


def use(*solutions: Solution, **fields: Any) -> list[AppliedSolution]:
    return [AppliedSolution(solution=solution, **fields) for solution in solutions]


def apply(action: Action, *solutions: Solution, on: date = TODAY, actor: User | None = None) -> Action:
    return apply_action(action=action, effective_on=on, solutions=use(*solutions), as_of=TODAY, actor=actor)
