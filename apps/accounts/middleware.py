"""Puts the person and their language on the request."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

from apps.accounts.models import Unit, User
from apps.accounts.person import Person, person_of
from apps.accounts.selectors import chosen_unit


class PersonRequest(HttpRequest):
    """A request of a signed-in person, as views behind `require_role` see it."""

    person: Person
    unit: Unit | None
    user: User


class PersonMiddleware:
    """`request.person` (None when nobody is signed in) and `request.unit` (the unit they look at)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not isinstance(user, User) and not getattr(user, "is_authenticated", False):
            request.person = None  # type: ignore[attr-defined]
            request.unit = None  # type: ignore[attr-defined]
            return self.get_response(request)
        person = person_of(user)  # type: ignore[arg-type]
        request.person = person  # type: ignore[attr-defined]
        request.unit = SimpleLazyObject(  # type: ignore[attr-defined]
            lambda: chosen_unit(person=person, code=request.session.get("unit"))
        )
        language = user.language  # type: ignore[union-attr]
        with translation.override(language), timezone.override(ZoneInfo("UTC")):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", language)
            return response
