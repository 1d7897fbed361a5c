"""Do statistics survive a queue or a database to the bit?"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from apps.impact.stats.errors import NotEstimable
from apps.impact.stats.stored import from_bytes, to_bytes
from apps.impact.stats.sufficient import UnitStatistics
from tests.impact.stats import small


@pytest.fixture(scope="module")
def statistics() -> UnitStatistics:
    return small.model(small.panel(), small.actions()).statistics


def test_bytes_come_back_to_the_bit(statistics: UnitStatistics) -> None:
    again = from_bytes(to_bytes(statistics))
    for each in fields(UnitStatistics):
        before, after = getattr(statistics, each.name), getattr(again, each.name)
        if isinstance(before, np.ndarray):
            assert before.dtype == after.dtype
            assert np.array_equal(before, after)
        else:
            assert before == after
    assert to_bytes(again) == to_bytes(statistics)


def test_bytes_of_something_else_are_refused(statistics: UnitStatistics) -> None:
    data = to_bytes(statistics)
    for wrong in (b"", b"cxs1", data[:200], data[:-8], b"xxxx" + data[4:], data.replace(b"joint-", b"other-", 1)):
        with pytest.raises(NotEstimable, match="bad_chunk"):
            from_bytes(wrong)
