"""Errors of the API as application/problem+json (RFC 9457)."""

from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_handler


def exception_handler(error: Exception, context: dict[str, object]) -> Response | None:
    return drf_handler(error, context)
