"""Who may call an API endpoint: the role of the person and the scopes of the token."""

from typing import Any

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.accounts.models import ApiToken, Role, User
from apps.accounts.person import Person, person_of


def person_of_request(request: Request) -> Person:
    """The person behind an API call, read once per request."""
    person: Person | None = getattr(request, "caller", None)
    if person is None:
        if not isinstance(request.user, User):
            raise NotAuthenticated
        token = request.auth if isinstance(request.auth, ApiToken) else None
        person = person_of(request.user, token=token)
        request.caller = person  # type: ignore[attr-defined]  # kept for the rest of the call
    return person


class ScopedPermission(BasePermission):
    """A view declares `read_role`, and `write_role` when it can be written to; the default is to refuse.

    A token must also carry one of the view's `read_scopes` or `write_scopes`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        if request.method not in view.allowed_methods:
            # No handler will run: the answer is that the method does not exist here, a 405.
            return True
        is_read = request.method in SAFE_METHODS
        role: Role | None = getattr(view, "read_role" if is_read else "write_role", None)
        if role is None:
            return False
        person = person_of_request(request)
        if person.token is not None:
            needed = (
                getattr(view, "read_scopes", (ApiToken.Access.READ,))
                if is_read
                else getattr(view, "write_scopes", (ApiToken.Access.WRITE,))
            )
            if not set(needed) & set(person.token.scopes):
                return False
        return person.has(role)
