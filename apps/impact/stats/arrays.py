"""How do arrays travel: through a queue, into a database, and back to the bit?

A header of names, types and shapes, then the arrays as they lie in memory (little-endian). Nothing
in it runs when it is read. A reader of another method refuses it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import NotEstimable
from .results import METHOD

MAGIC = b"cxa1"

Arrays = Mapping[str, NDArray[Any]]


def pack(facts: Mapping[str, Any], arrays: Arrays) -> bytes:
    """Facts that JSON knows, and arrays by name; equal ones give equal bytes."""
    header = {
        "method": METHOD,
        "facts": facts,
        "arrays": [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()],
    }
    head = json.dumps(header, sort_keys=True).encode()
    parts = [np.ascontiguousarray(array).tobytes() for array in arrays.values()]
    return b"".join([MAGIC, len(head).to_bytes(8, "little"), head, *parts])


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What `pack` wrote; the arrays are copies.

    Raises
    ------
    NotEstimable
        ``bad_chunk`` for bytes of another method, cut short, or not written by `pack`.
    """
    start = len(MAGIC) + 8
    stop = start + int.from_bytes(data[len(MAGIC) : start], "little")
    if data[: len(MAGIC)] != MAGIC or stop > len(data):
        raise NotEstimable("bad_chunk", "these bytes hold no arrays")
    try:
        header = json.loads(data[start:stop])
        if header["method"] != METHOD:
            raise NotEstimable("bad_chunk", f"arrays of {header['method']}, wanted {METHOD}")
        arrays: dict[str, NDArray[Any]] = {}
        for name, kind, shape in header["arrays"]:
            dtype = np.dtype(kind)
            if dtype.hasobject:
                raise NotEstimable("bad_chunk", "objects do not travel")
            count = int(np.prod(shape, dtype=np.int64))
            arrays[name] = np.frombuffer(data, dtype=dtype, count=count, offset=stop).reshape(shape).copy()
            stop += count * dtype.itemsize
        return dict(header["facts"]), arrays
    except (KeyError, TypeError, ValueError) as error:
        raise NotEstimable("bad_chunk", f"these bytes hold no whole arrays: {error}") from error
