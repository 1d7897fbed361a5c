"""Keeps customers recognisable without keeping who they are."""

import hashlib
import hmac

from django.conf import settings

_BLOCK = 64
_INNER, _OUTER = 0x36, 0x5C


def _key() -> bytes:
    # A key of its own, so that a digest can't be mistaken for anything else signed with the secret.
    return hmac.digest(settings.SECRET_KEY.encode(), b"cxplan customer reference", "sha256")


def customer_digest(reference: str) -> str:
    """The keyed digest (HMAC-SHA256) under which a customer's reference is stored."""
    return hmac.new(_key(), reference.encode(), hashlib.sha256).hexdigest() if reference else ""


def digest_keys() -> tuple[bytes, bytes]:
    """The inner and the outer key of the digest, for `digest_sql`."""
    padded = _key().ljust(_BLOCK, b"\0")
    return bytes(byte ^ _INNER for byte in padded), bytes(byte ^ _OUTER for byte in padded)


def digest_sql(reference: str) -> str:
    """The same digest in SQL, of the SQL expression `reference`; its two parameters are `digest_keys()`."""
    inner = f"sha256(%(inner)s::bytea || convert_to({reference}, 'UTF8'))"
    return (
        f"CASE WHEN {reference} <> '' THEN encode(sha256(%(outer)s::bytea || {inner}), 'hex') ELSE {reference} END"
    )
