"""A desk on a real store, for tests of what goes out, and one whose events are delivered to webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.outbox.webhooks import delivery
from tests.builders import bars
from tests.engine.conftest import desk, server, store_url
from tests.engine.desk import Desk
from tests.outbox.following import a_tail
from tests.outbox.post import HISTORY, Post, a_post

__all__ = ["desk", "server", "store_url"]


@pytest.fixture
async def post(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    """Attempts follow each other at once."""
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0.001)
    await desk.feed(bars(HISTORY))
    async with a_tail(desk) as tail, a_post(desk, tail) as opened:
        yield opened
