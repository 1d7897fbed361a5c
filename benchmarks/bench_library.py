# ruff: noqa: PLC0415 -- Django is imported when its settings know the database of this run
"""How long do the pages of a large library take, against an aim for the whole page and one for its queries?

Runs in a process of its own, with a database of its own that is thrown away.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.table import Row

NAME = "library"
SOLUTIONS, CHALLENGES, LABELS, IDEAS = 10_000, 2_000, 2_000, 1_000
# Links, versions and files of the best known solution.
LINKS = 200
PAGE_MS, QUERIES_MS, TASK_SECONDS = 100.0, 50.0, 120.0
TIMES = 5
PACKS = Path(__file__).resolve().parents[1] / "fixtures" / "packs"
PAGES = {
    "tree of challenges": "/challenges/",
    "a search in the tree": "/challenges/?q={word}",
    "vocabulary": "/taxonomy/",
    "a branch of the vocabulary": "/taxonomy/under/c0/?level=2",
    "new challenge": "/taxonomy/new/",
    "move a challenge": "/challenges/c7/move/",
    "choose a challenge": "/taxonomy/terms/?q={word}",
    "labels with guesses": "/taxonomy/labels/",
    "new alias": "/taxonomy/aliases/new/",
    "aliases": "/taxonomy/aliases/",
    "solutions": "/solutions/",
    "solution card": "/solutions/s0/",
    "links of a solution": "/solutions/s0/links/",
    "edit a solution": "/solutions/s0/edit/",
    "labels of solutions": "/library/labels/",
    "playbook to write": "/library/playbooks/new/",
    "curation queue": "/curation/",
    "packs to export": "/packs/export/",
    "ideas": "/ideas/",
    "propose an idea": "/ideas/new/",
    "guesses while typing": "/ideas/guesses/?problem={words}",
    "alike while typing": "/ideas/similar/?text={words}",
    "one idea": "/ideas/{idea}/",
    "edit an idea": "/ideas/{idea}/edit/",
    "join an idea": "/ideas/{idea}/merge/",
    "make an idea a solution": "/ideas/{idea}/promote/",
    "new call": "/calls/new/",
}


def run(*, quick: bool = False) -> list[Row]:
    """Milliseconds of a page and of its queries, the median of five; seconds of the tasks behind them."""
    size = 10 if quick else 1
    folder = Path(tempfile.mkdtemp(prefix="cxplan-bench-"))
    try:
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.bench_library", str(size)],
            env={**environment, "CXPLAN_HOME": str(folder), "PGOPTIONS": "-c client_min_messages=warning"},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    finally:
        end = time.monotonic() + 30
        while any(folder.glob("**/postmaster.pid")) and time.monotonic() < end:
            time.sleep(0.1)
        shutil.rmtree(folder, ignore_errors=True)
    found = json.loads(told.stdout.splitlines()[-1])
    return [
        *(_row(f"{what}: page", page, "ms", PAGE_MS) for what, (page, _queries) in found["pages"].items()),
        *(_row(f"{what}: queries", took, "ms", QUERIES_MS) for what, (_page, took) in found["pages"].items()),
        *(_row(what, seconds, "s", TASK_SECONDS) for what, seconds in found["tasks"].items()),
    ]


def vocabulary() -> dict[str, int]:
    """The words of the shipped packs and how often each is used, the commonest first."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(PACKS.glob("*.json"))]
    return dict(Counter(re.findall(r"[^\W\d_]{3,}", " ".join(texts).lower())).most_common())


def _row(what: str, value: float, unit: str, limit: float) -> Row:
    return Row(
        bench=NAME, what=what, value=value, unit=unit, reference="aim", against=limit, passed=value <= limit
    )


