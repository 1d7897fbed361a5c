"""A title for an idea that came without one."""

import re

TITLE_MOST = 90


def title_of(text: str) -> str:
    """The first sentence, cut at a word when it is long."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    sentence = re.split(r"(?<=[.!?…])\s", first, maxsplit=1)[0].rstrip(".")
    if len(sentence) <= TITLE_MOST:
        return sentence
    cut = sentence[: TITLE_MOST - 1]
    return f"{cut.rsplit(' ', 1)[0] if ' ' in cut else cut}…"
