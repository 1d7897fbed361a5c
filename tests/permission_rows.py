"""How a row of the permission matrix is written, and what each role gets in the usual cases."""

from dataclasses import dataclass
from typing import Any

from apps.accounts.models import ApiToken

# The manager and the staff belong to LILLE, where the world's rows are; the outsider manages NICE.
ROLES = ("anonymous", "staff", "manager", "outsider", "lead", "admin_user")
SIGN_IN = "sign-in"
Statuses = tuple[int | str, ...]


def everybody(status: int = 200) -> Statuses:
    return (status,) * 6


def members(status: int = 200) -> Statuses:
    return (SIGN_IN, status, status, status, status, status)


def in_scope(status: int = 200) -> Statuses:
    return (SIGN_IN, status, status, 404, status, status)


def managers(status: int = 200) -> Statuses:
    return (SIGN_IN, 404, status, status, status, status)


def managers_in_scope(status: int = 200) -> Statuses:
    return (SIGN_IN, 404, status, 404, status, status)


def leads(status: int = 200) -> Statuses:
    return (SIGN_IN, 404, 404, 404, status, status)


API_MEMBERS: Statuses = (401, 200, 200, 200, 200, 200)
API_IN_SCOPE: Statuses = (401, 200, 200, 404, 200, 200)
API_LEADS: Statuses = (401, 403, 403, 403, 200, 200)
# An empty body: whoever may write is told what is missing, or that nothing changed.
API_WRITE: Statuses = (401, 403, 403, 403, 400, 400)
API_CHANGE: Statuses = (401, 403, 403, 403, 200, 200)
READ = (ApiToken.Access.READ,)
WRITE = (ApiToken.Access.WRITE,)


@dataclass(frozen=True, kw_only=True)
class Route:
    """`args` are attributes of the world; `scopes` are those of which a token needs one."""

    method: str
    name: str
    args: tuple[str, ...] = ()
    query: str = ""
    data: Any = None
    statuses: Statuses
    scopes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


def page(method: str, name: str, statuses: Statuses, *args: str, query: str = "", data: Any = None) -> Route:
    return Route(method=method, name=name, args=args, query=query, data=data, statuses=statuses)


def endpoint(method: str, name: str, statuses: Statuses, *args: str, scopes: tuple[str, ...] = READ) -> Route:
    return Route(method=method, name=name, args=args, statuses=statuses, scopes=scopes)


def collection(name: str, key: str, item: Statuses = API_MEMBERS) -> list[Route]:
    return [
        endpoint("GET", f"{name}-list", API_MEMBERS),
        endpoint("GET", f"{name}-detail", item, key),
    ]
