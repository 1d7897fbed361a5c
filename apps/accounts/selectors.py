"""Answers about units and people."""

from apps.accounts.models import Unit
from apps.accounts.person import Person


def chosen_unit(*, person: Person, code: str | None) -> Unit | None:
    """The unit the person looks at: the one they chose while it is in their scope, else their own."""
    units = Unit.objects.in_scope(person.scope())
    if code:
        unit = units.filter(code__iexact=code).first()
        if unit is not None:
            return unit
    own = {path for path, _ in person.roles}
    return units.filter(path__in=own).order_by("path").first() or units.order_by("path").first()
