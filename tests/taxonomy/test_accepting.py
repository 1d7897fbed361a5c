"""Sure guesses are mapped portion by portion, whoever is killed in between, and each portion can be undone."""

import pytest
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.taxonomy.accepting import AlreadyAccepting, accept_guesses, accept_portion
from apps.taxonomy.models import Acceptance, Alias, UnmappedLabel
from apps.taxonomy.services import undo_change
from tests.factories import ChallengeFactory
from tests.taxonomy_factories import UnmappedLabelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def labels(db):
    ChallengeFactory(code="queue", name="Long wait at the counter")
    ChallengeFactory(code="fees", name="Unexpected fees")
    names = ["Long wait at the counter!", "zzz qqq", "unexpected fee", "UNEXPECTED FEES", "Long waits at counter"]
    return [UnmappedLabelFactory(label=name) for name in names]


def test_every_sure_guess_is_mapped_in_portions_and_the_rest_waits(labels, lead):
    accept_guesses(least=70, at=timezone.now(), actor=lead)
    seen = []
    while accept_portion(at=timezone.now(), most=2):
        running = Acceptance.objects.get()
        seen.append((running.seen_count, running.mapped_count))
    assert seen == [(2, 1), (4, 3), (5, 4), (5, 4)]
    assert running.finished_at
    assert list(UnmappedLabel.objects.waiting().values_list("label", flat=True)) == ["zzz qqq"]
    meant = dict(Alias.objects.values_list("label", "challenge__code"))
    assert meant["UNEXPECTED FEES"] == meant["unexpected fee"] == "fees"
    assert meant["Long waits at counter"] == "queue"


def test_a_portion_is_undone_like_any_other_change(labels, lead):
    accept_guesses(least=70, at=timezone.now(), actor=lead)
    while accept_portion(at=timezone.now()):
        continue
    change = AuditEvent.objects.get(event="taxonomy.labels.mapped")
    assert change.actor == lead
    undo_change(change=change, at=timezone.now(), actor=lead)
    assert not Alias.objects.exists()
    assert UnmappedLabel.objects.waiting().count() == 5


def test_one_runs_at_a_time_and_the_next_begins_anew(labels, lead):
    accept_guesses(least=100, at=timezone.now(), actor=lead)
    with pytest.raises(AlreadyAccepting):
        accept_guesses(least=70, at=timezone.now(), actor=lead)
    while accept_portion(at=timezone.now()):
        continue
    assert not accept_portion(at=timezone.now())
    accept_guesses(least=70, at=timezone.now(), actor=lead)
    while accept_portion(at=timezone.now()):
        continue
    assert UnmappedLabel.objects.waiting().count() == 1


def test_where_no_label_waits_it_ends_at_once(lead):
    accept_guesses(least=70, at=timezone.now(), actor=lead)
    assert accept_portion(at=timezone.now())
    assert not accept_portion(at=timezone.now())
    assert (Acceptance.objects.get().seen_count, Alias.objects.count()) == (0, 0)
