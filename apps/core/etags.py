"""Entity tags: has a thing changed since the caller read it?"""

import hashlib
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from apps.core.errors import CxplanError


class PreconditionFailed(CxplanError):
    code = "precondition_failed"


def etag_of(representation: Any) -> str:
    """The strong tag of what a response shows."""
    return f'"{hashlib.sha256(JSONRenderer().render(representation)).hexdigest()[:32]}"'


def is_unchanged(request: Request, etag: str) -> bool:
    """Whether the caller holds this version already (If-None-Match)."""
    return _names(request.headers.get("If-None-Match", ""), etag, is_weak_enough=True)


def check_if_match(request: Request, etag: str) -> None:
    """Raises PreconditionFailed when the call wants another version than the present one."""
    wanted = request.headers.get("If-Match")
    if wanted is not None and not _names(wanted, etag, is_weak_enough=False):
        raise PreconditionFailed(
            _("Somebody changed this after you read it. Read it again, compare, then send your change again.")
        )


def _names(header: str, etag: str, *, is_weak_enough: bool) -> bool:
    tags = [tag.strip() for tag in header.split(",")]
    return "*" in tags or any((tag.removeprefix("W/") if is_weak_enough else tag) == etag for tag in tags if tag)
