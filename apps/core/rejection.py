"""What a rejected row is told: a message for each code, with its remedy."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.fields import Field

MESSAGES: Mapping[str, str | Promise] = {
    # Rows that can't be read.
    "encoding": _("“%(field)s” holds bytes that are not UTF-8. Save the file as UTF-8 and import this row again."),
    "nul": _("“%(field)s” holds a NUL character. Remove it and import this row again."),
    "columns": _(
        "The row has %(value)s cells and the header %(detail)s. Put quotation marks around cells that hold the "
        "separator."
    ),
    "quote": _("A quotation mark is not closed or stands inside a cell. Double it inside a quoted cell."),
    "too_long": _("“%(field)s” is too long: it may have %(detail)s characters. Shorten it."),
    "row_too_long": _(
        "The row is longer than %(detail)s MB. Look for a quotation mark that is never closed, or shorten it."
    ),
    "json": _('The line is no JSON object. Write one object a line, such as {"code": "paris"}.'),
    "nested": _("“%(field)s” holds an object. Only texts, numbers, true, false and lists of them fit in a cell."),
    "mapping": _("“%(field)s”: %(detail)s."),
    # Cells that can't be understood.
    "required": _("“%(field)s” is empty. Fill it in."),
    "bad_code": _(
        "“%(value)s” is no code. Codes have up to 64 letters, digits, dots, hyphens or underscores, and begin "
        "with a letter or a digit."
    ),
    "not_integer": _("“%(value)s” is no whole number. Write it as 12."),
    "not_number": _("“%(value)s” is no number. Write it as 12 or 12.5, with a point and without spaces."),
    "out_of_range": _("“%(value)s” is out of the range %(detail)s. Correct it."),
    "out_of_scale": _("“%(value)s” is out of the metric's scale %(detail)s. Correct it, or the metric's scale."),
    "not_boolean": _("“%(value)s” is neither true nor false."),
    "not_choice": _("“%(value)s” is not one of: %(detail)s."),
    "not_date": _("“%(value)s” is no date. Write it as 2026-03-31, or give its format in a mapping."),
    "not_instant": _(
        "“%(value)s” is no date and time. Write it as 2026-03-31T14:05 or with an offset, 2026-03-31T14:05+02:00."
    ),
    "impossible_date": _("There is no “%(value)s” in the calendar or on the clock. Correct it."),
    "duplicate_key": _("The row contradicts line %(detail)s, which has the same key. Keep one of the two."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why a row did not come in; `line` is its first line in the file."""

    line: int
    field: str
    code: str
    value: str
    message: str

    def as_dict(self) -> dict[str, str | int]:
        return {"line": self.line, "field": self.field, "code": self.code, "message": self.message}


def explain(
    *,
    line: int,
    field: str,
    code: str,
    value: str,
    detail: str,
    fields: list[Field],
    messages: Mapping[str, str | Promise],
    heading: str = "",
) -> Rejection:
    """The rejection in the active language; `messages` are the kind's own and go before the common ones.

    `heading` is what the reader calls the field.
    """
    words = {"field": heading or field, "value": value, "detail": detail or value}
    template = messages.get(code) or MESSAGES.get(code)
    if template is None:
        template = _("No %(label)s is called “%(detail)s”. %(remedy)s")
        reference = next(
            (
                one.reference
                for one in fields
                if one.reference is not None and code == f"unknown_{one.reference.name}"
            ),
            None,
        )
        words["label"] = str(reference.label) if reference is not None else field
        words["remedy"] = str(reference.remedy) if reference is not None else ""
    return Rejection(line=line, field=field, code=code, value=value, message=str(template) % words)
