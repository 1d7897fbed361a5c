"""Maps every label whose best guess is sure enough, a portion at a time: each takes a moment to guess."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.taxonomy.aliases import map_labels
from apps.taxonomy.inbox import WAITING, guesses_for, labels_in
from apps.taxonomy.journal import lock_taxonomy
from apps.taxonomy.models import Acceptance, Challenge

AT_ONCE = 100


class AlreadyAccepting(CxplanError):
    code = "already_accepting"


@transaction.atomic
def accept_guesses(*, least: int, at: datetime, actor: User) -> Acceptance:
    """Have every waiting label mapped whose best guess is at least `least` percent alike; workers do it.

    Raises AlreadyAccepting while another one runs.
    """
    lock_taxonomy()
    if Acceptance.objects.running().exists():
        raise AlreadyAccepting(_("Guesses are being accepted already. Wait until that is done."))
    acceptance = Acceptance.objects.create(
        asked_by=actor, asked_at=at, least=least, label_count=labels_in(WAITING).count()
    )
    record(event="taxonomy.guesses.accepted", actor=actor, subject=acceptance, data={"least": least})
    return acceptance


@transaction.atomic
def accept_portion(*, at: datetime, most: int = AT_ONCE) -> bool:
    """Look at the next labels of what runs and map the sure ones; whether there was something to do.

    Each portion is a change of its own, so what a killed process began is found again by the next.
    """
    running = Acceptance.objects.running().select_for_update(skip_locked=True).first()
    if running is None:
        return False
    labels = list(labels_in(WAITING).filter(pk__gt=running.last_label).order_by("pk")[:most])
    if not labels:
        running.finished_at = at
        running.save(update_fields=["finished_at"])
        return True
    best = {pk: found[0] for pk, found in guesses_for([label.pk for label in labels], limit=1).items()}
    sure = {pk: guess.code for pk, guess in best.items() if guess.percent >= running.least}
    terms = {term.code: term for term in Challenge.objects.current().filter(code__in=set(sure.values()))}
    meanings = [(label, terms[sure[label.pk]]) for label in labels if sure.get(label.pk) in terms]
    if meanings:
        map_labels(meanings=meanings, actor=running.asked_by)
    running.last_label = labels[-1].pk
    running.seen_count += len(labels)
    running.mapped_count += len(meanings)
    running.save(update_fields=["last_label", "seen_count", "mapped_count"])
    return True
