"""One statement that finds solutions, counts every facet and puts what is found in order.

A facet is counted under all the other facets, so that each choice tells what it would leave. `found` holds what
the words find; each filter is a condition on its rows.
"""

from apps.search.question import Question

# The verdicts from the most to the least useful, and what each is worth beside a likeness between 0 and 1.
WORTH = {
    "works": 0.25,
    "likely_works": 0.15,
    "trade_off": 0.1,
    "unknown": 0.0,
    "unlikely": -0.1,
    "harmful": -0.2,
}
_WORTH = " ".join(f"WHEN '{verdict}' THEN {worth}" for verdict, worth in WORTH.items())
EVIDENCE_WORTH = 0.04

_MATCHES = """
    AND (s.search_words @@ %(stems)s::tsquery OR s.search_title %%> %(words)s OR s.search_title LIKE %(part)s
        OR lower(s.code) = lower(%(text)s))
"""
_LIKENESS = "word_similarity(%(words)s, s.search_title) + least(ts_rank(s.search_words, %(stems)s::tsquery), 0.5)"
# What is best known of a solution, straight from an index: looked up for the few that words find, read through
# for all of them otherwise.
_BEST = """
    SELECT {distinct} r.solution_id, r.evidence, r.verdict, r.effect FROM impact_rankedsolution r
    WHERE r.context = '' {about}
"""
_BEST_OF_ONE = _BEST + "AND r.solution_id = s.id ORDER BY r.evidence DESC, r.action_count DESC LIMIT 1"
_BEST_OF_ALL = _BEST + "ORDER BY r.solution_id, r.evidence DESC, r.action_count DESC"
_FOUND = """
    found AS MATERIALIZED (
        SELECT s.id, s.kind, s.cost, s.status, s.lag_days, s.created_at, s.title,
            CASE WHEN s.title_fr = '' THEN 'en' ELSE 'fr' END AS language,
            coalesce(best.evidence, 0) AS evidence, coalesce(best.verdict, 'unknown') AS verdict, best.effect,
            {likeness} AS likeness
        FROM library_solution s LEFT JOIN {best} best ON best.solution_id = s.id
        WHERE s.status = ANY(%(statuses)s) {matches}
    )
"""
# Each solution under each challenge that stands for what it was linked to.
_ANSWERED = """
    answered AS MATERIALIZED (
        SELECT l.solution_id AS id, coalesce(c.merged_into_id, c.id) AS challenge, c.touchpoint_id AS touchpoint
        FROM library_solutionlink l JOIN taxonomy_challenge c ON c.id = l.challenge_id
        JOIN found ON found.id = l.solution_id
    )
"""
_SEEN_IN = """
    seen_in AS MATERIALIZED (
        SELECT DISTINCT r.context, r.solution_id AS id
        FROM impact_rankedsolution r JOIN found ON found.id = r.solution_id
        WHERE r.context <> '' AND r.context_count > 0
    )
"""
_FILTERS = {
    "kind": "f.kind = %(kind)s",
    "evidence": "f.evidence >= %(evidence)s",
    "verdict": "f.verdict = %(verdict)s",
    "cost": "f.cost <= %(cost)s",
    "language": "f.language = %(language)s",
    "status": "f.status = %(status)s",
    "challenge": """EXISTS (
        SELECT 1 FROM library_solutionlink l WHERE l.solution_id = f.id AND l.challenge_id = ANY(%(challenges)s)
    )""",
    "touchpoint": """EXISTS (
        SELECT 1 FROM library_solutionlink l JOIN taxonomy_challenge c ON c.id = l.challenge_id
        JOIN taxonomy_touchpoint t ON t.id = c.touchpoint_id
        WHERE l.solution_id = f.id AND lower(t.code) = lower(%(touchpoint)s)
    )""",
    "unit_kind": """EXISTS (
        SELECT 1 FROM impact_rankedsolution r
        WHERE r.solution_id = f.id AND r.context = %(unit_kind)s AND r.context_count > 0
    )""",
}
# Each facet: the value a row counts for, and what has to be joined to know it.
_COUNTED = {
    "kind": ("f.kind", ""),
    "evidence": ("f.evidence::text", ""),
    "verdict": ("f.verdict", ""),
    "cost": ("f.cost::text", ""),
    "language": ("f.language", ""),
    "status": ("f.status", ""),
    "challenge": ("a.challenge::text", "JOIN (SELECT DISTINCT id, challenge FROM answered) a ON a.id = f.id"),
    "touchpoint": ("a.touchpoint::text", "JOIN (SELECT DISTINCT id, touchpoint FROM answered) a ON a.id = f.id"),
    "unit_kind": ("u.context", "JOIN seen_in u ON u.id = f.id"),
}
_ORDERS = {
    "": f"likeness + {EVIDENCE_WORTH} * evidence + CASE verdict {_WORTH} END DESC",
    "evidence": f"evidence DESC, CASE verdict {_WORTH} END DESC",
    "impact": "effect DESC NULLS LAST",
    "cost": "cost NULLS LAST",
    "speed": "lag_days",
    "newest": "created_at DESC",
}


def solutions_statement(question: Question) -> str:
    """Rows of (facet, value, number): the counts, `total`, and a `hit` with its place for each row of the page."""
    chosen = [name for name in _FILTERS if getattr(question, name) not in ("", None)]
    about = "AND r.challenge_id = ANY(%(challenges)s)" if question.challenge else ""
    if question.q:
        best = f"LATERAL ({_BEST_OF_ONE.format(distinct='', about=about)})"
        found = _FOUND.format(likeness=_LIKENESS, matches=_MATCHES, best=best)
    else:
        best = f"({_BEST_OF_ALL.format(distinct='DISTINCT ON (r.solution_id)', about=about)})"
        found = _FOUND.format(likeness="0", matches="", best=best)
    rows = f"{found}, {_ANSWERED}, {_SEEN_IN}"
    counts = [
        f"SELECT '{name}', {value}, count(*) FROM found f {joins} "
        f"WHERE {_all([_FILTERS[other] for other in chosen if other != name])} AND {value} IS NOT NULL GROUP BY 2"
        for name, (value, joins) in _COUNTED.items()
    ]
    met = _all([_FILTERS[name] for name in chosen])
    total = f"SELECT 'total', '', count(*) FROM found f WHERE {met}"
    page = f"""
        SELECT 'hit', h.id::text, h.place FROM (
            SELECT f.id, row_number() OVER (ORDER BY {_ORDERS[question.order]}, f.title, f.id) AS place
            FROM found f WHERE {met}
        ) h WHERE h.place > %(after)s AND h.place <= %(until)s
    """
    return f"WITH {rows} " + " UNION ALL ".join([*counts, total, page])


def _all(conditions: list[str]) -> str:
    return " AND ".join(conditions) or "true"
