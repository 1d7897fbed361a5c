"""What do all uses of a solution say together?"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import Role, Unit
from apps.accounts.person import Person
from apps.core import formats
from apps.impact import charts, sheets, words
from apps.impact.models import Effect, RankedSolution, SideEffect
from apps.impact.stats.data import DEFAULTS
from apps.impact.weekly import NORMAL_REACH
from apps.library.models import Solution
from apps.planning.models import ActionSolution
from apps.taxonomy.models import Metric

# More than this is no picture any more; the table has the rest.
DRAWN_USES, LISTED_USES = 20, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One measured use; `external_id` is None where the reader may not see the unit."""

    external_id: str | None
    place: str
    kind: str
    region: str
    effective_on: date | None
    carried_out: str
    together_with: tuple[str, ...]
    verdict: str
    effect: float | None
    low: float | None
    high: float | None
    raw_effect: float | None
    raw_se: float | None
    quality: int | None
    reason: str
    is_randomised: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All uses of a solution that were aimed at one metric, and what they say together."""

    code: str
    metric: str
    unit: str
    sign: int
    effect: float | None
    low: float | None
    high: float | None
    verdict: str
    evidence: int
    actions: int
    units: int
    heterogeneity: float | None
    naive_change: float | None
    kinds: tuple["KindRow", ...]
    where: str
    lasting: tuple["Period", ...]
    lasts: str
    spread: str
    uses: tuple[Use, ...]
    sheet: tuple[sheets.Line, ...]
    forest: charts.Spec | None
    chart_id: str

    @property
    def naive_text(self) -> str:
        return "" if self.naive_change is None else words.change(self.naive_change, self.unit, self.sign)

    @property
    def kind_domain(self) -> tuple[float, float] | None:
        edges = [edge for kind in self.kinds for edge in (kind.low, kind.high)]
        return (min(0.0, *edges), max(0.0, *edges)) if edges else None

    @property
    def lasting_domain(self) -> tuple[float, float] | None:
        edges = [edge for period in self.lasting for edge in (period.low, period.high)]
        return (min(0.0, *edges), max(0.0, *edges)) if edges else None

    @property
    def would_raise(self) -> tuple[str, ...]:
        """What would give it more evidence: the next step, and what was taken off."""
        missing = [line.note for line in self.sheet if line.note]
        return tuple(dict.fromkeys(missing))

    @property
    def chart_title(self) -> str:
        return _("Each use and all together, %(unit)s") % {"unit": formats.change_unit(self.unit)}

    @property
    def chart_subtitle(self) -> str:
        reading = _(
            "Colour: what we believe of each use, with its likely range. Grey: what that unit alone would say. "
            "Right of zero is better."
        )
        return f"{self._drawn} {reading}"

    @property
    def _drawn(self) -> str:
        """Which results the drawing holds."""
        measured = sum(use.effect is not None for use in self.uses)
        if measured > DRAWN_USES:
            return _("The %(shown)d newest of %(measured)d results.") % {
                "shown": DRAWN_USES,
                "measured": measured,
            }
        return ngettext("The only result so far.", "All %(measured)d results.", measured) % {"measured": measured}


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """The effect in one kind of unit, and how many uses it rests on there."""

    kind: str
    uses: int
    effect: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The effect some time after the start."""

    label: str
    effect: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRow:
    """What it does to another metric on the way."""

    metric: str
    unit: str
    sign: int
    effect: float | None
    low: float | None
    high: float | None
    is_harm: bool

    @property
    def is_clear(self) -> bool:
        """Whether there is something to tell: the whole likely range is on one side, or harm is likely."""
        return self.is_harm or (self.low is not None and self.low > 0) or (self.high is not None and self.high < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Side effects that are clear, and those that are not to be told from nothing."""

    clear: tuple[SideRow, ...]
    others: tuple[SideRow, ...]

    @classmethod
    def of(cls, rows: Iterable[SideRow]) -> "Sides":
        known = tuple(rows)
        return cls(
            clear=tuple(row for row in known if row.is_clear),
            others=tuple(row for row in known if not row.is_clear),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionEvidence:
    code: str
    title: str
    outcomes: tuple[Outcome, ...]
    sides: Sides | None


def solution_evidence(*, solution: Solution, person: Person) -> SolutionEvidence:
    """Every measured use of a solution; one outside the person's scope keeps its kind and region, not its name."""
    ranked = list(
        RankedSolution.objects.filter(solution=solution)
        .select_related("metric")
        .order_by("metric_id", "challenge_id")
    )
    effects = list(
        Effect.objects.on_target()
        .filter(action__solutions__version__solution=solution)
        .select_related("metric", "action__unit")
        .defer("series", "quality_parts")
        .order_by("-action__effective_on", "-pk")[:LISTED_USES]
    )
    together = _together([effect.action_id for effect in effects], solution)
    carried_out = _carried_out([effect.action_id for effect in effects], solution)
    scope = person.scope(Role.STAFF)
    metrics = {row.metric_id: row.metric for row in ranked} | {
        effect.metric_id: effect.metric for effect in effects
    }
    outcomes = []
    for metric in sorted(metrics.values(), key=lambda metric: metric.code):
        uses = tuple(
            _use(
                effect,
                together.get(effect.action_id, ()),
                carried_out.get(effect.action_id, ""),
                is_named=scope.holds(effect.action.unit.path),
            )
            for effect in effects
            if effect.metric_id == metric.pk
        )
        outcomes.append(_outcome(metric, [row for row in ranked if row.metric_id == metric.pk], uses))
    # An outcome of its own stands above already, with what the actions aimed at it say.
    sides = (
        SideEffect.objects.filter(solution=solution)
        .exclude(metric__in=list(metrics))
        .select_related("metric")
        .order_by("-p_harm", "metric__code")
    )
    rows = [
        SideRow(
            metric=side.metric.display_name,
            unit=side.metric.display_unit,
            sign=side.metric.sign,
            effect=side.effect,
            low=side.low,
            high=side.high,
            is_harm=side.p_harm >= DEFAULTS.harm_probability,
        )
        for side in sides
    ]
    return SolutionEvidence(
        code=solution.code,
        title=solution.display_title,
        outcomes=tuple(sorted(outcomes, key=lambda outcome: -len(outcome.uses))),
        sides=Sides.of(rows) if rows else None,
    )


def _together(action_ids: Iterable[int], solution: Solution) -> Mapping[int, tuple[str, ...]]:
    """What else went in with the solution."""
    others = ActionSolution.objects.filter(action__in=list(action_ids)).exclude(version__solution=solution)
    found: dict[int, list[str]] = {}
    for other in others.select_related("version__solution").order_by("version__solution__code"):
        found.setdefault(other.action_id, []).append(other.version.solution.display_title)
    return {action_id: tuple(titles) for action_id, titles in found.items()}


def _carried_out(action_ids: Iterable[int], solution: Solution) -> Mapping[int, str]:
    """Dose and fidelity of each use, as far as somebody recorded them."""
    used = ActionSolution.objects.filter(action__in=list(action_ids), version__solution=solution)
    return {
        action_id: ", ".join(
            part for part in (dose, formats.percent(fidelity / 100) if fidelity is not None else "") if part
        )
        for action_id, dose, fidelity in used.values_list("action_id", "dose", "fidelity")
    }


def _use(effect: Effect, together_with: tuple[str, ...], carried_out: str, *, is_named: bool) -> Use:
    action, unit = effect.action, effect.action.unit
    return Use(
        external_id=action.external_id if is_named else None,
        place=unit.display_name if is_named else _anonymous(unit),
        kind=unit.kind,
        region=unit.region,
        effective_on=action.effective_on,
        carried_out=carried_out,
        together_with=together_with,
        verdict=words.action_verdict(effect.status, effect.p_positive, effect.reason),
        effect=effect.effect,
        low=effect.low,
        high=effect.high,
        raw_effect=effect.raw_effect,
        raw_se=effect.raw_se,
        quality=effect.quality,
        reason=words.refusal(effect.reason).title if effect.reason else "",
        is_randomised=action.is_randomised,
    )


def _anonymous(unit: Unit) -> str:
    if unit.kind and unit.region:
        return _("Another unit (%(kind)s, %(region)s)") % {
            "kind": formats.code_as_said(unit.kind),
            "region": formats.code_as_said(unit.region),
        }
    if unit.kind or unit.region:
        return _("Another unit (%(what)s)") % {"what": formats.code_as_said(unit.kind or unit.region)}
    return _("Another unit")


def _outcome(metric: Metric, ranked: Sequence[RankedSolution], uses: tuple[Use, ...]) -> Outcome:
    pooled = next((row for row in ranked if row.context == ""), None)
    low = high = None
    if pooled is not None:
        low = pooled.claim_low if pooled.claim_low is not None else pooled.low
        high = pooled.claim_high if pooled.claim_high is not None else pooled.high
    kinds = {
        row.context: KindRow(
            kind=row.context, uses=row.context_count, effect=row.effect, low=row.low, high=row.high
        )
        for row in ranked
        if row.context
        and row.context_count
        and row.effect is not None
        and row.low is not None
        and row.high is not None
    }
    ordered = tuple(kinds[kind] for kind in sorted(kinds))
    return Outcome(
        code=metric.code,
        metric=metric.display_name,
        unit=metric.display_unit,
        sign=metric.sign,
        effect=pooled.effect if pooled else None,
        low=low,
        high=high,
        verdict=pooled.verdict if pooled else RankedSolution.Verdict.UNKNOWN,
        evidence=pooled.evidence if pooled else 0,
        actions=pooled.action_count if pooled else 0,
        units=pooled.unit_count if pooled else 0,
        heterogeneity=pooled.heterogeneity if pooled else None,
        naive_change=pooled.naive_change if pooled else None,
        kinds=ordered,
        where=_where(ordered),
        lasting=_lasting(pooled) if pooled else (),
        lasts=_lasts(pooled) if pooled else "",
        spread=_spread(pooled, metric) if pooled else "",
        uses=uses,
        sheet=sheets.evidence_sheet(pooled.evidence_parts) if pooled else (),
        forest=_forest(pooled, low, high, uses, metric),
        chart_id=f"uses-{metric.pk}",
    )


def _where(kinds: Sequence[KindRow]) -> str:
    """In which kind of unit it does best and least, if that can be told."""
    if len(kinds) < 2:
        return ""
    best, least = max(kinds, key=lambda kind: kind.effect), min(kinds, key=lambda kind: kind.effect)
    if best.low <= least.effect or best.effect <= least.high:
        return _("The kinds of unit can’t be told apart: expect about the same everywhere.")
    return _("It does best in units of the kind “%(best)s” and least in “%(least)s”.") % {
        "best": best.kind,
        "least": least.kind,
    }


def _lasting(pooled: RankedSolution) -> tuple[Period, ...]:
    """The effect in the weeks that count, and in those after them."""
    kept = pooled.persistence or {}
    periods = []
    if pooled.effect is not None and pooled.low is not None and pooled.high is not None:
        periods.append(Period(label=_("Weeks 4 to 15"), effect=pooled.effect, low=pooled.low, high=pooled.high))
    for name, label in (("late1", _("Weeks 16 to 27")), ("late2", _("After half a year"))):
        late = kept.get(name)
        if late and None not in (late.get("effect"), late.get("low"), late.get("high")):
            periods.append(Period(label=label, effect=late["effect"], low=late["low"], high=late["high"]))
    return tuple(periods) if len(periods) > 1 else ()


def _lasts(pooled: RankedSolution) -> str:
    kept = pooled.persistence or {}
    if kept.get("fades"):
        return _("It fades: after half a year probably less than half of it is left.")
    last = kept.get("late2") or kept.get("late1")
    if not last or last.get("low") is None or last.get("high") is None:
        return _("Nobody has used it for long enough to say.")
    if last["low"] > 0:
        return _("It lasts: the effect still shows.")
    return _("It can’t be told yet whether it lasts.")


def _spread(pooled: RankedSolution, metric: Metric) -> str:
    """How much uses differ, as the range in which a next one would likely fall."""
    if pooled.heterogeneity is None or pooled.effect is None or pooled.se is None or pooled.action_count < 2:
        return ""
    reach = NORMAL_REACH * math.hypot(pooled.heterogeneity, pooled.se)
    edges = sorted((metric.sign * (pooled.effect - reach), metric.sign * (pooled.effect + reach)))
    decimals = formats.decimals_for(*edges)
    said = {
        "low": formats.signed(edges[0], decimals),
        "high": formats.with_unit(formats.signed(edges[1], decimals), formats.change_unit(metric.display_unit)),
    }
    if pooled.effect - reach < 0 < pooled.effect + reach:
        return (
            _(
                "Uses differ: a next one would likely change it by between %(low)s and %(high)s. It may not help "
                "everywhere."
            )
            % said
        )
    return _("A next use would likely change it by between %(low)s and %(high)s.") % said


def _row(use: Use) -> charts.Estimate:
    label = use.place
    if use.together_with:
        label = ngettext(
            "%(place)s, with %(count)d more solution",
            "%(place)s, with %(count)d more solutions",
            len(use.together_with),
        ) % {"place": use.place, "count": len(use.together_with)}
    if use.kind and use.external_id is not None:
        label = f"{label} ({use.kind})"
    reach = NORMAL_REACH * use.raw_se if use.raw_se is not None else None
    return charts.Estimate(
        label=label,
        effect=use.effect or 0.0,
        low=use.low or 0.0,
        high=use.high or 0.0,
        alone=use.raw_effect,
        alone_low=use.raw_effect - reach if use.raw_effect is not None and reach is not None else None,
        alone_high=use.raw_effect + reach if use.raw_effect is not None and reach is not None else None,
    )


def _forest(
    pooled: RankedSolution | None, low: float | None, high: float | None, uses: Sequence[Use], metric: Metric
) -> charts.Spec | None:
    # The newest ones, whatever they found; then in order, so that the eye sees the spread.
    drawn = [use for use in uses if use.effect is not None][:DRAWN_USES]
    rows = [_row(use) for use in sorted(drawn, key=lambda use: -(use.effect or 0.0))]
    if not rows:
        return None
    if pooled is not None and pooled.effect is not None and low is not None and high is not None:
        rows.append(
            charts.Estimate(label=_("All uses together"), effect=pooled.effect, low=low, high=high, is_pooled=True)
        )
    return charts.forest(rows, sign=metric.sign)
