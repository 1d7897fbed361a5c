"""A home that ends clean, whatever the test did."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.processes import kill_everything


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "a home"
    yield path
    kill_everything(path)
