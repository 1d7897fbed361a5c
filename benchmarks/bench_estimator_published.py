"""Do the packages that the engine is compared with give their published numbers here?"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import peers
from benchmarks.table import Row, write_figures

NAME = "estimator published"
SOURCE = Path(__file__).resolve().parents[2] / "shared" / "data" / "benchmarks" / "mpdta.csv"
PUBLISHED = {
    "Callaway–Sant'Anna, simple": -0.0400,
    "Callaway–Sant'Anna, dynamic": -0.0772,
    "Callaway–Sant'Anna, group": -0.0310,
    "imputation": -0.0477,
}
CLOSE = 1e-4  # published with four digits


def run(*, quick: bool) -> list[Row]:
    """County employment; nothing where the data or the package is absent."""
    found = peers.county_employment(SOURCE) if SOURCE.exists() else None
    if found is None:
        print(f"{NAME}: skipped, county employment or diff-diff is not here", file=sys.stderr)
        return []
    rows = [
        Row(
            bench=NAME,
            what=f"county employment, by diff-diff: {what}",
            value=value,
            reference="published",
            against=PUBLISHED[what],
            passed=abs(value - PUBLISHED[what]) < CLOSE,
        )
        for what, value in found.items()
    ]
    if not quick:
        write_figures("methods.md", "published", rows)
    return rows