def _fill(size: int) -> None:
    from django.utils import timezone

    from apps.accounts.models import Unit
    from apps.ideas.models import Idea
    from apps.library.models import Solution, SolutionLink, SolutionVersion
    from apps.taxonomy.models import Alias, Challenge, Journey, Metric, Touchpoint, UnmappedLabel

    rng = random.Random(1)
    known_words = vocabulary()

    def words(number: int) -> str:
        return " ".join(rng.choices([*known_words], [*known_words.values()], k=number)).capitalize()

    def slipped(text: str) -> str:
        place = rng.randrange(len(text) - 1)
        return text[:place] + text[place + 1 :]

    now = timezone.now()
    unit = Unit.objects.create(code="all", name="All", kind="company", path="1.")
    Unit.objects.filter(pk=unit.pk).update(path=f"{unit.pk}.")
    journey = Journey.objects.create(code="j", name="Journey")
    touchpoints = [
        Touchpoint.objects.create(code=f"t{i}", name=words(2), journey=journey, position=i) for i in range(8)
    ]
    metrics = [Metric.objects.create(code=f"m{i}", name=words(2), kind="perception") for i in range(8)]
    count = CHALLENGES // size
    terms = Challenge.objects.bulk_create(
        Challenge(
            code=f"c{i}",
            name=words(4),
            name_fr=words(4),
            description=words(12),
            touchpoint=touchpoints[i % 8],
            metric=metrics[i % 8],
        )
        for i in range(count)
    )
    # Twenty branches of ten, the rest under those.
    for i, term in enumerate(terms):
        above = None if i < 20 else terms[i % 20] if i < 220 else terms[20 + i % 200]
        term.parent = above
        term.path = f"{above.path if above else ''}{term.pk}."
    Challenge.objects.bulk_update(terms, ["parent", "path"])
    Alias.objects.bulk_create(
        Alias(source="desk", label=f"{words(3)} {i}", challenge=term) for i, term in enumerate(terms[:1_000])
    )
    UnmappedLabel.objects.bulk_create(
        UnmappedLabel(
            source="helpdesk",
            label=f"{slipped(rng.choice(terms).name)} {i}",
            first_seen_at=now,
            last_seen_at=now,
            response_count=rng.randrange(500),
        )
        for i in range(LABELS // size)
    )
    solutions = Solution.objects.bulk_create(
        Solution(
            code=f"s{i}",
            title=words(5),
            title_fr=words(5) if i % 2 else "",
            summary=words(30),
            kind=rng.choice(Solution.Kind.values),
            status="published",
            cost=rng.randrange(1, 6),
        )
        for i in range(SOLUTIONS // size)
    )
    SolutionVersion.objects.bulk_create(
        SolutionVersion(solution=solution, number=1, title=solution.title, procedure=words(40))
        for solution in solutions
    )
    SolutionVersion.objects.bulk_create(
        SolutionVersion(solution=solutions[0], number=n, title=solutions[0].title, procedure=words(40))
        for n in range(2, LINKS)
    )
    pairs = {(rng.randrange(count), i) for i in range(1, len(solutions)) for _ in range(3)}
    pairs |= {(i, 0) for i in range(LINKS)}
    SolutionLink.objects.bulk_create(
        [SolutionLink(challenge=terms[c], solution=solutions[s], rationale=words(8)) for c, s in pairs],
        batch_size=5_000,
    )
    Idea.objects.bulk_create(
        Idea(
            title=words(6), problem=words(6), text=words(30), unit=unit, level=unit, state="new", let_in_at=now,
            due_at=now, state_since=now, author_key=str(i),
        )
        for i in range(IDEAS // size)
    )  # fmt: skip


def _measure() -> dict[str, Any]:
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from apps.accounts.models import Membership, Role, Unit, User
    from apps.curation.likeness import compare_all
    from apps.ideas.models import Idea
    from apps.taxonomy.accepting import accept_guesses, accept_portion

    settings.ALLOWED_HOSTS = ["*"]
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    lead = User.objects.create(email="bench@example.org", name="Bench")
    Membership.objects.create(user=lead, unit=Unit.objects.get(), role=Role.LEAD)
    client = Client()
    client.force_login(lead)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    known_words = [*vocabulary()]
    asked = {
        "word": known_words[60],
        "words": "+".join(known_words[place] for place in (5, 60, 300, 900, 1_500)),
        "idea": Idea.objects.order_by("pk").values_list("pk", flat=True)[0],
    }
    pages: dict[str, tuple[float, float]] = {}
    for what, pattern in PAGES.items():
        address, whole, queries = pattern.format(**asked), [], []
        for _ in range(TIMES):
            started = time.perf_counter()
            response = client.get(address)
            whole.append(1000 * (time.perf_counter() - started))
            assert response.status_code == 200, (address, response.status_code)
            with CaptureQueriesContext(connection) as captured:
                client.get(address)
            queries.append(1000 * sum(float(one["time"]) for one in captured.captured_queries))
        pages[what] = (statistics.median(whole), statistics.median(queries))
        print(
            f"{what:30} {pages[what][0]:7.0f} ms {pages[what][1]:7.0f} ms",
            len(response.content),
            file=sys.stderr,
            flush=True,
        )

    def accept_all() -> None:
        accept_guesses(least=70, at=timezone.now(), actor=lead)
        while accept_portion(at=timezone.now()):
            continue

    tasks = {}
    for what, task in {
        "look-alikes of all solutions and ideas": lambda: compare_all(at=timezone.now(), most_batches=1_000),
        "every sure guess accepted": accept_all,
    }.items():
        started = time.perf_counter()
        task()
        tasks[what] = time.perf_counter() - started
        print(what, tasks[what], file=sys.stderr, flush=True)
    return {"pages": pages, "tasks": tasks}


if __name__ == "__main__":
    from cxplan.embedded.environment import prepare

    prepare(["shell"])
    import django

    django.setup()
    _fill(int(sys.argv[1]))
    print(json.dumps(_measure()))
