# ruff: noqa: PLC0415 -- Django is imported when its settings know the database of this run
"""How much database time does one request to search a large library take, everything that it asks counted?

Each question is asked as a page and as a program, and the dearer of the two counts. What counts is how long the
server itself works: on a busy machine it also waits for a processor, which says nothing of the question. Runs in a
process of its own, with a database of its own that is thrown away.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from benchmarks.table import Row

NAME = "search"
SOLUTIONS, CHALLENGES, LIMIT = 10_000, 2_000, 50.0
TIMES = 9
# A page is asked for without its pictures.
SETTINGS = {
    "PGOPTIONS": "-c client_min_messages=warning",
    "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
}
WORDS, SYLLABLES = 3_000, ("ba", "co", "du", "fi", "gra", "le", "mo", "ni", "pla", "ro", "sta", "tu", "ve", "zo")


def vocabulary() -> list[str]:
    """Made-up words, the commonest first."""
    rng = random.Random(2)
    made: dict[str, None] = {}
    while len(made) < WORDS:
        made["".join(rng.choice(SYLLABLES) for _ in range(rng.randrange(2, 5)))] = None
    return list(made)


def slip(word: str) -> str:
    """The word without its third letter."""
    return word[:2] + word[3:]


COMMON, USUAL, RARE, RARER = (vocabulary()[place] for place in (5, 60, 1_500, 2_500))
QUESTIONS = {
    "a common word": f"q={COMMON}",
    "a rare word": f"q={RARE}",
    "a slip": f"q={slip(RARE)}",
    "two slips": f"q={slip(RARE)}+{slip(RARER)}",
    "a slip in French": f"q={slip(RARE)}&language=fr",
    "three words": f"q={COMMON}+{USUAL}+{RARE}",
    "no words, all facets": "what=solutions",
    "a word and facets": f"q={USUAL}&kind=sop&cost=3&evidence=1",
    "a challenge": "what=solutions&challenge=c7",
    "challenges": f"what=challenges&q={USUAL}",
    "page 40": "what=solutions&page=40",
    "ideas": f"what=ideas&q={USUAL}",
    "bubbles": "view=bubbles",
    "bubbles of a common word": f"view=bubbles&q={COMMON}",
}


def run(*, quick: bool = False) -> list[Row]:
    """Milliseconds of the database's work for a request, the median of nine."""
    size = 10 if quick else 1
    folder = Path(tempfile.mkdtemp(prefix="cxplan-bench-"))
    try:
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.bench_search", str(SOLUTIONS // size), str(CHALLENGES // size)],
            env={**environment, **SETTINGS, "CXPLAN_HOME": str(folder)},
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
            what=f"{SOLUTIONS // size:,} solutions, {CHALLENGES // size:,} challenges: {what}",
            value=milliseconds,
            unit="ms",
            reference="limit",
            against=LIMIT,
            passed=milliseconds <= LIMIT,
        )
        for what, milliseconds in json.loads(told.stdout.splitlines()[-1]).items()
    ]


