"""The one error type of the domain: a code for machines, a message for people."""


class CxplanError(Exception):
    """Something the caller can understand and mend; it knows nothing of HTTP."""

    code = "error"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
