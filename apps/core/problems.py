"""Errors of the API as application/problem+json (RFC 9457)."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.urls import resolve
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.core.errors import CxplanError

CONTENT_TYPE = "application/problem+json"

# The domain knows no HTTP: here its codes get a status. What is not listed is a 422.
STATUS_OF_CODE: Mapping[str, HTTPStatus] = {
    "action_gone": HTTPStatus.CONFLICT,
    "alias_taken": HTTPStatus.CONFLICT,
    "already_planned": HTTPStatus.CONFLICT,
    "code_taken": HTTPStatus.CONFLICT,
    "edit_conflict": HTTPStatus.CONFLICT,
    "external_id_taken": HTTPStatus.CONFLICT,
    "body_cut_off": HTTPStatus.BAD_REQUEST,
    "file_missing": HTTPStatus.BAD_REQUEST,
    "idempotency_key_invalid": HTTPStatus.BAD_REQUEST,
    "precondition_failed": HTTPStatus.PRECONDITION_FAILED,
    "step_not_possible": HTTPStatus.CONFLICT,
    "reference_taken": HTTPStatus.CONFLICT,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "too_late_to_undo": HTTPStatus.CONFLICT,
    "undo_refused": HTTPStatus.CONFLICT,
}

logger = logging.getLogger("cxplan.api")


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The response of any error raised in an API view."""
    if settings.DEBUG and not isinstance(error, _EXPECTED):
        return None
    set_rollback()
    status, code, detail, errors = _read(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("An API call failed", exc_info=error)
    response = Response(
        problem(status=status, code=code, detail=detail, errors=errors),
        status=status,
        content_type=CONTENT_TYPE,
        headers=_headers(error),
    )
    response.exception = True
    return response


def problem(
    *, status: HTTPStatus, code: str, detail: str, errors: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    return {
        "type": f"urn:cxplan:problem:{code}",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "code": code,
        "errors": list(errors),
    }


@csrf_exempt
def no_such_address(request: HttpRequest) -> JsonResponse:
    """What an address under /api/ that nobody claims answers."""
    detail = _("There is nothing at this address.")
    if not request.path.endswith("/") and resolve(f"{request.path_info}/").func is not no_such_address:
        detail = _("There is nothing at this address. Addresses of the API end with a slash.")
    body = problem(status=HTTPStatus.NOT_FOUND, code="not_found", detail=detail)
    return JsonResponse(body, status=HTTPStatus.NOT_FOUND, content_type=CONTENT_TYPE)


_EXPECTED = (
    exceptions.APIException,
    CxplanError,
    Http404,
    PermissionDenied,
    SuspiciousOperation,
    MultiPartParserError,
)


def _read(error: Exception) -> tuple[HTTPStatus, str, str, list[dict[str, str]]]:
    """Status, code, explanation and single errors of an exception."""
    match error:
        case CxplanError():
            status = STATUS_OF_CODE.get(error.code, HTTPStatus.UNPROCESSABLE_ENTITY)
            message = f"{error.message} {getattr(error, 'remedy', '')}".strip()
            single = {"pointer": _pointer(error.field), "code": error.code, "message": message}
            return status, error.code, message, [single] if error.field else []
        case exceptions.ValidationError():
            errors = list(_flatten(error.detail, ()))
            codes = {single["code"] for single in errors}
            code = codes.pop() if len(codes) == 1 else "invalid"
            return HTTPStatus.BAD_REQUEST, code, _("Some of what was sent can't be used."), errors
        case exceptions.APIException():
            status = HTTPStatus(error.status_code)
            code = getattr(error.detail, "code", None) or error.default_code
            return status, code, str(error.detail), []
        case Http404():
            return HTTPStatus.NOT_FOUND, "not_found", _("There is no such thing, or it isn't yours to see."), []
        case PermissionDenied():
            return HTTPStatus.FORBIDDEN, "permission_denied", _("You may not do this."), []
        case RequestDataTooBig():
            detail = _("This request is too large. Send files to the address for imports.")
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_too_large", detail, []
        case SuspiciousOperation() | MultiPartParserError() | UnreadablePostError():
            return HTTPStatus.BAD_REQUEST, "bad_request", _("This request can't be understood."), []
    detail = _("Something went wrong on our side. It has been noted; try again later.")
    return HTTPStatus.INTERNAL_SERVER_ERROR, "server_error", detail, []


def _flatten(detail: Any, path: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Each message of a nested validation error with the JSON pointer of what it speaks of."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = () if name in {"non_field_errors", "__all__"} else (str(name),)
            yield from _flatten(inner, (*path, *step))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            # Messages of one field come as a list of texts; rows of a list come as a list of mappings.
            step = () if isinstance(inner, str) else (str(index),)
            yield from _flatten(inner, (*path, *step))
    else:
        yield {
            "pointer": _pointer(*path),
            "code": getattr(detail, "code", None) or "invalid",
            "message": str(detail),
        }


def _pointer(*path: str | None) -> str:
    """A JSON pointer (RFC 6901) as a URI fragment, such as "#/solutions/0/code"."""
    steps = [step.replace("~", "~0").replace("/", "~1") for step in path if step]
    return "#" + "".join(f"/{step}" for step in steps)


def _headers(error: Exception) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    wait = getattr(error, "wait", None)
    if wait is not None:
        # Rounded up: a retry a moment too early would be refused again.
        headers["Retry-After"] = str(int(wait) + 1)
    return headers
