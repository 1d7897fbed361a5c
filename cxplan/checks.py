"""Combinations of settings that start but would not work, or not safely."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import connections

OLDEST_POSTGRESQL = 150000


@register(Tags.security, deploy=True)
def check_debug(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    if settings.DEBUG:
        return [
            Error(
                "DEBUG is on.",
                hint="Unset DEBUG: with it, error pages show settings and code to anyone.",
                id="cxplan.E001",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def check_secure_cookies(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    if settings.SECURE_HSTS_SECONDS and not settings.SESSION_COOKIE_SECURE:
        return [
            Error(
                "HSTS_SECONDS is set but SECURE_COOKIES is not.",
                hint="Set SECURE_COOKIES=true: the session must not travel in clear.",
                id="cxplan.E002",
            )
        ]
    return []


@register(Tags.compatibility)
def check_broker(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    url: str = settings.CELERY_BROKER_URL
    known = ("redis://", "rediss://", "redis+socket://", "amqp://", "amqps://", "pyamqp://", "sentinel://")
    if url and not url.startswith(known):
        return [
            Error(
                f"CELERY_BROKER_URL begins with {url.split(':', maxsplit=1)[0]!r}.",
                hint="Use redis://, rediss://, redis+socket:// (Redis, Valkey) or amqp:// (RabbitMQ).",
                id="cxplan.E003",
            )
        ]
    return []


@register(Tags.database)
def check_database_version(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for alias in databases or ():
        version = connections[alias].pg_version  # type: ignore[attr-defined]  # PostgreSQL is the only engine
        if version < OLDEST_POSTGRESQL:
            messages.append(
                Caution(
                    f"The database is PostgreSQL {version // 10000}.",
                    hint=f"Use PostgreSQL {OLDEST_POSTGRESQL // 10000} or newer.",
                    id="cxplan.W001",
                )
            )
    return messages
