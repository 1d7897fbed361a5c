"""How large, how sure and how dear: the solutions found, on one outcome, for looking at side by side."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.templatetags.cx import COST_WORDS, EVIDENCE_WORDS, EstimateWords
from apps.impact.charts import FIT, SCHEMA, signed_labels
from apps.impact.models import RankedSolution
from apps.search.question import Question

MOST_BUBBLES = 200
# Of the distance between two levels of cost: the width that bubbles take up, and how far apart two of them stand.
COLUMN, CLOSEST = 0.8, 0.16
# The texts of a solution prepared for searching, and what a ranking was reasoned from, are many times as long.
SHOWN = (
    *("effect", "low", "high", "claim_low", "claim_high", "evidence", "verdict", "action_count", "unit_count"),
    *("solution__code", "solution__title", "solution__title_fr", "solution__kind", "solution__cost"),
    *("solution__lag_days", "metric"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """A measured solution; the effect is signed so that positive is better, in the outcome's unit."""

    code: str
    url: str
    title: str
    kind: str
    kind_label: str
    effect: float
    low: float
    high: float
    evidence: int
    evidence_word: str
    verdict: str
    cost: int | None
    cost_word: str
    lag_days: int
    uses: int
    units: int
    is_pinned: bool
    pin_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeChoice:
    code: str
    name: str
    count: int
    is_chosen: bool
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The measured solutions on one outcome; `unmeasured` of those found have no number on it."""

    outcome: str
    unit: str
    sign: int
    outcomes: tuple[OutcomeChoice, ...]
    bubbles: tuple[Bubble, ...]
    unmeasured: int

    @property
    def pinned(self) -> tuple[Bubble, ...]:
        return tuple(bubble for bubble in self.bubbles if bubble.is_pinned)

    @property
    def domain(self) -> tuple[float, float] | None:
        edges = [edge for bubble in self.bubbles for edge in (bubble.low, bubble.high)]
        return (min(0.0, *edges), max(0.0, *edges)) if edges else None


def compare(question: Question, *, pks: Sequence[int]) -> Comparison | None:
    """Nothing when none of the solutions was measured; two queries."""
    place = {pk: index for index, pk in enumerate(pks)}
    rows = list(
        RankedSolution.objects.filter(solution__in=pks, context="", effect__isnull=False, evidence__gt=0)
        .select_related("solution", "metric")
        .only(*SHOWN)
        .order_by("-evidence", "pk")
    )
    # What is known of a solution on a metric is the same under every challenge with that outcome.
    known = {(row.metric_id, row.solution_id): row for row in reversed(rows)}
    counts = Counter(metric for metric, _solution in known)
    if not counts:
        return None
    metrics = {row.metric_id: row.metric for row in rows}
    asked = next((pk for pk, metric in metrics.items() if metric.code.lower() == question.metric.lower()), None)
    chosen = asked or max(counts, key=lambda pk: (counts[pk], -pk))
    shown = [row for (metric, _solution), row in known.items() if metric == chosen]
    shown.sort(key=lambda row: place[row.solution_id])
    metric = metrics[chosen]
    return Comparison(
        outcome=metric.display_name,
        unit=metric.display_unit,
        sign=metric.sign,
        outcomes=tuple(
            OutcomeChoice(
                code=metrics[pk].code,
                name=metrics[pk].display_name,
                count=number,
                is_chosen=pk == chosen,
                url=question.address(metric=metrics[pk].code),
            )
            for pk, number in counts.most_common()
        ),
        bubbles=tuple(_bubble(row, question) for row in shown),
        unmeasured=len(pks) - len(shown),
    )


def _bubble(row: RankedSolution, question: Question) -> Bubble:
    solution = row.solution
    effect, low, high = row.effect, row.low, row.high
    # A constraint of the table: no effect without its interval.
    assert effect is not None
    assert low is not None
    assert high is not None
    claim_low, claim_high = row.claim_low, row.claim_high
    return Bubble(
        code=solution.code,
        url=reverse("library:solution", args=[solution.code]),
        title=solution.display_title,
        kind=solution.kind,
        kind_label=solution.get_kind_display(),
        effect=effect,
        low=low if claim_low is None else claim_low,
        high=high if claim_high is None else claim_high,
        evidence=row.evidence,
        evidence_word=str(EVIDENCE_WORDS[row.evidence]),
        verdict=row.verdict,
        cost=solution.cost,
        cost_word=str(COST_WORDS[solution.cost or 0]),
        lag_days=solution.lag_days,
        uses=row.action_count,
        units=row.unit_count,
        is_pinned=solution.code in question.pin,
        pin_url=question.with_pin(solution.code),
    )


def bubbles_spec(comparison: Comparison) -> dict[str, Any]:
    """Up is better; right is dearer; the larger the bubble the more evidence; colour and shape tell the kind."""
    values = [
        {
            "title": bubble.title,
            "kind": bubble.kind_label,
            "effect": bubble.effect,
            "low": bubble.low,
            "high": bubble.high,
            "cost": bubble.cost or 0,
            "at": place,
            "evidence": bubble.evidence,
            "pinned": bubble.is_pinned,
            "url": bubble.url,
            "told": _told(bubble, comparison),
        }
        for bubble, place in zip(comparison.bubbles, _beside(comparison.bubbles), strict=True)
    ]
    # A column for what nobody put a price on, when there is any.
    first = 0 if any(bubble.cost is None for bubble in comparison.bubbles) else 1
    words = "[" + ",".join(f"'{str(word).replace(chr(39), chr(8217))}'" for word in COST_WORDS) + "]"
    x = {
        "field": "at",
        "type": "quantitative",
        "scale": {"domain": [first - 0.5, 5.5], "nice": False},
        "axis": {
            "values": list(range(first, 6)),
            "labelExpr": f"{words}[datum.value]",
            "labelOverlap": False,
            "labelLimit": 90,
            "grid": False,
        },
    }
    y = {
        "field": "effect",
        "type": "quantitative",
        "axis": {"labelExpr": signed_labels(comparison.sign)},
        "scale": {"nice": True},
    }
    return {
        "$schema": SCHEMA,
        "autosize": FIT,
        "height": 380,
        "data": {"values": values},
        "layer": [
            {
                "data": {"values": [{"zero": 0}]},
                "mark": {"type": "rule", "color": "@ink", "opacity": 0.55},
                "encoding": {"y": {"field": "zero", "type": "quantitative"}},
            },
            {
                "mark": {"type": "rule", "color": "@line", "strokeWidth": 1.5},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 0.85},
                "encoding": {
                    "x": x,
                    "y": y,
                    "size": {
                        "field": "evidence",
                        "type": "quantitative",
                        "scale": {"domain": [0, 5], "range": [30, 520]},
                        "legend": None,
                    },
                    "color": {
                        "field": "kind",
                        "type": "nominal",
                        "scale": {"range": ["@accent", "@better", "@attention", "@worse", "@unclear", "@ink"]},
                        "legend": {"orient": "top", "columns": 3},
                    },
                    "shape": {"field": "kind", "type": "nominal", "legend": {"orient": "top", "columns": 3}},
                    "stroke": {"condition": {"test": "datum.pinned", "value": "@ink"}, "value": None},
                    "strokeWidth": {"value": 2.5},
                    "tooltip": [
                        {"field": "title", "type": "nominal", "title": _("Solution")},
                        {"field": "told", "type": "nominal", "title": _("Effect")},
                    ],
                },
            },
            # A layer without a row would have no extent.
            *(
                [_PINNED_NAMES | {"encoding": {"x": x, "y": y, "text": {"field": "title"}}}]
                if comparison.pinned
                else []
            ),
        ],
    }


_PINNED_NAMES = {
    "transform": [{"filter": "datum.pinned"}],
    "mark": {"type": "text", "dx": 14, "align": "left", "color": "@ink", "fontWeight": 600},
}


def _beside(bubbles: Sequence[Bubble]) -> list[float]:
    """Where each bubble stands: those of one cost side by side, in the column of that cost."""
    many, placed = Counter(bubble.cost or 0 for bubble in bubbles), Counter[int]()
    places = []
    for bubble in bubbles:
        cost = bubble.cost or 0
        step = min(CLOSEST, COLUMN / many[cost])
        places.append(cost + (placed[cost] - (many[cost] - 1) / 2) * step)
        placed[cost] += 1
    return places


def _told(bubble: Bubble, comparison: Comparison) -> str:
    words = EstimateWords.of(bubble.effect, bubble.low, bubble.high, comparison.unit, comparison.sign)
    return f"{words.value} ({words.interval})"
