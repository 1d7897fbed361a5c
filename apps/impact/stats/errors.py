"""Why can this number not be given?"""

from __future__ import annotations


class NotEstimable(Exception):
    """A number that the data cannot support.

    Parameters
    ----------
    code : str
        Stable reason code (``no_baseline``, ``too_early``, …), listed in docs/methods.md.
    detail : str
        One sentence for a log, with the figures that led to the refusal.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
