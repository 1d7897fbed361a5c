"""From which noise and spreads does a measurement set out: last month's, or ones searched for anew?"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from apps.impact.models import Basis
from apps.impact.panel import MetricData
from apps.impact.stats import fit as engine
from apps.impact.stats.data import Settings
from apps.impact.stats.effects import Spreads
from apps.impact.stats.errors import NotEstimable
from apps.impact.stats.noise import Noise
from apps.impact.stats.results import METHOD
from apps.taxonomy.models import Metric

# The share by which answers, units or actions grow before the noise is fitted again within the month.
GROWN = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """What a fit is given: the noise (None when the metric has none), and the spreads where they are known."""

    noise: Noise | None
    spreads: Spreads | None

    def stored(self) -> dict[str, Any]:
        """As JSON; numbers come back to the bit."""
        return {
            "noise": asdict(self.noise) if self.noise else None,
            "spreads": asdict(self.spreads) if self.spreads else None,
        }


def read_footing(stored: Mapping[str, Any] | None) -> Footing:
    """What `Footing.stored` wrote."""
    found = stored or {}
    noise, spreads = found.get("noise"), found.get("spreads")
    return Footing(
        noise=Noise(**noise) if noise else None,
        spreads=Spreads(**{name: _tuple(value) for name, value in spreads.items()}) if spreads else None,
    )


def find_footing(
    *, metric: Metric, data: MetricData, as_of: date, settings: Settings, again: bool, now: datetime
) -> Footing:
    """The kept basis where it still stands, else a new fit of the noise; `again` searches without any help."""
    facts = _facts(data, as_of, settings)
    kept = Basis.objects.filter(metric=metric).first()
    if kept is not None and not again and _stands(kept, facts):
        return read_footing({"noise": kept.noise, "spreads": kept.spreads})
    warm = None
    if kept is not None and not again and kept.digest == facts["digest"]:
        warm = Noise(**kept.noise)
    try:
        noise = engine.fit_noise(data.panel, data.actions, settings, warm)
    except NotEstimable:
        Basis.objects.filter(metric=metric).delete()
        return Footing(noise=None, spreads=None)
    # Kept at once: a run that is cut off later need not fit it again.
    Basis.objects.update_or_create(
        metric=metric, defaults={**facts, "noise": asdict(noise), "spreads": None, "fitted_at": now}
    )
    return Footing(noise=noise, spreads=None)


def keep_spreads(*, metric: Metric, spreads: Spreads | None) -> None:
    """Let the month's next measurements set out from what its first one found."""
    if spreads is not None:
        Basis.objects.filter(metric=metric, spreads__isnull=True).update(spreads=asdict(spreads))


def settings_digest(settings: Settings) -> str:
    """Of the method, its constants, and the form in which its fits are kept."""
    names = [each.name for kind in (Noise, Spreads) for each in fields(kind)]
    return hashlib.sha256("\n".join([METHOD, repr(settings), *names]).encode()).hexdigest()


def _facts(data: MetricData, as_of: date, settings: Settings) -> dict[str, Any]:
    return {
        "month": as_of.replace(day=1),
        "digest": settings_digest(settings),
        "unit_count": data.panel.units,
        "action_count": data.actions.count,
        "effective_count": float(data.panel.n.sum()),
        "within_variance": data.panel.within_variance,
    }


def _stands(kept: Basis, facts: Mapping[str, Any]) -> bool:
    if (kept.month, kept.digest) != (facts["month"], facts["digest"]):
        return False
    names = ("unit_count", "action_count", "effective_count", "within_variance")
    return all(_alike(getattr(kept, name), facts[name]) for name in names)


def _alike(before: float | None, now: float | None) -> bool:
    if before is None or now is None:
        return before is now
    return abs(now - before) <= GROWN * before


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
