"""Hints to workers, and what a worker does with them."""

from datetime import timedelta

import pytest
from celery import current_app
from django.db import connection
from django.utils import timezone

from apps.impact import services, tasks
from apps.impact.models import Run
from tests.impact.small_chain import build_small_chain

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue():
    """The names of the tasks that wait in the broker."""

    def waiting():
        with current_app.connection_for_read() as broker:
            channel = broker.default_channel
            names = []
            while (message := channel.basic_get("celery", no_ack=True)) is not None:
                names.append((message.headers["task"], message.headers["kwargsrepr"], message.headers["expires"]))
            return names

    waiting()
    yield waiting
    waiting()


def test_beat_hints_at_every_stale_metric(queue):
    chain = build_small_chain()
    tasks.refresh_stale()
    hints = queue()
    assert {hint[0] for hint in hints} == {"impact.measure_metric"}
    assert {hint[1] for hint in hints} == {f"{{'metric_id': {pk}}}" for pk in (chain.metric.pk, chain.later.pk)}
    assert all(hint[2] for hint in hints)


def test_nothing_stale_gives_no_hint(queue):
    tasks.refresh_stale()
    assert queue() == []


def test_a_hint_is_measured_once(queue):
    chain = build_small_chain()
    # A small network is refused at once, which is all this test needs.
    connection.cursor().execute("DELETE FROM feedback_cell WHERE unit_id <> %s", [chain.units[0].pk])
    tasks.measure(metric_id=chain.metric.pk)
    tasks.measure(metric_id=chain.metric.pk)
    run = Run.objects.get()
    assert (run.state, run.reason) == (Run.State.FINISHED, "network_too_small")
    assert run.as_of == timezone.now().date()
    assert timezone.now() - run.finished_at < timedelta(minutes=1)


def test_a_hint_for_a_metric_that_is_gone_is_harmless():
    tasks.measure(metric_id=0)
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_hint_for_a_metric_that_is_being_measured_is_dropped():
    chain = build_small_chain()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s::int)", [services.LOCK_METRIC, chain.metric.pk])
        tasks.measure(metric_id=chain.metric.pk)
        cursor.execute("SELECT pg_advisory_unlock(%s, %s::int)", [services.LOCK_METRIC, chain.metric.pk])
    other.close()
    assert not Run.objects.exists()
