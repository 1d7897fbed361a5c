"""How do the inputs and the statistics of some units travel?

Of the symmetric sums of W only the upper triangles are kept.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import pack, unpack
from .data import Actions, Ints, Panel, Settings
from .errors import NotEstimable
from .noise import Noise
from .sufficient import UnitStatistics

SUMS = ("units", "block_count", "s", "c", "cy", "yy", "log_det", "regions", "w", "wy")
OF_PANEL = ("y", "n", "region", "kind", "usable", "event_unit", "event_start", "event_end")
OF_ACTIONS = ("unit", "start", "end", "aimed", "solutions", "lag", "randomised", "fidelity", "challenge")


def inputs_to_bytes(panel: Panel, actions: Actions, noise: Noise, settings: Settings, rows: Ints) -> bytes:
    """What the statistics of some units are computed from; equal inputs give equal bytes."""
    facts = {
        "within_variance": panel.within_variance,
        "noise": asdict(noise),
        "settings": asdict(settings),
    }
    arrays: dict[str, NDArray[Any]] = {"rows": rows}
    for prefix, whole, names in (("panel", panel, OF_PANEL), ("actions", actions, OF_ACTIONS)):
        known = ((name, getattr(whole, name)) for name in names)
        arrays |= {f"{prefix}.{name}": value for name, value in known if value is not None}
    return pack(facts, arrays)


def inputs_from_bytes(data: bytes) -> tuple[Panel, Actions, Noise, Settings, Ints]:
    """Inputs as `inputs_to_bytes` wrote them.

    Raises
    ------
    NotEstimable
        ``bad_chunk`` for anything else.
    """
    facts, arrays = unpack(data)
    try:
        of = {
            prefix: {name: arrays.get(f"{prefix}.{name}") for name in names}
            for prefix, names in (("panel", OF_PANEL), ("actions", OF_ACTIONS))
        }
        panel: dict[str, Any] = {**of["panel"], "within_variance": facts["within_variance"]}
        actions: dict[str, Any] = of["actions"]
        return (
            Panel(**panel),
            Actions(**actions),
            Noise(**facts["noise"]),
            Settings(**facts["settings"]),
            arrays["rows"],
        )
    except (KeyError, TypeError) as error:
        raise NotEstimable("bad_chunk", f"these bytes hold no inputs: {error}") from error


def to_bytes(statistics: UnitStatistics) -> bytes:
    """Statistics of a chunk as bytes; equal statistics give equal bytes."""
    periods = statistics.w.shape[1]
    triangle = np.triu_indices(periods)
    arrays = {name: getattr(statistics, name) for name in SUMS}
    arrays["w"] = statistics.w[:, triangle[0], triangle[1]]
    return pack({"periods": periods, "noise": asdict(statistics.noise)}, arrays)


def from_bytes(data: bytes) -> UnitStatistics:
    """Statistics as `to_bytes` wrote them.

    Raises
    ------
    NotEstimable
        ``bad_chunk`` for bytes of another method, cut short, or not written by `to_bytes`.
    """
    facts, arrays = unpack(data)
    try:
        noise = Noise(**{each.name: facts["noise"][each.name] for each in fields(Noise)})
        periods = int(facts["periods"])
        triangle = np.triu_indices(periods)
        w = np.zeros((arrays["w"].shape[0], periods, periods))
        w[:, triangle[0], triangle[1]] = arrays["w"]
        w[:, triangle[1], triangle[0]] = arrays["w"]
        whole: dict[str, Any] = {name: arrays[name] for name in SUMS}
    except (KeyError, TypeError, ValueError) as error:
        raise NotEstimable("bad_chunk", f"these bytes hold no whole statistics: {error}") from error
    return UnitStatistics(**{**whole, "w": w}, noise=noise)
