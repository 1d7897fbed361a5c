"""Changes to what other systems call a challenge, and to labels that nobody has mapped yet."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.taxonomy.journal import Journal, lock_taxonomy
from apps.taxonomy.models import Alias, Challenge, UnmappedLabel
from apps.taxonomy.services import TermNotCurrent


class AliasTaken(CxplanError):
    code = "alias_taken"


class NothingChosen(CxplanError):
    code = "nothing_chosen"


@transaction.atomic
def create_alias(*, source: str, label: str, challenge: Challenge, actor: User | None) -> Alias:
    """Say what a source means by a label; responses that waited for it are coded soon after.

    Raises AliasTaken, TermNotCurrent.
    """
    lock_taxonomy()
    journal = Journal()
    alias = _new(source, label, challenge, journal)
    record(event="taxonomy.alias.created", actor=actor, subject=alias, data=_told(alias, journal))
    return alias


@transaction.atomic
def change_alias(*, alias: Alias, challenge: Challenge, actor: User | None) -> Alias:
    """Let a label mean another challenge from now on. Raises TermNotCurrent."""
    lock_taxonomy()
    alias = Alias.objects.select_for_update().get(pk=alias.pk)
    journal = Journal()
    journal.set(alias, challenge=_usable(challenge))
    if journal.rows:
        record(event="taxonomy.alias.changed", actor=actor, subject=alias, data=_told(alias, journal))
    return alias


@transaction.atomic
def remove_alias(*, alias: Alias, actor: User | None) -> None:
    lock_taxonomy()
    journal, told = Journal(), f"{alias.source}: {alias.label}"
    subject = Alias(pk=alias.pk)
    journal.delete(alias)
    data = {"name": told, "code": alias.challenge.code, "rows": journal.rows}
    record(event="taxonomy.alias.removed", actor=actor, subject=subject, data=data)


@transaction.atomic
def map_labels(*, meanings: Sequence[tuple[UnmappedLabel, Challenge]], actor: User | None) -> int:
    """Say at once what many labels mean; how many there were.

    Raises NothingChosen, AliasTaken, TermNotCurrent.
    """
    if not meanings:
        raise NothingChosen(_("Nothing was chosen. Choose labels and what each of them means."))
    lock_taxonomy()
    journal = Journal()
    aliases = [_new(label.source, label.label, challenge, journal) for label, challenge in meanings]
    for label, _challenge in meanings:
        journal.set(label, is_ignored=False)
    if len(aliases) == 1:
        record(event="taxonomy.alias.created", actor=actor, subject=aliases[0], data=_told(aliases[0], journal))
    else:
        told = {
            "name": str(len(aliases)),
            "labels": [[alias.source, alias.label, alias.challenge.code] for alias in aliases],
            "rows": journal.rows,
        }
        record(event="taxonomy.labels.mapped", actor=actor, subject=meanings[0][0], data=told)
    return len(aliases)


@transaction.atomic
def ignore_labels(*, labels: Sequence[UnmappedLabel], is_ignored: bool = True, actor: User | None) -> int:
    """Set labels aside, or bring them back; their responses stay as they are. Raises NothingChosen."""
    if not labels:
        raise NothingChosen(_("Nothing was chosen. Choose labels first."))
    lock_taxonomy()
    journal = Journal()
    for label in labels:
        journal.set(label, is_ignored=is_ignored)
    if journal.rows:
        told = {"name": str(len(labels)), "labels": [str(label) for label in labels], "rows": journal.rows}
        event = "taxonomy.labels.ignored" if is_ignored else "taxonomy.labels.reopened"
        record(event=event, actor=actor, subject=labels[0], data=told)
    return len(labels)


def _new(source: str, label: str, challenge: Challenge, journal: Journal) -> Alias:
    taken = Alias.objects.filter(source__iexact=source, label__iexact=label).select_related("challenge").first()
    if taken is not None:
        raise AliasTaken(
            _("“%(label)s” already stands for %(challenge)s.")
            % {"label": taken.label, "challenge": taken.challenge},
            field="label",
        )
    alias = Alias(source=source, label=label, challenge=_usable(challenge))
    journal.create(alias)
    return alias


def _usable(challenge: Challenge) -> Challenge:
    challenge = Challenge.objects.get(pk=challenge.pk)
    if not challenge.is_current:
        raise TermNotCurrent(_("“%(name)s” is not in use any more.") % {"name": challenge}, field="challenge")
    return challenge


def _told(alias: Alias, journal: Journal) -> dict[str, object]:
    return {"name": f"{alias.source}: {alias.label}", "code": alias.challenge.code, "rows": journal.rows}
