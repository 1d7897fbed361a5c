"""Refuses what no page can answer before it reaches one."""

from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse


class PlainTextMiddleware:
    """PostgreSQL holds no NUL character: asked for with one, any page would fail. The API answers itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_plain = "\0" not in request.path_info and "%00" not in request.META.get("QUERY_STRING", "")
        if not is_plain and not request.path_info.startswith("/api/"):
            raise SuspiciousOperation("A NUL character in the address")
        return self.get_response(request)
