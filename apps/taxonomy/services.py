"""Changes to the tree of challenges, each one audited and written down so that it can be taken back."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import AuditEvent, User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.core.trees import refresh_paths
from apps.taxonomy.journal import Journal, UndoRefused, lock_taxonomy, undo
from apps.taxonomy.models import Challenge, Metric, Touchpoint
from apps.taxonomy.selectors import places
from apps.taxonomy.standing import faults

UNDO_WITHIN = timedelta(days=1)
UNDONE = "taxonomy.change.undone"
EDITABLE = (
    "name",
    "name_fr",
    "description",
    "description_fr",
    "severity",
    "metric",
    "touchpoint",
)  # fmt: skip
RELATED = ("metric", "touchpoint")


class TermMisplaced(CxplanError):
    code = "term_misplaced"


class TermNotCurrent(CxplanError):
    code = "term_not_current"


class TermInUse(CxplanError):
    code = "term_in_use"


class CodeTaken(CxplanError):
    code = "code_taken"


class SplitIncomplete(CxplanError):
    code = "split_incomplete"


class EditConflict(CxplanError):
    """Somebody else was faster; `version` is the one to look at before saving again."""

    code = "edit_conflict"

    def __init__(self, message: str, *, version: str) -> None:
        super().__init__(message)
        self.version = version


class TooLateToUndo(CxplanError):
    code = "too_late_to_undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTerm:
    """A part that a split makes."""

    code: str
    name: str
    name_fr: str = ""


@transaction.atomic
def create_challenge(
    *,
    code: str,
    name: str,
    name_fr: str = "",
    description: str = "",
    description_fr: str = "",
    severity: int = 3,
    parent: Challenge | None = None,
    metric: Metric | None = None,
    touchpoint: Touchpoint | None = None,
    actor: User | None,
) -> Challenge:
    """Raises CodeTaken, TermNotCurrent."""
    lock_taxonomy()
    _require_free(code)
    challenge = Challenge(
        code=code,
        name=name.strip(),
        name_fr=name_fr.strip(),
        description=description,
        description_fr=description_fr,
        severity=severity,
        parent=_settled(parent, field="parent") if parent is not None else None,
        metric=metric,
        touchpoint=touchpoint,
    )
    journal = Journal()
    journal.create(challenge)
    return _done("created", challenge, journal, actor)


@transaction.atomic
def change_challenge(
    *, challenge: Challenge, changes: Mapping[str, Any], seen: str | None = None, actor: User | None
) -> Challenge:
    """Rename or describe a term; `changes` has fields of EDITABLE. What was measured stays as it was measured.

    `seen` is the version that was read. Raises EditConflict.
    """
    lock_taxonomy()
    challenge = _fresh(challenge)
    version = version_of(challenge)
    if seen is not None and seen != version:
        raise EditConflict(
            _("Somebody changed “%(name)s” while you were writing. Compare, then save again to keep your text.")
            % {"name": challenge},
            version=version,
        )
    journal = Journal()
    journal.set(challenge, **{name: changes[name] for name in EDITABLE if name in changes})
    return _done("changed", challenge, journal, actor)


@transaction.atomic
def move_challenge(*, challenge: Challenge, parent: Challenge | None, actor: User | None) -> Challenge:
    """Put a term and all that stands under it elsewhere; without a parent it goes to the top.

    Raises TermNotCurrent, TermMisplaced.
    """
    lock_taxonomy()
    challenge = _fresh(challenge)
    if challenge.merged_into_id is not None:
        raise TermNotCurrent(_("“%(name)s” was merged, so it has no place of its own.") % {"name": challenge})
    if parent is not None:
        parent = _settled(parent, field="parent")
        if parent.path.startswith(challenge.path):
            raise TermMisplaced(
                _("A challenge can't stand under itself or under what stands under it."), field="parent"
            )
    journal = Journal()
    journal.set(challenge, parent=parent)
    return _done("moved", challenge, journal, actor, {"parent": parent.code if parent else None})


@transaction.atomic
def merge_challenge(*, challenge: Challenge, into: Challenge, actor: User | None) -> Challenge:
    """Let `into` stand for `challenge` from now on; what was recorded stays where it was recorded.

    Raises TermNotCurrent, TermMisplaced.
    """
    lock_taxonomy()
    challenge = _settled(challenge)
    into = _settled(into, field="into")
    if into.pk == challenge.pk:
        raise TermMisplaced(_("A challenge can't be merged into itself."), field="into")
    if into.path.startswith(challenge.path):
        raise TermMisplaced(
            _("“%(into)s” stands under “%(name)s”. Move it out first, or merge the other way round.")
            % {"into": into, "name": challenge},
            field="into",
        )
    journal = Journal()
    for earlier in Challenge.objects.filter(merged_into=challenge).order_by("pk"):
        journal.set(earlier, merged_into=into)
    for child in Challenge.objects.filter(parent=challenge).order_by("pk"):
        journal.set(child, parent=into)
    journal.set(challenge, merged_into=into)
    return _done("merged", challenge, journal, actor, {"into": into.code})


@transaction.atomic
def split_challenge(
    *, challenge: Challenge, parts: Sequence[Challenge | NewTerm], on: date, actor: User | None
) -> Challenge:
    """Let several terms follow one; what was recorded stays on the old one, which leads to its parts.

    Raises TermNotCurrent, TermInUse, SplitIncomplete, TermMisplaced, CodeTaken.
    """
    lock_taxonomy()
    challenge = _settled(challenge)
    _require_nothing_under(challenge)
    journal = Journal()
    followers: dict[int, Challenge] = {}
    for part in parts:
        follower = (
            _new_part(part, challenge, journal) if isinstance(part, NewTerm) else _settled(part, field="parts")
        )
        if follower.pk == challenge.pk:
            raise TermMisplaced(_("A challenge can't be a part of itself."), field="parts")
        followers[follower.pk] = follower
    if len(followers) < 2:
        raise SplitIncomplete(_("Name at least two different parts."), field="parts")
    journal.set(challenge, retired_on=on, parts=list(followers.values()))
    codes = [part.code for part in followers.values()]
    return _done("split", challenge, journal, actor, {"parts": codes})


@transaction.atomic
def retire_challenge(*, challenge: Challenge, on: date, actor: User | None) -> Challenge:
    """Take a term out of use; its page and its past stay. Raises TermNotCurrent, TermInUse."""
    lock_taxonomy()
    challenge = _settled(challenge)
    _require_nothing_under(challenge)
    journal = Journal()
    journal.set(challenge, retired_on=on)
    return _done("retired", challenge, journal, actor)


@transaction.atomic
def restore_challenge(*, challenge: Challenge, actor: User | None) -> Challenge:
    """Bring a retired or split term back into use. Raises TermNotCurrent."""
    lock_taxonomy()
    challenge = _fresh(challenge)
    if challenge.merged_into is not None:
        raise TermNotCurrent(
            _("“%(name)s” is part of “%(into)s” now. Create a new challenge instead.")
            % {"name": challenge, "into": challenge.merged_into}
        )
    if challenge.retired_on is None:
        raise TermNotCurrent(_("“%(name)s” is in use already.") % {"name": challenge})
    if challenge.parent is not None and not challenge.parent.is_current:
        raise TermNotCurrent(
            _("“%(parent)s”, under which it stands, is not in use. Restore that one first, or move this one.")
            % {"parent": challenge.parent}
        )
    journal = Journal()
    journal.set(challenge, retired_on=None, parts=[])
    return _done("restored", challenge, journal, actor)


@transaction.atomic
def undo_change(*, change: AuditEvent, at: datetime, actor: User | None) -> None:
    """Take a change of the last day back, exactly. Raises TooLateToUndo, UndoRefused."""
    lock_taxonomy()
    if change.at <= at - UNDO_WITHIN or "rows" not in change.data:
        raise TooLateToUndo(_("A change can be undone for a day. This one is older; make the opposite change."))
    if AuditEvent.objects.filter(event=UNDONE, data__undoes=change.pk).exists():
        raise UndoRefused(_("This was undone already."))
    before = faults(places())
    undo(change)
    if faults(places()) - before:
        raise UndoRefused(
            _("A later change builds on this one. Undo the later change first, or make the change by hand.")
        )
    refresh_challenge_paths()
    # The subject may be gone with the change that made it, so its name is kept beside it.
    told = {"undoes": change.pk, "event": change.event, "name": change.data.get("name", "")}
    AuditEvent.objects.create(event=UNDONE, actor=actor, subject=change.subject, data=told)


def version_of(challenge: Challenge) -> str:
    """A digest of what can be edited; it differs when somebody edited it."""
    values = [str(getattr(challenge, f"{name}_id" if name in RELATED else name)) for name in EDITABLE]
    return hashlib.sha256("\x00".join(values).encode()).hexdigest()[:16]


def refresh_challenge_paths() -> None:
    refresh_paths(table="taxonomy_challenge", parents="SELECT id, parent_id FROM taxonomy_challenge")


def _done(
    what: str,
    challenge: Challenge,
    journal: Journal,
    actor: User | None,
    data: Mapping[str, Any] | None = None,
) -> Challenge:
    """Bring the tree in line and keep the change, if it changed anything."""
    if journal.rows:
        refresh_challenge_paths()
        challenge.refresh_from_db(fields=["path"])
        told = {"code": challenge.code, "name": challenge.name, **(data or {}), "rows": journal.rows}
        record(event=f"taxonomy.challenge.{what}", actor=actor, subject=challenge, data=told)
    return challenge


def _fresh(challenge: Challenge) -> Challenge:
    """The term as it stands now that nobody else can change it."""
    return Challenge.objects.select_related("merged_into", "parent", "metric", "touchpoint").get(pk=challenge.pk)


def _settled(challenge: Challenge, *, field: str | None = None) -> Challenge:
    """The term as it stands now, which must be in use."""
    challenge = _fresh(challenge)
    if challenge.merged_into is not None:
        raise TermNotCurrent(
            _("“%(name)s” is part of “%(into)s” now. Use that one.")
            % {"name": challenge, "into": challenge.merged_into},
            field=field,
        )
    if challenge.retired_on is not None:
        raise TermNotCurrent(_("“%(name)s” is retired. Restore it first.") % {"name": challenge}, field=field)
    return challenge


def _require_free(code: str) -> None:
    if Challenge.objects.filter(code__iexact=code).exists():
        raise CodeTaken(_("The code “%(code)s” is taken. Choose another one.") % {"code": code}, field="code")


def _require_nothing_under(challenge: Challenge) -> None:
    inner: Iterable[Challenge] = Challenge.objects.current().filter(parent=challenge).order_by("name", "pk")[:3]
    names = ", ".join(str(child) for child in inner)
    if names:
        raise TermInUse(
            _("Other challenges stand under it: %(names)s. Move or retire them first.") % {"names": names}
        )


def _new_part(part: NewTerm, challenge: Challenge, journal: Journal) -> Challenge:
    """A part takes its place beside what is split, and what it was about."""
    _require_free(part.code)
    made = Challenge(
        code=part.code,
        name=part.name.strip(),
        name_fr=part.name_fr.strip(),
        parent=challenge.parent,
        metric=challenge.metric,
        touchpoint=challenge.touchpoint,
        severity=challenge.severity,
    )
    journal.create(made)
    return made
