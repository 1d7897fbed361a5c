"""Homes that end clean, whatever the test did."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.processes import kill_everything


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "a home"
    yield path
    kill_everything(path)


@pytest.fixture(scope="session")
def served_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for all tests of what is served, so that its tables and assets are made once."""
    path = tmp_path_factory.mktemp("served") / "a home"
    yield path
    kill_everything(path)
