"""A broker that is not installed is skipped with a line, and fails where nothing may be skipped."""

import pytest

from tests.brokers import servers


def test_an_absent_server_is_skipped_with_its_name(monkeypatch):
    monkeypatch.delenv("CXPLAN_SKIP_NOTHING", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-broker is not installed"):
        servers.program("no-such-broker")


def test_an_absent_server_fails_where_nothing_may_be_skipped(monkeypatch):
    monkeypatch.setenv("CXPLAN_SKIP_NOTHING", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-broker is not installed"):
        servers.program("no-such-broker")
