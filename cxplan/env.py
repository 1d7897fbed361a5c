"""Reads settings from the environment and says clearly what is wrong with a value."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set. Set it in the environment.")
    return value


def noted(path: Path, default: str) -> str:
    """What a running process noted in a file of the home; the default when none runs."""
    try:
        return path.read_text().strip() or default
    except OSError:
        return default


def boolean(name: str, default: bool) -> bool:
    raw = os.environ.get(name)
    if raw is None:
        return default
    lowered = raw.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name}={raw!r} is not a boolean. Use true or false.")


def integer(name: str, default: int) -> int:
    raw = os.environ.get(name)
    if raw is None:
        return default
    try:
        return int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={raw!r} is not a whole number.") from error


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def database(name: str) -> dict[str, object]:
    """A PostgreSQL URL as Django's DATABASES entry; the host may be a percent-encoded socket directory."""
    url = text(name)
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"{name} must be a postgresql:// address; {parts.scheme or 'nothing'} is not supported."
        )
    query = dict(parse_qsl(parts.query))
    try:
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} has a port that is not a number.") from error
    # urlsplit lowercases hostnames, which would break a socket path; take it from netloc.
    host = parts.netloc.rsplit("@", 1)[-1]
    if port is not None:
        host = host.rsplit(":", 1)[0]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", "") or unquote(host),
        "PORT": query.pop("port", "") or (str(port) if port else ""),
        "OPTIONS": dict(query),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """How mails leave; `folder` is where they are put instead when there is no server."""

    backend: str
    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""
    uses_ssl: bool = False
    uses_starttls: bool = False
    folder: str | None = None


def mail_server(name: str, default: str) -> MailServer:
    """A mail server's URL.

    smtp://user:password@host:587 (STARTTLS unless ?tls=off), smtps://host:465 (TLS from the start),
    file:///folder (a file for each round of mails), console: (printed).
    """
    parts = urlsplit(text(name, default))
    if parts.scheme == "console":
        return MailServer(backend="django.core.mail.backends.console.EmailBackend")
    if parts.scheme == "file":
        return MailServer(backend="django.core.mail.backends.filebased.EmailBackend", folder=unquote(parts.path))
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured(
            f"{name} must look like smtp://host:587, smtps://host:465, file:///folder or console:"
        )
    uses_ssl = parts.scheme == "smtps"
    try:
        port = parts.port or (465 if uses_ssl else 587)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} has a port that is not a number.") from error
    return MailServer(
        backend="django.core.mail.backends.smtp.EmailBackend",
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        uses_ssl=uses_ssl,
        uses_starttls=not uses_ssl and dict(parse_qsl(parts.query)).get("tls") != "off",
    )