def _fill(solutions: int, challenges: int) -> None:
    from apps.accounts.models import Unit, User
    from apps.ideas.models import Idea
    from apps.impact.models import RankedSolution, Run
    from apps.library.models import Solution, SolutionLink
    from apps.taxonomy.models import Alias, Challenge, Journey, Metric, Touchpoint

    rng = random.Random(1)
    known_words = vocabulary()
    # As in any language, a word is about half as frequent as one of half its rank.
    weights = [1 / (place + 5) for place in range(WORDS)]

    def words(number: int) -> str:
        return " ".join(rng.choices(known_words, weights, k=number))

    journey = Journey.objects.create(code="j", name="Journey")
    touchpoints = [
        Touchpoint.objects.create(code=f"t{i}", name=words(2), journey=journey, position=i) for i in range(8)
    ]
    metrics = [Metric.objects.create(code=f"m{i}", name=words(2), kind="perception") for i in range(8)]
    terms = Challenge.objects.bulk_create(
        [
            Challenge(
                code=f"c{i}",
                name=words(4),
                name_fr=words(4),
                description=words(12),
                touchpoint=rng.choice(touchpoints),
                metric=metrics[i % 8],
            )
            for i in range(challenges)
        ]
    )
    for term in terms:
        term.path = f"{term.pk}."
    Challenge.objects.bulk_update(terms, ["path"])
    Alias.objects.bulk_create(
        [Alias(source="other", label=f"{words(3)} {i}", challenge=rng.choice(terms)) for i in range(challenges)]
    )
    now = datetime(2026, 1, 5, 9, tzinfo=UTC)
    author = User.objects.create(email="author@example.org")
    unit = Unit.objects.create(code="U", name="Unit", path="1.")
    Idea.objects.bulk_create(
        [
            Idea(
                title=words(5),
                problem=words(10),
                text=words(30),
                author=author,
                unit=unit,
                state_since=now,
                let_in_at=now,
            )
            for _ in range(challenges)
        ]
    )
    known = Solution.objects.bulk_create(
        [
            Solution(
                code=f"s{i}",
                title=words(5),
                title_fr=words(5) if i % 2 else "",
                summary=words(30),
                kind=rng.choice(Solution.Kind.values),
                cost=rng.randrange(1, 6),
                lag_days=rng.randrange(60),
            )
            for i in range(solutions)
        ]
    )
    links = {(rng.randrange(challenges), i) for i in range(solutions) for _ in range(3)}
    SolutionLink.objects.bulk_create([SolutionLink(challenge=terms[c], solution=known[s]) for c, s in links])
    run_ = Run.objects.create(metric=metrics[0], as_of=date(2026, 1, 5))
    RankedSolution.objects.bulk_create(
        [
            RankedSolution(
                run=run_,
                challenge=terms[c],
                solution=known[s],
                metric=metrics[c % 8],
                context=context,
                context_count=3 if context else 0,
                effect=0.3,
                se=0.1,
                low=0.1,
                high=0.5,
                evidence=rng.randrange(6),
                verdict=rng.choice(RankedSolution.Verdict.values),
                action_count=5,
                unit_count=4,
                better={str(known[i].pk): 0.5 for i in range(20)},
                evidence_parts=[["uses", 1, words(6)] for _ in range(4)],
                method="bench",
                fingerprint="",
                as_of=date(2026, 1, 5),
            )
            for c, s in links
            for context in ("", rng.choice(["airport", "city", "station"]))
        ],
        batch_size=5_000,
    )


def _measure() -> dict[str, float]:
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from apps.accounts.models import User
    from apps.accounts.services import create_token
    from apps.library.models import Solution

    user = User.objects.create(email="bench@example.org", is_superuser=True)
    _token, secret = create_token(user=user, name="bench", scopes=[], expires_at=None, actor=user)
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(user)
    program = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {secret}"})
    page, api = reverse("search:search"), "/api/v1/search/"
    with connection.cursor() as cursor:
        # As the server itself does within a minute of many changes.
        cursor.execute("VACUUM ANALYZE")
    found = {
        what: max(_spent(browser, f"{page}?{query}"), _spent(program, f"{api}?{query}"))
        for what, query in QUESTIONS.items()
    }
    shown = Solution.objects.order_by("pk").values_list("pk", flat=True)[:20]
    strips = "&".join(f"pk={pk}" for pk in shown)
    found["evidence strips of a page"] = _spent(browser, f"{reverse('solution-strips')}?{strips}")
    changed = "UPDATE library_solution SET cost = cost WHERE id = (SELECT min(id) FROM library_solution)"
    found["no words, all facets, the first after a change"] = _spent(
        browser, f"{page}?what=solutions", before=lambda: connection.cursor().execute(changed)
    )
    return found


def _spent(client: Any, address: str, *, before: Callable[[], object] = lambda: None) -> float:
    """The median milliseconds that the database works for a request, whatever it asks it."""
    sums = []
    for _ in range(TIMES + 1):
        before()
        start = _worked()
        response = client.get(address)
        sums.append(_worked() - start)
        if response.status_code != HTTPStatus.OK:
            raise SystemExit(f"{address}: {response.status_code}")
    # The first one also fills what is kept in memory.
    return statistics.median(sums[1:])


def _worked() -> float:
    """Milliseconds of processor time that the server's process for this connection has had."""
    from django.db import connection

    connection.ensure_connection()
    process = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return int(process.read_text().split()[0]) / 1e6


if __name__ == "__main__":
    from cxplan.embedded.environment import prepare

    prepare(["shell"])
    import django

    django.setup()
    _fill(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(_measure()))
