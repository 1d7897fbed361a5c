# ruff: noqa: PLC0415 -- Django is imported when its settings know the database of this run
"""How long does the server take for a page of a chain of thousands of units, in how many queries?

Runs in a process of its own, with a database of its own that is thrown away.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.table import Row

NAME = "pages"
UNITS, ACTIONS, LIMIT, TIMES = 5_000, 50_000, 200.0, 7
# A whole file of all actions takes as long as it has rows: a limit for a thousand of them.
EXPORT_LIMIT = 200.0
TODAY = date.today()  # noqa: DTZ011 -- pages ask the clock, too


def run(*, quick: bool = False) -> list[Row]:
    """Milliseconds of server time of a page, the median of seven."""
    size = 10 if quick else 1
    folder = Path(tempfile.mkdtemp(prefix="cxplan-bench-"))
    try:
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.bench_pages", str(UNITS // size), str(ACTIONS // size)],
            env={
                **environment,
                "CXPLAN_HOME": str(folder),
                "PGOPTIONS": "-c client_min_messages=warning",
                "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
            },
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    finally:
        end = time.monotonic() + 30
        while any(folder.glob("**/postmaster.pid")) and time.monotonic() < end:
            time.sleep(0.1)
        shutil.rmtree(folder, ignore_errors=True)
    return [
        Row(
            bench=NAME,
            what=f"{what}: {found['queries']} queries, database {found['database']:.0f} ms",
            value=found["server"],
            unit="ms",
            reference="limit",
            against=found["limit"],
            passed=found["server"] <= found["limit"],
        )
        for what, found in json.loads(told.stdout.splitlines()[-1]).items()
    ]


def _addresses(people: Any) -> dict[str, tuple[str, str]]:
    """Who asks for which address."""
    from apps.planning.feeds import renew_feed
    from apps.planning.models import Action, Plan

    feed = renew_feed(user=people.area, actor=people.area)
    action = Action.objects.filter(owner=people.manager).exclude(effective_on=None).order_by("pk").first()
    large = Plan.objects.order_by("-pk").first()
    assert action is not None
    assert large is not None
    return {
        "home, lead": ("lead", "/"),
        "home, area manager": ("area", "/"),
        "home, manager": ("manager", "/"),
        "home, staff": ("staff", "/"),
        "digest, lead": ("lead", "/settings/digest/"),
        "digest, manager": ("manager", "/settings/digest/"),
        "board, lead": ("lead", "/plans/"),
        "board, manager": ("manager", "/plans/"),
        "list of a state, lead": ("lead", "/plans/?state=applied"),
        "board, a search": ("lead", "/plans/?q=solution+7"),
        "board, a challenge": ("lead", "/plans/?challenge=c7"),
        "timeline, lead": ("lead", "/plans/timeline/"),
        "timeline, area manager": ("area", "/plans/timeline/"),
        "timeline, last page": ("lead", "/plans/timeline/?page=9999"),
        "calendar, lead": ("lead", "/plans/calendar/"),
        "calendar, area manager": ("area", "/plans/calendar/"),
        "table, lead": ("lead", "/plans/table/"),
        "table, sorted by solution's unit": ("lead", "/plans/table/?sort=unit"),
        "table, filtered": ("lead", "/plans/table/?state=applied&challenge=c7&since=2020-01-01"),
        "table, a search": ("lead", "/plans/table/?q=unit+12"),
        "table, last page": ("lead", "/plans/table/?page=99999"),
        "events, lead": ("lead", "/events/"),
        "events, last page": ("lead", "/events/?page=99999"),
        "calendar file": ("", f"/calendar/{feed}.ics"),
        "action": ("lead", f"/actions/{action.external_id}/"),
        "roll-out of 50 units": ("lead", f"/plans/{large.pk}/rollout/"),
        "tasks, effect and readings of an action": ("lead", f"/actions/{action.external_id}/effect/"),
        "challenge": ("lead", "/challenges/c7/"),
        "challenge, ranking": ("lead", "/challenges/c7/ranking/"),
        "challenge, recommended": ("manager", "/challenges/c7/recommended/"),
        "solution": ("lead", "/solutions/s7/"),
        "solution, evidence": ("lead", "/solutions/s7/evidence/"),
        "solution, people to ask": ("manager", "/solutions/s7/people/"),
        "unit": ("manager", f"/units/{action.unit.code}/"),
        "unit, whole organisation": ("lead", "/units/U00000/"),
        "focus, manager": ("manager", "/focus/"),
        "focus, lead": ("lead", "/focus/"),
        "learn": ("lead", "/learn/"),
        "library": ("lead", "/solutions/"),
        "ideas": ("staff", "/ideas/"),
        "curation": ("lead", "/curation/"),
        "unit switch": ("lead", "/unit/"),
        "units, settings": ("lead", "/settings/units/"),
        "actions in the API": ("lead", "/api/v1/actions/"),
        "actions in the API, filtered": ("lead", "/api/v1/actions/?state=applied&challenge=c7"),
        "plans in the API": ("lead", "/api/v1/plans/"),
        "tasks in the API": ("lead", "/api/v1/tasks/"),
        "check-ins in the API": ("lead", "/api/v1/check-ins/"),
        "effects in the API": ("lead", "/api/v1/effects/"),
        "CSV of all actions": ("lead", "/plans/table/export/?format=csv"),
        "XLSX of all actions": ("lead", "/plans/table/export/?format=xlsx"),
        "CSV of a challenge": ("lead", "/plans/table/export/?format=csv&challenge=c7"),
    }


def _measure(people: Any, actions: int) -> dict[str, dict[str, float]]:
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    clients = {"": Client(SERVER_NAME="localhost")}
    for who in ("lead", "area", "manager", "staff"):
        clients[who] = Client(SERVER_NAME="localhost")
        clients[who].force_login(getattr(people, who))

    def once(who: str, address: str) -> float:
        begun = time.perf_counter()
        response = clients[who].get(address)
        size = len(response.getvalue())
        taken = 1000 * (time.perf_counter() - begun)
        assert response.status_code == 200, (address, response.status_code)
        assert size, address
        return taken

    found = {}
    for what, (who, address) in _addresses(people).items():
        is_file = "of all actions" in what
        once(who, address)
        times = [once(who, address) for _ in range(3 if is_file else TIMES)]
        with CaptureQueriesContext(connection) as captured:
            once(who, address)
        found[what] = {
            "server": statistics.median(times),
            "database": 1000 * sum(float(one["time"]) for one in captured.captured_queries),
            "queries": len(captured),
            "limit": EXPORT_LIMIT * actions / 1000 if is_file else LIMIT,
        }
        if address in {"/", "/focus/"}:
            cache.clear()
            found[f"{what}, nothing kept"] = {**found[what], "server": once(who, address), "limit": 5 * LIMIT}
        print(what, {name: round(value, 1) for name, value in found[what].items()}, file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    from cxplan.embedded.environment import prepare

    prepare(["shell"])
    import django

    django.setup()
    from benchmarks.large_chain import fill

    measured = fill(int(sys.argv[1]), int(sys.argv[2]), today=TODAY)
    print(json.dumps(_measure(measured, int(sys.argv[2]))))
