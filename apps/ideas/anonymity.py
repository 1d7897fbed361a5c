"""Keeps the author of an anonymous idea reachable without keeping who it is."""

import hmac
from collections.abc import Iterable

from django.conf import settings

from apps.accounts.models import User


def author_key(user: User) -> str:
    """The keyed digest under which an anonymous author's ideas are stored."""
    return _digest(settings.SECRET_KEY, user.pk)


def author_keys(user: User) -> tuple[str, ...]:
    """The person's digests under the present secret and those of before."""
    return tuple(_digest(secret, user.pk) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def behind(keys: Iterable[str], people: Iterable[User]) -> list[User]:
    """Those of `people` whose digest is among `keys`; only the program that tells them news may ask."""
    wanted = set(keys)
    return [person for person in people if wanted & {*author_keys(person)}] if wanted else []


def _digest(secret: str | bytes, pk: int) -> str:
    raw = secret.encode() if isinstance(secret, str) else secret
    # A key of its own, so that a digest can't be mistaken for anything else signed with the secret.
    key = hmac.digest(raw, b"cxplan anonymous author", "sha256")
    return hmac.digest(key, str(pk).encode(), "sha256").hex()
