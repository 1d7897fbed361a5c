"""What does each unit contribute? Additive statistics, a chunk of units at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatistics:
    """Additive information of a set of units (opaque to callers: pickle it, merge it)."""
