"""What is known of every solution, read once and kept in memory until something of it changes.

Each statement that changes what is counted leaves a row in `search_change`, in its own transaction: a reader sees
the change and its row together or neither. So a kept shelf is exact as long as the rows it saw are the rows there.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection

from apps.impact.focus import VERDICT_ORDER
from apps.impact.models import RankedSolution
from apps.library.models import Solution
from apps.search.counting import Best, Coded, Pairs, Real, Shelf, Whole

# The database it was read from, and how many rows of changes, their last and their sum: rows are only added and,
# when old, forgotten together, so no two states share all of them.
Revision = tuple[str, int, int, int]

KINDS = tuple(Solution.Kind.values)
STATUSES = tuple(Solution.Status.values)
VERDICTS = tuple(str(verdict) for verdict in VERDICT_ORDER)
LANGUAGES = ("en", "fr")
LEVELS = ("0", "1", "2", "3", "4", "5")
# No level of cost is no value to count.
COSTS = ("", *LEVELS[1:])


def _place(column: str, values: tuple[str, ...]) -> str:
    """SQL for the place of a column's value in a closed set."""
    return f"CASE {column} " + " ".join(f"WHEN '{value}' THEN {at}" for at, value in enumerate(values)) + " END"


_REVISION = "SELECT count(*), coalesce(max(id), 0), coalesce(sum(id), 0)::bigint FROM search_change"
# Numbers come as bytes, eight each: thousands of rows cost no more than a few values.
_SOLUTIONS = f"""
    SELECT string_agg(int8send(id), ''), string_agg(timestamptz_send(created_at), ''),
        string_agg(int8send(
            (lag_days::bigint << 16) + (({_place("kind", KINDS)}) << 12) + (({_place("status", STATUSES)}) << 8)
            + (coalesce(cost, 0) << 4) + (title_fr <> '')::int
        ), ''),
        array_agg(search_title)
    FROM library_solution
"""
_BEST = f"""
    SELECT string_agg(int8send(solution_id), ''), string_agg(float8send(coalesce(effect, 'NaN')), ''),
        string_agg(int8send(
            (evidence::bigint << 40) + ((7 - {_place("verdict", VERDICTS)})::bigint << 32) + action_count
        ), '')
    FROM impact_rankedsolution WHERE context = '' {{about}}
"""
_CHALLENGES = """
    SELECT string_agg(int8send(id), ''), string_agg(int8send(coalesce(merged_into_id, id)), ''),
        string_agg(int8send(coalesce(touchpoint_id, 0)), ''), array_agg(path::text)
    FROM taxonomy_challenge
"""
_LINKS = """
    SELECT string_agg(int8send(solution_id), ''), string_agg(int8send(challenge_id), '') FROM library_solutionlink
"""
_USED_IN = """
    SELECT array_agg(context::text), array_agg(solutions) FROM (
        SELECT context, string_agg(int8send(solution_id), '') AS solutions FROM impact_rankedsolution
        WHERE context <> '' AND context_count > 0 GROUP BY context
    ) used
"""
_ALL = f"""
    SELECT * FROM ({_REVISION}) revision, ({_SOLUTIONS}) solutions, ({_BEST.format(about="")}) best,
        ({_CHALLENGES}) challenges, ({_LINKS}) links, ({_USED_IN}) used_in
"""


# A row as the database gave it: a value of its own kind for each column.
Row = tuple[Any, ...]


@dataclass(slots=True)
class _Kept:
    """The last shelf this process read."""

    read: tuple[Revision, Shelf] | None = None


_kept = _Kept()


def current_shelf() -> Shelf:
    """One query when nothing has changed since the last question, two otherwise."""
    database = connection.settings_dict["NAME"]
    read = _kept.read
    with connection.cursor() as cursor:
        cursor.execute(_REVISION)
        if read is not None and read[0] == (database, *cursor.fetchone()):
            return read[1]
        cursor.execute(_ALL)
        row = cursor.fetchone()
    shelf = _shelf(row[3:])
    _kept.read = ((database, *row[:3]), shelf)
    return shelf


def best_about(shelf: Shelf, challenges: list[int]) -> Best:
    """What is best known of each solution under some challenges alone; one query."""
    with connection.cursor() as cursor:
        about = "AND challenge_id = ANY(%(challenges)s)"
        cursor.execute(_BEST.format(about=about), {"challenges": challenges})
        return _best(shelf.pks, *cursor.fetchone())


