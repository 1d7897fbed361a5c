"""Do inputs and statistics survive a queue or a database to the bit?"""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from apps.impact.stats.arrays import pack, unpack
from apps.impact.stats.data import DEFAULTS
from apps.impact.stats.errors import NotEstimable
from apps.impact.stats.fit import unit_statistics
from apps.impact.stats.stored import from_bytes, inputs_from_bytes, inputs_to_bytes, to_bytes
from apps.impact.stats.sufficient import UnitStatistics
from tests.impact.stats import small


@pytest.fixture(scope="module")
def statistics() -> UnitStatistics:
    return small.model(small.panel(), small.actions()).statistics


def same(one: object, other: object) -> None:
    for each in fields(one):
        before, after = getattr(one, each.name), getattr(other, each.name)
        if isinstance(before, np.ndarray):
            assert before.dtype == after.dtype
            np.testing.assert_array_equal(before, after)
        else:
            assert before == after


def test_bytes_come_back_to_the_bit(statistics: UnitStatistics) -> None:
    again = from_bytes(to_bytes(statistics))
    same(statistics, again)
    assert to_bytes(again) == to_bytes(statistics)


@pytest.mark.parametrize("has_closures", [False, True])
def test_inputs_come_back_to_the_bit_and_give_the_same_statistics(
    statistics: UnitStatistics, has_closures: bool
) -> None:
    panel, actions = small.panel(), small.actions()
    if has_closures:
        usable = np.ones(panel.y.shape, dtype=np.bool_)
        usable[0, 3:5] = False
        panel = replace(panel, usable=usable)
    settings = replace(DEFAULTS, seed=5)
    data = inputs_to_bytes(panel, actions, statistics.noise, settings, statistics.units)
    panel_again, actions_again, noise, settings_again, rows = inputs_from_bytes(data)
    same(panel, panel_again)
    same(actions, actions_again)
    assert (noise, settings_again) == (statistics.noise, settings)
    np.testing.assert_array_equal(rows, statistics.units)
    assert inputs_to_bytes(panel_again, actions_again, noise, settings_again, rows) == data
    same(
        unit_statistics(panel, actions, noise, settings, rows),
        unit_statistics(panel_again, actions_again, noise, settings_again, rows),
    )


def test_bytes_of_something_else_are_refused(statistics: UnitStatistics) -> None:
    data = to_bytes(statistics)
    for wrong in (b"", b"cxa1", data[:200], data[:-8], b"xxxx" + data[4:], data.replace(b"joint-", b"other-")):
        with pytest.raises(NotEstimable, match="bad_chunk"):
            from_bytes(wrong)
        with pytest.raises(NotEstimable, match="bad_chunk"):
            inputs_from_bytes(wrong)
    with pytest.raises(NotEstimable, match="bad_chunk"):
        inputs_from_bytes(data)


def test_nothing_that_runs_is_read() -> None:
    with pytest.raises(NotEstimable, match="bad_chunk"):
        unpack(pickle.dumps([1, 2, 3]))
    with pytest.raises(NotEstimable, match="bad_chunk"):
        unpack(pack({}, {"x": np.zeros(1)}).replace(b"<f8", b"|O8"))
