"""A measurement that is killed leaves nothing half, and the next one finishes the work."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apps.impact.models import Effect, RankedSolution, Run
from apps.impact.services import measure_stale
from apps.impact.staleness import stale_metrics
from tests.impact.small_chain import AS_OF, build_small_chain

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db(transaction=True)
def test_kill_9_during_a_measurement_loses_and_doubles_nothing():
    chain = build_small_chain()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "measure", "--as-of", AS_OF.isoformat(), "--format", "json"],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while not Run.objects.filter(phase="effects").exists():
            assert time.monotonic() < deadline, "the measurement never began"
            assert process.poll() is None, "the measurement ended before it could be killed"
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    cut_off = Run.objects.get(state=Run.State.RUNNING)
    assert not Effect.objects.filter(metric=cut_off.metric).exists()
    assert not RankedSolution.objects.filter(metric=cut_off.metric).exists()
    measure_stale(as_of=AS_OF)
    cut_off.refresh_from_db()
    assert cut_off.state == Run.State.FAILED
    assert Run.objects.filter(state=Run.State.FINISHED).count() == 2
    assert Effect.objects.on_target().count() == len(chain.actions)
    assert RankedSolution.objects.filter(context="").count() == 5
    assert stale_metrics(AS_OF) == []
