"""Changes to people, units and tokens."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import models, transaction

from apps.accounts.models import ApiToken, AuditEvent, User, subject_of
from apps.core.errors import CxplanError
from apps.core.trees import refresh_paths

TOKEN_PREFIX = "cxp_"


class TokenScopeUnknown(CxplanError):
    code = "token_scope_unknown"


def record(
    *, event: str, actor: User | None, subject: models.Model, data: Mapping[str, Any] | None = None
) -> AuditEvent:
    """Write the audit row of a change; call it in the transaction of the change itself."""
    return AuditEvent.objects.create(event=event, actor=actor, subject=subject_of(subject), data=dict(data or {}))


def refresh_unit_paths(*, as_of: date) -> int:
    """Bring every unit's path in line with the placements valid on `as_of`."""
    day = as_of.isoformat()
    return refresh_paths(
        table="accounts_unit",
        parents=f"""
            SELECT unit.id, placement.parent_id FROM accounts_unit unit
            LEFT JOIN accounts_unitplacement placement
                ON placement.unit_id = unit.id AND placement.valid @> DATE '{day}'
        """,
    )


def token_digest(secret: str) -> str:
    # The secret has 256 random bits, so a plain hash can't be searched and needs no salt.
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def create_token(
    *, user: User, name: str, scopes: Sequence[str], expires_at: datetime | None, actor: User | None
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is never shown again."""
    chosen = list(dict.fromkeys(scopes)) or [ApiToken.Access.READ]
    unknown = [scope for scope in chosen if scope not in ApiToken.Access.values]
    if unknown:
        raise TokenScopeUnknown(
            f"{unknown[0]} is not a scope. Use one or more of {', '.join(ApiToken.Access.values)}.", field="scopes"
        )
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=secret[:10],
        digest=token_digest(secret),
        scopes=chosen,
        expires_at=expires_at,
    )
    record(event="accounts.token.created", actor=actor, subject=token, data={"name": name, "scopes": chosen})
    return token, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, at: datetime, actor: User | None) -> ApiToken:
    token.revoked_at = at
    token.save(update_fields=["revoked_at"])
    record(event="accounts.token.revoked", actor=actor, subject=token, data={"name": token.name})
    return token


@transaction.atomic
def update_profile(*, user: User, name: str, language: str, actor: User | None) -> User:
    user.name = name
    user.language = language
    user.save(update_fields=["name", "language"])
    record(event="accounts.user.updated", actor=actor, subject=user, data={"name": name, "language": language})
    return user
