"""What all views of plans and actions are narrowed by; switching the view keeps it."""

from typing import Any

from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, Scope, User
from apps.planning.action_filters import ActionFilters, challenges_in_use, owners_in
from apps.planning.models import Action
from apps.planning.pages import day_in, unit_asked_for
from apps.planning.selectors import STATE_HEADINGS

MINE = "me"


def filters_of(request: PersonRequest, scope: Scope) -> ActionFilters:
    asked = request.GET
    return ActionFilters(
        unit=unit_asked_for(request, scope),
        challenge=asked.get("challenge", ""),
        state=asked.get("state", "") if asked.get("state") in Action.State.values else "",
        q=asked.get("q", "").strip(),
        owner=_owner(request),
        since=day_in(asked.get("since")),
        until=day_in(asked.get("until")),
    )


def filter_bar(request: PersonRequest, scope: Scope, *, view: str) -> dict[str, Any]:
    """The filters asked for and what can be chosen."""
    filters = filters_of(request, scope)
    return {
        "filters": filters,
        "challenges": challenges_in_use(scope=scope),
        "owners": [user for user in owners_in(scope=scope, also=filters.owner) if user != request.user],
        "is_mine": filters.owner == request.user,
        "may_plan": request.person.has(Role.MANAGER),
        "states": list(STATE_HEADINGS.items()),
        "view": view,
        "view_url": f"planning:{'action-list' if view == 'board' else f'action-{view}'}",
    }


def _owner(request: PersonRequest) -> User | None:
    asked = request.GET.get("owner", "")
    if asked == MINE:
        return request.user
    return User.objects.filter(pk=int(asked)).first() if asked.isdecimal() and len(asked) < 10 else None
