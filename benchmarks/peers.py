"""What do the packages that others use say and take on the same data? None where one is not installed."""

from __future__ import annotations

import importlib
import importlib.util
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from apps.impact.stats.data import Actions, Panel


def imputation(panel: Panel, actions: Actions) -> float | None:
    """Processor seconds of diff-diff's imputation estimator: one effect, from each unit's first action on."""
    if importlib.util.find_spec("diff_diff") is None:
        return None
    estimator = importlib.import_module("diff_diff").ImputationDiD
    frame = _frame(panel, actions)

    def fit() -> None:
        estimator().fit(frame, outcome="y", unit="unit", time="week", first_treat="first")

    return _seconds(fit)


def did2s(panel: Panel, actions: Actions) -> float | None:
    """Processor seconds of pyfixest's two-stage estimator of the same effect, its compilers warmed up."""
    if importlib.util.find_spec("pyfixest") is None:
        return None
    estimate = importlib.import_module("pyfixest").did2s
    frame = _frame(panel, actions)

    def fit() -> None:
        estimate(
            frame,
            yname="y",
            first_stage="~ 0 | unit + week",
            second_stage="~ on",
            treatment="on",
            cluster="unit",
        )

    _seconds(fit)
    return _seconds(fit)


def county_employment(path: Path) -> dict[str, float] | None:
    """Effects of minimum wages on county employment, by diff-diff: Callaway–Sant'Anna and imputation."""
    if importlib.util.find_spec("diff_diff") is None:
        return None
    package, pandas = importlib.import_module("diff_diff"), importlib.import_module("pandas")
    frame = pandas.read_csv(path)
    columns = {"outcome": "lemp", "unit": "countyreal", "time": "year", "first_treat": "first.treat"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = package.CallawaySantAnna().fit(frame, **columns)
        imputed = package.ImputationDiD().fit(frame, **columns)
        events, cohorts = found.aggregate("event_study"), found.aggregate("group")
    size = frame.drop_duplicates("countyreal")["first.treat"].value_counts()
    return {
        "Callaway–Sant'Anna, simple": float(found.overall_att),
        "Callaway–Sant'Anna, dynamic": float(np.mean(np.asarray(events.att)[np.asarray(events.event_time) >= 0])),
        "Callaway–Sant'Anna, group": float(np.average(cohorts.att, weights=size.loc[list(cohorts.label)])),
        "imputation": float(imputed.overall_att),
    }


def _frame(panel: Panel, actions: Actions) -> Any:
    first = np.full(panel.units, panel.weeks)
    np.minimum.at(first, actions.unit[actions.aimed], np.maximum(actions.start[actions.aimed], 1))
    unit, week = np.nonzero(panel.n > 0)
    treated = first < panel.weeks
    return importlib.import_module("pandas").DataFrame(
        {
            "unit": unit,
            "week": week,
            "y": panel.y[unit, week],
            "first": np.where(treated, first, 0)[unit],
            "on": (treated[unit] & (week >= first[unit])).astype(float),
        }
    )


def _seconds(fit: Any) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begin = time.process_time()
        fit()
        return time.process_time() - begin
