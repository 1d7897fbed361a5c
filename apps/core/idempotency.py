"""A POST that carries an Idempotency-Key happens once, however often it is sent."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import CxplanError
from apps.core.models import IdempotentRequest

KEPT_FOR = timedelta(days=7)
KEY_LENGTH_MAX = 255
# What a repeated call must see again, besides the body.
KEPT_HEADERS = ("Location", "ETag")


class IdempotencyKeyInvalid(CxplanError):
    code = "idempotency_key_invalid"


class IdempotencyKeyReused(CxplanError):
    code = "idempotency_key_reused"


def digest_of(*parts: bytes) -> str:
    """The fingerprint of a call's parameters and body."""
    whole = hashlib.sha256()
    for part in parts:
        # The length keeps two parts from passing for two others with the same joint text.
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def body_of(request: Request) -> bytes:
    """The body as it came; ask before the data is parsed, while it can still be read."""
    body: bytes = request._request.body  # noqa: SLF001  # the framework has no other way to the bytes
    return body


def check_key(request: Request) -> str:
    """The key of the call, "" without one; raises IdempotencyKeyInvalid."""
    key = str(request.headers.get("Idempotency-Key", "")).strip()
    if len(key) > KEY_LENGTH_MAX or (key and not (key.isascii() and key.isprintable())):
        raise IdempotencyKeyInvalid(
            _("An Idempotency-Key has at most %(most)d printable ASCII characters.") % {"most": KEY_LENGTH_MAX}
        )
    return key


def once(request: Request, *, digest: str, produce: Callable[[], Response]) -> Response:
    """Call `produce` unless this call was answered before, and keep its answer.

    The key is claimed in the transaction of the work itself: whoever sends it again meanwhile waits for
    that transaction, and a call that failed leaves nothing behind and may be tried again.
    Raises IdempotencyKeyReused when the key came with something else before.
    """
    key = check_key(request)
    if not key:
        return produce()
    call = {"caller": f"{type(request.user).__name__}:{request.user.pk}", "key": key, "path": request.path}
    IdempotentRequest.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
    with transaction.atomic():
        IdempotentRequest.objects.bulk_create([IdempotentRequest(**call, digest=digest)], ignore_conflicts=True)
        kept = IdempotentRequest.objects.select_for_update().get(**call)
        if kept.digest != digest:
            raise IdempotencyKeyReused(
                _("This Idempotency-Key came with another request before. Use a new key for a new request.")
            )
        if kept.status:
            return Response(kept.body, kept.status, headers={**kept.headers, "Idempotency-Replayed": "true"})
        response = produce()
        kept.status = response.status_code
        kept.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
        kept.body = json.loads(JSONRenderer().render(response.data))
        kept.save(update_fields=["status", "headers", "body"])
    return response
