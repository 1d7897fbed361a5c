"""What is known of every solution, read once and kept in memory until something of it changes.

Each statement that changes what is counted leaves a row in `search_change`, in its own transaction: a reader sees
the change and its row together or neither. So what was read of a table is exact as long as the rows of changes
seen before are the rows there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection

from apps.impact.focus import VERDICT_ORDER
from apps.impact.models import RankedSolution
from apps.library.models import Solution
from apps.search.counting import Best, Coded, Pairs, Real, Shelf, Whole, places_of

# How many rows of changes a table has, their last and their sum: rows are only added, and where some are forgotten
# a new one stands for them, so no two states share all of them.
Revision = tuple[int, int, int] | None
# What the database gave for a table: a value of its own kind for each column.
Row = tuple[Any, ...]

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


_REVISIONS = "SELECT source, count(*), max(id), sum(id)::bigint FROM search_change GROUP BY source"
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
# What is read again when a table has changed.
_STATEMENTS = {
    "library_solution": _SOLUTIONS,
    "taxonomy_challenge": _CHALLENGES,
    "library_solutionlink": _LINKS,
    "impact_rankedsolution": f"SELECT * FROM ({_BEST.format(about='')}) best, ({_USED_IN}) used_in",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What a process read of a database: each table's revision and row, and the shelf they make."""

    database: str
    revisions: Mapping[str, Revision]
    rows: Mapping[str, Row]
    shelf: Shelf


@dataclass(slots=True)
class _Kept:
    read: _Read | None = None


_kept = _Kept()


def current_shelf() -> Shelf:
    """One query, and one more for each table that has changed since the last question."""
    database, read = str(connection.settings_dict["NAME"]), _kept.read
    with connection.cursor() as cursor:
        # Revisions first: what changes meanwhile is read, and once more the next time.
        cursor.execute(_REVISIONS)
        noted = {source: (number, last, total) for source, number, last, total in cursor.fetchall()}
        revisions: dict[str, Revision] = {table: noted.get(table) for table in _STATEMENTS}
        rows: dict[str, Row] = {}
        if read is not None and read.database == database:
            if read.revisions == revisions:
                return read.shelf
            rows = {table: read.rows[table] for table in revisions if read.revisions[table] == revisions[table]}
        for table in sorted(_STATEMENTS.keys() - rows.keys()):
            cursor.execute(_STATEMENTS[table])
            rows[table] = cursor.fetchone()
    shelf = _shelf(rows)
    _kept.read = _Read(database=database, revisions=revisions, rows=rows, shelf=shelf)
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


def _shelf(rows: Mapping[str, Row]) -> Shelf:
    solutions, ranked = rows["library_solution"], rows["impact_rankedsolution"]
    pks, created, facts = (whole(column) for column in solutions[:3])
    order = np.argsort(pks)
    pks, created, facts = pks[order], created[order], facts[order]
    titles = solutions[3] or []
    rank = np.empty(len(pks), np.int64)
    rank[sorted(range(len(pks)), key=[titles[place] for place in order].__getitem__)] = np.arange(len(pks))
    challenges, touchpoints = _answered(pks, rows["taxonomy_challenge"], rows["library_solutionlink"])
    return Shelf(
        pks=pks,
        rank=rank,
        kind=Coded(codes=facts >> 12 & 15, values=KINDS),
        status=Coded(codes=facts >> 8 & 15, values=STATUSES),
        cost=Coded(codes=facts >> 4 & 15, values=COSTS),
        language=Coded(codes=facts & 15, values=LANGUAGES),
        lag_days=facts >> 16,
        created=created,
        best=_best(pks, *ranked[:3]),
        challenges=challenges,
        touchpoints=touchpoints,
        unit_kinds=_used_in(pks, ranked[3] or [], ranked[4] or []),
    )


def _best(pks: Whole, solutions: bytes | None, effects: bytes | None, packed: bytes | None) -> Best:
    """Of a solution's rankings the one with most evidence; among equals as its evidence strip chooses."""
    knowledge = whole(packed)
    places, known = places_of(whole(solutions), pks)
    order = np.argsort(knowledge, kind="stable")
    order = order[known[order]]
    # Where a place is given several times, the last one stays.
    most, effect = np.full(len(pks), -1, np.int64), np.full(len(pks), np.nan)
    most[places[order]], effect[places[order]] = knowledge[order], real(effects)[order]
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
    steps, _known = places_of(np.array([step for line in lines for step in line], np.int64), keys)
    solutions, is_solution = places_of(whole(links[0]), pks)
    challenge, is_challenge = places_of(whole(links[1]), keys)
    # A link whose ends were read before it was made waits for the next reading.
    both = is_solution & is_challenge
    solutions, linked = solutions[both], _of(places_of(standing, keys)[0], challenge[both])
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
    found = [places_of(whole(packed), pks) for packed in solutions]
    used = [_once(places[known]) for places, known in found]
    return Pairs(
        solutions=np.concatenate([*used, whole(None)]),
        codes=np.repeat(np.arange(len(kinds)), [len(places) for places in used]),
        values=tuple(kinds),
    )
