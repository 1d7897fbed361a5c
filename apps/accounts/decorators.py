"""Who may open a page."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role

View = Callable[..., HttpResponseBase]


def require_role(role: Role, *, at_the_top: bool = False) -> Callable[[View], View]:
    """Sign-in first; a person without `role` anywhere gets a 404, as if the page did not exist.

    `at_the_top` asks for a lead of a unit that lies under no other: what all units share is theirs to change.
    """

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            asked = cast(PersonRequest, request)
            if not asked.person.has(role) or (at_the_top and not asked.person.leads_from_the_top):
                raise Http404
            return view(asked, *args, **kwargs)

        # Read by the permission matrix, which proves that every page declares who may open it.
        guarded.required_role = role  # type: ignore[attr-defined]
        return guarded

    return decorate
