"""Are past claims holding up, and how far would plain before and after have been wrong?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

from django.db.models import Count, F, Window
from django.db.models.functions import Lag
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import Scope
from apps.core import formats
from apps.impact import charts, words
from apps.impact.claims import JudgedClaim, judge_claims
from apps.impact.models import Effect, RankedSolution, SolutionClaim
from apps.impact.weekly import NORMAL_REACH
from apps.taxonomy.models import Metric

# Claims this old had time to be used by somebody, and the uses to be measured.
OLD_ENOUGH = timedelta(weeks=26)
# Fewer judged claims of a kind are told one by one, not as a share.
FEWEST = 5
# Changes told at once, and those that unfold.
CHANGES_SHOWN, CHANGES_LISTED, POINTS_SHOWN = 8, 30, 600
VERDICTS = [
    RankedSolution.Verdict.WORKS,
    RankedSolution.Verdict.LIKELY_WORKS,
    RankedSolution.Verdict.TRADE_OFF,
    RankedSolution.Verdict.UNKNOWN,
    RankedSolution.Verdict.UNLIKELY,
    RankedSolution.Verdict.HARMFUL,
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimGroup:
    """Claims of one verdict against later uses: the share that kept their side, with its interval."""

    verdict: str
    claims: int
    later_uses: int
    kept: int
    expected: float
    low: float
    high: float
    inside: int

    @property
    def has_share(self) -> bool:
        return self.claims >= FEWEST

    @property
    def said(self) -> str:
        """What later uses showed, in words."""
        if not self.has_share:
            return _("Too few to say: %(kept)s of %(claims)s on the side that was claimed.") % {
                "kept": self.kept,
                "claims": self.claims,
            }
        shown = {
            "share": formats.percent(self.kept / self.claims),
            "low": formats.percent(self.low),
            "high": formats.percent(self.high),
            "expected": formats.percent(self.expected),
        }
        return (
            _(
                "%(share)s on the side that was claimed (likely between %(low)s and %(high)s); "
                "%(expected)s expected."
            )
            % shown
        )

    @property
    def holds(self) -> bool:
        return not self.has_share or self.high >= self.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A solution of which something else is said than before."""

    code: str
    title: str
    metric: str
    unit: str
    sign: int
    changed_on: date
    before: str
    after: str
    effect: float
    low: float
    high: float
    uses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricChoice:
    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NaiveAndFair:
    """Each measured action's plain change beside the fair one."""

    title: str
    subtitle: str
    sentences: tuple[str, ...]
    spec: charts.Spec
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    choices: tuple[MetricChoice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    made_by: date
    groups: tuple[ClaimGroup, ...]
    inside: str
    hindsight: str
    changes: tuple[Change, ...]
    older_changes: tuple[Change, ...]
    naive: NaiveAndFair | None


def calibration(*, scope: Scope, as_of: date, metric_code: str = "") -> Calibration:
    """How claims made half a year ago fared, what changed, and the plain beside the fair comparison."""
    made_by = as_of - OLD_ENOUGH
    judged = judge_claims(made_by=made_by)
    changes = _changes()
    return Calibration(
        made_by=made_by,
        groups=_groups(judged),
        inside=_inside(judged),
        hindsight=_hindsight(judged),
        changes=changes[:CHANGES_SHOWN],
        older_changes=changes[CHANGES_SHOWN:],
        naive=_naive_and_fair(scope, metric_code),
    )


def wilson(kept: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    share, z2 = kept / total, NORMAL_REACH**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = NORMAL_REACH * sqrt(share * (1 - share) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    return max(0.0, middle - half), min(1.0, middle + half)


def _groups(judged: Sequence[JudgedClaim]) -> tuple[ClaimGroup, ...]:
    groups = []
    for verdict in VERDICTS:
        mine = [claim for claim in judged if claim.verdict == verdict]
        if not mine:
            continue
        kept = sum(claim.is_kept for claim in mine)
        low, high = wilson(kept, len(mine))
        groups.append(
            ClaimGroup(
                verdict=verdict,
                claims=len(mine),
                later_uses=sum(claim.later_uses for claim in mine),
                kept=kept,
                expected=sum(claim.kept_chance for claim in mine) / len(mine),
                low=low,
                high=high,
                inside=sum(claim.is_inside for claim in mine),
            )
        )
    return tuple(groups)


def _inside(judged: Sequence[JudgedClaim]) -> str:
    if len(judged) < FEWEST:
        return ""
    inside = sum(claim.is_inside for claim in judged)
    low, high = wilson(inside, len(judged))
    return _(
        "%(inside)s of %(all)s later results lie where the claim expected them (likely between %(low)s and "
        "%(high)s; 95 in 100 should)."
    ) % {"inside": inside, "all": len(judged), "low": formats.percent(low), "high": formats.percent(high)}


def _hindsight(judged: Sequence[JudgedClaim]) -> str:
    """That a claim could not be read on its day, where that is so."""
    late = sum(claim.is_hindsight for claim in judged)
    if not late:
        return ""
    if late == len(judged):
        return _(
            "Nothing was measured here yet on that day: these claims were worked out since, only from answers and "
            "actions up to it."
        )
    return ngettext(
        "%(late)s of them was worked out since, only from answers and actions up to its day.",
        "%(late)s of them were worked out since, only from answers and actions up to their day.",
        late,
    ) % {"late": late}


def _changes() -> tuple[Change, ...]:
    """The newest claims with another verdict than the one before, in one query."""
    before = Window(Lag("verdict"), partition_by=[F("solution"), F("metric")], order_by=F("as_of").asc())
    changed = (
        SolutionClaim.objects.annotate(before=before)
        .exclude(before=None)
        .exclude(before=F("verdict"))
        .select_related("solution", "metric")
        .order_by("-as_of", "-pk")[:CHANGES_LISTED]
    )
    return tuple(
        Change(
            code=claim.solution.code,
            title=claim.solution.display_title,
            metric=claim.metric.display_name,
            unit=claim.metric.display_unit,
            sign=claim.metric.sign,
            changed_on=claim.as_of,
            before=claim.before,
            after=claim.verdict,
            effect=claim.effect,
            low=claim.low,
            high=claim.high,
            uses=claim.action_count,
        )
        for claim in changed
    )


def _naive_and_fair(scope: Scope, metric_code: str) -> NaiveAndFair | None:
    measured = (
        Effect.objects.on_target()
        .in_scope(scope)
        .filter(status=Effect.Status.ESTIMATED, naive_change__isnull=False)
    )
    counts = measured.values_list("metric").annotate(number=Count("pk")).order_by("-number", "metric")
    found = dict(counts)
    metrics = {metric.pk: metric for metric in Metric.objects.filter(pk__in=found)}
    if not metrics:
        return None
    asked = next((m for m in metrics.values() if m.code.lower() == metric_code.lower()), None)
    metric = asked or metrics[next(iter(found))]
    effects = list(
        measured.filter(metric=metric)
        .select_related("action__unit")
        .defer("series", "quality_parts")
        .order_by("-action__effective_on", "-pk")[:POINTS_SHOWN]
    )
    unit = metric.display_unit
    choices = tuple(
        MetricChoice(
            label=metrics[pk].display_name,
            url=f"{reverse('impact:calibration')}?metric={metrics[pk].code}",
            is_current=pk == metric.pk,
        )
        for pk in found
    )
    return NaiveAndFair(
        title=_("%(metric)s: plain and fair, %(unit)s")
        % {"metric": metric.display_name, "unit": formats.change_unit(unit)},
        subtitle=_(
            "Each dot is an action. On the line both comparisons agree; right of it before and after claims "
            "too much."
        ),
        sentences=_sentences(effects, metric),
        spec=charts.naive_and_fair(
            [
                charts.Dot(
                    label=effect.action.unit.display_name,
                    plain=effect.naive_change or 0.0,
                    fair=effect.effect or 0.0,
                    low=effect.low or 0.0,
                    high=effect.high or 0.0,
                )
                for effect in effects
            ],
            sign=metric.sign,
            words=charts.Axes(
                plain=_("Plain before and after"), fair=_("Fair comparison"), same=_("both say the same")
            ),
        ),
        columns=(_("Where"), _("Since"), _("Plain before and after"), _("Fair comparison"), _("Likely range")),
        rows=tuple(_row(effect, metric) for effect in effects),
        choices=choices if len(choices) > 1 else (),
    )


def _sentences(effects: Sequence[Effect], metric: Metric) -> tuple[str, ...]:
    gaps = [(effect.naive_change or 0.0) - (effect.effect or 0.0) for effect in effects]
    mean = sum(gaps) / len(gaps)
    open_ones = [effect for effect in effects if (effect.low or 0.0) <= 0 <= (effect.high or 0.0)]
    praised = sum((effect.naive_change or 0.0) > 0 for effect in open_ones)
    said = [
        _("Over %(actions)s, plain before and after differs from the fair comparison by %(gap)s on average.")
        % {
            "actions": formats.counted(len(effects), "action"),
            "gap": words.change(mean, metric.display_unit, metric.sign),
        }
    ]
    if open_ones:
        said.append(
            _("Of %(open)s whose effect can’t be told from nothing, it would have praised %(praised)s.")
            % {"open": formats.counted(len(open_ones), "action"), "praised": praised}
        )
    return tuple(said)


def _row(effect: Effect, metric: Metric) -> tuple[str, ...]:
    unit = metric.display_unit
    low, high = sorted((metric.sign * (effect.low or 0.0), metric.sign * (effect.high or 0.0)))
    decimals = formats.decimals_for(low, high)
    begun = effect.action.effective_on
    return (
        effect.action.unit.display_name,
        formats.short_day(begun, effect.as_of) if begun else "",
        words.change(effect.naive_change or 0.0, unit, metric.sign),
        words.change(effect.effect or 0.0, unit, metric.sign),
        f"{formats.signed(low, decimals)} – {formats.signed(high, decimals)}",
    )
