"""Does the engine know numpy and scipy, and nothing else?"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

MODULES = sorted((Path(__file__).resolve().parents[3] / "apps" / "impact" / "stats").glob("*.py"))
ALLOWED = {"numpy", "scipy"} | set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_imports_only_what_computes(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        assert {name.split(".")[0] for name in names} <= ALLOWED


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 15
