"""A full demonstration chain, generated once, and a small one."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from cxplan.demo import ChainTruth, generate_chain

END = date(2026, 11, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    folder: Path
    truth: ChainTruth


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    folder = tmp_path_factory.mktemp("rivage")
    return Generated(folder=folder, truth=generate_chain(folder, end=END))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    folder = tmp_path_factory.mktemp("rivage-small")
    return Generated(folder=folder, truth=generate_chain(folder, end=END, branches=12, weeks=40))