def whole(data: bytes | None) -> Whole:
    return np.frombuffer(data or b"", ">i8").astype(np.int64)


def real(data: bytes | None) -> Real:
    return np.frombuffer(data or b"", ">f8").astype(np.float64)


def _shelf(row: Row) -> Shelf:
    pks, created, facts = (whole(column) for column in row[:3])
    order = np.argsort(pks)
    pks, created, facts = pks[order], created[order], facts[order]
    titles = row[3] or []
    rank = np.empty(len(pks), np.int64)
    rank[sorted(range(len(pks)), key=[titles[place] for place in order].__getitem__)] = np.arange(len(pks))
    challenges, touchpoints = _answered(pks, row[7:11], row[11:13])
    return Shelf(
        pks=pks,
        rank=rank,
        kind=Coded(codes=facts >> 12 & 15, values=KINDS),
        status=Coded(codes=facts >> 8 & 15, values=STATUSES),
        cost=Coded(codes=facts >> 4 & 15, values=COSTS),
        language=Coded(codes=facts & 15, values=LANGUAGES),
        lag_days=facts >> 16,
        created=created,
        best=_best(pks, *row[4:7]),
        challenges=challenges,
        touchpoints=touchpoints,
        unit_kinds=_used_in(pks, row[13] or [], row[14] or []),
    )


def _best(pks: Whole, solutions: bytes | None, effects: bytes | None, known: bytes | None) -> Best:
    """Of a solution's rankings the one with most evidence; among equals as its evidence strip chooses."""
    knowledge = whole(known)
    order = np.argsort(knowledge, kind="stable")
    places = np.searchsorted(pks, whole(solutions))[order]
    # Where a place is given several times, the last one stays.
    most, effect = np.full(len(pks), -1, np.int64), np.full(len(pks), np.nan)
    most[places], effect[places] = knowledge[order], real(effects)[order]
    unknown = VERDICTS.index(RankedSolution.Verdict.UNKNOWN)
    return Best(
        evidence=Coded(codes=np.where(most < 0, 0, most >> 40), values=LEVELS),
        verdict=Coded(codes=np.where(most < 0, unknown, 7 - (most >> 32 & 255)), values=VERDICTS),
        effect=effect,
    )


def _answered(pks: Whole, challenges: Row, links: Row) -> tuple[Pairs, Pairs]:
    """What each solution answers: the challenges, with all above them, and their touchpoints."""
    given, paths = [whole(column) for column in challenges[:3]], challenges[3] or []
    order = np.argsort(given[0])
    keys, standing, touchpoints = (column[order] for column in given)
    # Each challenge's own line, from the root down to itself, one after the other.
    lines = [[int(step) for step in paths[place].split(".") if step] or [given[0][place]] for place in order]
    lengths = np.array([len(line) for line in lines], np.int64)
    starts = np.cumsum(lengths) - lengths
    steps = np.searchsorted(keys, np.array([step for line in lines for step in line], np.int64))
    solutions = np.searchsorted(pks, whole(links[0]))
    linked = _of(np.searchsorted(keys, standing), np.searchsorted(keys, whole(links[1])))
    many = _of(lengths, linked)
    inside = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    named = np.array(sorted(set(touchpoints.tolist()) - {0}), np.int64)
    met = _of(touchpoints, linked)
    return (
        _pairs(np.repeat(solutions, many), _of(steps, np.repeat(_of(starts, linked), many) + inside), keys),
        _pairs(solutions[met > 0], np.searchsorted(named, met[met > 0]), named),
    )


def _of(values: Whole, places: Whole) -> Whole:
    return values[places] if len(places) else places


def _pairs(solutions: Whole, codes: Whole, keys: Whole) -> Pairs:
    """Each pair once."""
    pairs = _once(solutions * (len(keys) + 1) + codes)
    return Pairs(
        solutions=pairs // (len(keys) + 1),
        codes=pairs % (len(keys) + 1),
        values=tuple(str(key) for key in keys.tolist()),
    )


def _once(numbers: Whole) -> Whole:
    numbers = np.sort(numbers)
    return numbers[np.diff(numbers, prepend=-1) > 0]


def _used_in(pks: Whole, kinds: list[str], solutions: list[bytes]) -> Pairs:
    used = [_once(np.searchsorted(pks, whole(packed))) for packed in solutions]
    return Pairs(
        solutions=np.concatenate([*used, whole(None)]),
        codes=np.repeat(np.arange(len(kinds)), [len(places) for places in used]),
        values=tuple(kinds),
    )
