"""Who may call an API endpoint: the role of the person and the scopes of the token."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.accounts.models import ApiToken, Role
from apps.accounts.person import Person, person_of


def person_of_request(request: Request) -> Person:
    """The person behind an API call, read once per request."""
    person: Person | None = getattr(request, "_cx_person", None)
    if person is None:
        token = request.auth if isinstance(request.auth, ApiToken) else None
        person = person_of(request.user, token=token)
        request._cx_person = person
    return person


class ScopedPermission(BasePermission):
    """A view declares `read_role`, and `write_role` when it can be written to; the default is to refuse.

    A token must also carry the scope: `read` for safe methods, `write_scope` of the view for the others.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        is_read = request.method in SAFE_METHODS
        role: Role | None = getattr(view, "read_role" if is_read else "write_role", None)
        if role is None:
            return False
        person = person_of_request(request)
        if person.token is not None:
            needed = ApiToken.Access.READ if is_read else getattr(view, "write_scope", ApiToken.Access.WRITE)
            if needed not in person.token.scopes:
                return False
        return person.has(role)
