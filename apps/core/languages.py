"""Content that is kept in English and in French."""

from django.utils import translation


def localised(english: str, french: str) -> str:
    """The text in the active language, falling back to English."""
    return french if french and (translation.get_language() or "").startswith("fr") else english
