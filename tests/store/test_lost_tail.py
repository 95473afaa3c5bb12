"""A store that comes back without what it had acknowledged is told apart from one that others have changed. Keys are
put back here as they were before; test_failover.py lets a master die."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import cast

import pytest
from redis import Redis

from app.domain.transitions import cancel
from app.engine.changes import change
from app.store.redis_store import RedisStore
from tests.builders import START, an_instrument, at, bars
from tests.servers import flush
from tests.store.test_redis_store import placed, stepped

SYMBOL = "BTC-USDT"


class Past:
    """All keys of the server as they were."""

    def __init__(self, server: str) -> None:
        self._server = server
        with Redis.from_url(server) as client:
            self._keys = {key: cast("bytes", client.dump(key)) for key in client.scan_iter()}

    def comes_back(self) -> None:
        with Redis.from_url(self._server) as client:
            client.flushall()
            for key, value in self._keys.items():
                client.restore(key, 0, value)


@pytest.fixture
def lost() -> Counter[str]:
    return Counter()


@pytest.fixture
async def ours(server: str, lost: Counter[str]) -> AsyncIterator[RedisStore]:
    """Of the process that remembers; `store` is another process."""
    flush(server)

    def on_lost(kind: str, count: int) -> None:
        lost[kind] += count

    opened = RedisStore.at(server, lookback=8, on_lost=on_lost)
    yield opened
    await opened.close()


async def test_orders_that_are_older_or_gone_are_told_once(
    server: str, ours: RedisStore, lost: Counter[str], caplog: pytest.LogCaptureFixture
) -> None:
    kept, other = await placed(ours, "kept"), await placed(ours, "other")
    await ours.awaiting(SYMBOL)
    past = Past(server)
    await ours.commit([change(kept, stepped(kept))])
    gone = await placed(ours, "gone")
    past.comes_back()

    read = [await ours.awaiting(SYMBOL) for _ in range(2)]

    assert read == [sorted([kept, other], key=lambda state: state.order_id)] * 2
    assert lost == {"order": 2}
    assert caplog.text.count("the store has lost") == 1
    assert {kept.order_id, gone.order_id} <= set(caplog.text.replace(",", " ").replace(";", " ").split())


async def test_a_slice_that_another_process_has_decided_again_and_otherwise_is_told(
    server: str, ours: RedisStore, store: RedisStore, lost: Counter[str]
) -> None:
    state = await placed(ours)
    await ours.awaiting(SYMBOL)
    past = Past(server)
    await ours.commit([change(state, stepped(state, 10))])
    past.comes_back()
    await store.commit([change(state, stepped(state, 20))])

    await ours.awaiting(SYMBOL)

    assert lost == {"order": 1}


async def test_an_order_that_had_ended_is_told_when_it_is_asked_for(
    server: str, ours: RedisStore, lost: Counter[str]
) -> None:
    state = await placed(ours)
    past = Past(server)
    await ours.commit([change(state, cancel(state, START))])
    past.comes_back()

    found = [await ours.order(state.order_id) for _ in range(2)]

    assert found == [state, state]
    assert lost == {"order": 1}


async def test_what_others_change_and_end_is_no_loss(ours: RedisStore, store: RedisStore, lost: Counter[str]) -> None:
    moved, ended = await placed(ours, "moved"), await placed(ours, "ended")
    await ours.awaiting(SYMBOL)
    await store.commit([change(moved, stepped(moved)), change(ended, cancel(ended, START))])

    [left] = await ours.awaiting(SYMBOL)
    await ours.order(ended.order_id)

    assert left.order_id == moved.order_id
    assert lost == {}


@pytest.mark.parametrize("after", [at(4), None])
async def test_bars_that_went_back_are_told_when_the_next_one_is_appended(
    server: str, ours: RedisStore, lost: Counter[str], after: datetime | None
) -> None:
    await ours.put_instrument(an_instrument())
    past = Past(server)
    await ours.append_bars(SYMBOL, bars(5), None, 1)
    past = Past(server) if after else past
    await ours.append_bars(SYMBOL, bars(8)[5:], at(4), 1)
    past.comes_back()

    first = 5 if after else 0
    assert await ours.append_bars(SYMBOL, bars(8)[first:], after, 1)
    assert await ours.append_bars(SYMBOL, bars(9)[8:], at(7), 1)

    assert lost == {"bar": 1}


async def test_bars_that_are_dropped_since_they_mean_something_else_are_no_loss(
    ours: RedisStore, store: RedisStore, lost: Counter[str]
) -> None:
    await ours.put_instrument(an_instrument())
    await ours.append_bars(SYMBOL, bars(5), None, 1)
    await store.put_instrument(an_instrument(bar_seconds=60))

    assert await ours.append_bars(SYMBOL, bars(5, bar_seconds=60), None, 2)

    assert lost == {}
