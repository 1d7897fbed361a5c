"""Tests that share a server stay on one worker, or each worker would start a server of its own."""

import os

import pytest


@pytest.mark.xdist_group("together")
def test_a_group_of_tests_is_known_to_who_shares_tests_out(request: pytest.FixtureRequest) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("Nothing is shared out: one process runs all tests.")
    assert request.node.nodeid.endswith("@together")
