"""Who may import what, and how an import stands."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.accounts.models import Role
from apps.accounts.person import Person
from apps.accounts.selectors import covers_everything
from apps.imports.models import ImportBatch, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`tone` is that of a chip; `read_share` the percent of the file read, None when that says nothing."""

    batch: ImportBatch
    word: str
    tone: str
    doing: str
    read_share: int | None
    is_over: bool
    has_failed: bool

    @property
    def has_come_in(self) -> bool:
        return self.is_over and not self.has_failed


def importable_kinds(person: Person) -> tuple[Kind, ...]:
    """What a person may bring in: a file may name any unit, so nothing for who does not lead all of them.

    People come with roles, which an administrator hands out.
    """
    if not covers_everything(person.scope(Role.LEAD)):
        return ()
    return tuple(kind for kind in Kind if kind != Kind.PEOPLE or person.has(Role.ADMIN))


def standing_of(batch: ImportBatch) -> Standing:
    is_reading = batch.phase == "reading" and batch.file_bytes > 0
    return Standing(
        batch=batch,
        word=_word(batch),
        tone=_tone(batch),
        doing=_doing(batch),
        read_share=min(99, 100 * batch.read_bytes // batch.file_bytes) if is_reading else None,
        is_over=batch.is_over,
        has_failed=batch.state == ImportBatch.State.FAILED,
    )


def _word(batch: ImportBatch) -> str:
    if batch.state == ImportBatch.State.FINISHED:
        if batch.is_dry_run:
            return _("Checked only")
        return _("Partly rejected") if batch.rejected_count else _("Imported")
    return str(ImportBatch.State(batch.state).label)


def _tone(batch: ImportBatch) -> str:
    if batch.state == ImportBatch.State.FAILED:
        return "worse"
    if batch.state == ImportBatch.State.FINISHED:
        return "attention" if batch.rejected_count else "better"
    return "unclear"


def _doing(batch: ImportBatch) -> str:
    phases = {
        "reading": _("Reading the file"),
        "checking": _("Checking every row"),
        "storing": _("Storing the good rows"),
    }
    return phases.get(batch.phase, _("Waiting for a free worker"))
