"""A kline host of its own for each test that wants one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.data.klines import Host, a_host


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """Requests go to the loopback whatever proxy the environment names."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with a_host() as running:
        yield running
