"""Runs every bench and prints one table of ratios: python benchmarks/run.py [--quick] [name …]."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Two processes share two cores: threads inside a process would wait for each other.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
sys.path.insert(0, str(ROOT))

from benchmarks.table import Row, show  # noqa: E402


def main() -> int:
    """Run the benches named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="benches to run, default all (bench_NAME.py)")
    parser.add_argument("--quick", action="store_true", help="small sizes and few seeds")
    chosen = parser.parse_args()
    found = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    wanted = [f"bench_{name.removeprefix('bench_')}" for name in chosen.names] or found
    unknown = sorted(set(wanted) - set(found))
    if unknown:
        parser.error(f"no such bench: {', '.join(unknown)}")
    rows: list[Row] = []
    for name in wanted:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows.extend(importlib.import_module(f"benchmarks.{name}").run(quick=chosen.quick))
    print(show(rows))
    return 1 if any(row.passed is False for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
