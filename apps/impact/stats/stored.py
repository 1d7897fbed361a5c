"""How do the statistics of some units travel: through a queue, into a database, and back to the bit?

A header of names, types and shapes, then the arrays as they lie in memory (little-endian). Of the
symmetric sums of W only the upper triangles are kept. A reader of another method refuses them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from .errors import NotEstimable
from .noise import Noise
from .results import METHOD
from .sufficient import UnitStatistics

MAGIC = b"cxs1"
ARRAYS = ("units", "block_count", "s", "c", "cy", "yy", "log_det", "regions", "w", "wy")


def to_bytes(statistics: UnitStatistics) -> bytes:
    """Statistics of a chunk as bytes; equal statistics give equal bytes."""
    periods = statistics.w.shape[1]
    triangle = np.triu_indices(periods)
    arrays = {name: getattr(statistics, name) for name in ARRAYS}
    arrays["w"] = statistics.w[:, triangle[0], triangle[1]]
    header: dict[str, Any] = {
        "method": METHOD,
        "periods": periods,
        "noise": asdict(statistics.noise),
        "arrays": [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()],
    }
    head = json.dumps(header, sort_keys=True).encode()
    parts = [np.ascontiguousarray(array).tobytes() for array in arrays.values()]
    return b"".join([MAGIC, len(head).to_bytes(8, "little"), head, *parts])


def from_bytes(data: bytes) -> UnitStatistics:
    """Statistics as `to_bytes` wrote them.

    Raises
    ------
    NotEstimable
        ``bad_chunk`` for bytes of another method, cut short, or not written by `to_bytes`.
    """
    start = len(MAGIC) + 8
    stop = start + int.from_bytes(data[len(MAGIC) : start], "little")
    if data[: len(MAGIC)] != MAGIC or stop > len(data):
        raise NotEstimable("bad_chunk", "these bytes hold no statistics")
    try:
        header = json.loads(data[start:stop])
        if header["method"] != METHOD:
            raise NotEstimable("bad_chunk", f"statistics of {header['method']}, wanted {METHOD}")
        arrays: dict[str, Any] = {}
        for name, kind, shape in header["arrays"]:
            dtype = np.dtype(kind)
            count = int(np.prod(shape, dtype=np.int64))
            arrays[name] = np.frombuffer(data, dtype=dtype, count=count, offset=stop).reshape(shape).copy()
            stop += count * dtype.itemsize
        noise = Noise(**{each.name: header["noise"][each.name] for each in fields(Noise)})
        periods = int(header["periods"])
    except (KeyError, TypeError, ValueError) as error:
        raise NotEstimable("bad_chunk", f"these bytes hold no whole statistics: {error}") from error
    triangle = np.triu_indices(periods)
    w = np.zeros((arrays["w"].shape[0], periods, periods))
    w[:, triangle[0], triangle[1]] = arrays["w"]
    w[:, triangle[1], triangle[0]] = arrays["w"]
    return UnitStatistics(**{**arrays, "w": w}, noise=noise)
