"""How recorded bars change: as a whole, and only where no order stands on them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from redis import Redis

from app.engine.changes import change
from app.store import bar_changes, keys
from app.store.redis_store import RedisStore
from tests.builders import an_instrument, an_order, an_order_state, at, bars


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bar_changes, "CHUNK_BARS", 3)


async def test_bars_are_replaced_as_a_whole(store: RedisStore, server: str) -> None:
    await store.append_bars("BTC-USDT", bars(10)[7:], None)

    done = await store.replace_bars("BTC-USDT", bars(10), known=3)

    assert done
    assert await store.bars_before("BTC-USDT", None, 20) == bars(10)
    with Redis.from_url(server, decode_responses=True) as client:
        assert client.keys("*") == [keys.bars("BTC-USDT")]
        assert client.ttl(keys.bars("BTC-USDT")) == -1


@pytest.mark.parametrize(("put", "known"), [(bars(9), 3), (bars(10), 4)])
async def test_bars_that_are_others_by_now_stay(store: RedisStore, server: str, put: list, known: int) -> None:  # type: ignore[type-arg]
    await store.append_bars("BTC-USDT", bars(10)[7:], None)

    done = await store.replace_bars("BTC-USDT", put, known)

    assert not done
    assert await store.bars_before("BTC-USDT", None, 20) == bars(10)[7:]
    with Redis.from_url(server, decode_responses=True) as client:
        assert client.keys("*") == [keys.bars("BTC-USDT")]


async def test_bars_on_which_an_order_stands_are_not_replaced(store: RedisStore) -> None:
    await store.append_bars("BTC-USDT", bars(10)[7:], None)
    idle = await store.awaited("BTC-USDT")
    await store.claim(an_order())
    await store.create(change(None, an_order_state()), at(9))

    assert not idle
    assert await store.awaited("BTC-USDT")
    assert not await store.replace_bars("BTC-USDT", bars(10), known=3)


async def test_a_revision_is_new_once_until_another_one_comes(store: RedisStore) -> None:
    await store.append_bars("BTC-USDT", bars(3), None)
    one, other = (replace(bars(3)[1], volume=Decimal(volume)) for volume in (1, 2))

    counts = [await store.record_revisions("BTC-USDT", [each]) for each in (one, one, other)]

    assert counts == [1, 0, 1]
    assert await store.bars_before("BTC-USDT", None, 9) == bars(3)


async def test_revisions_of_bars_that_are_gone_make_way(store: RedisStore, server: str) -> None:
    await store.append_bars("BTC-USDT", bars(6)[4:], None)
    store._bar_changes._bars_kept = 3

    await store.record_revisions("BTC-USDT", bars(6))

    with Redis.from_url(server, decode_responses=True) as client:
        assert set(client.hkeys(keys.revisions("BTC-USDT"))) == {keys.bar_id(at(step)) for step in (4, 5)}


async def test_other_windows_drop_bars_and_revisions(store: RedisStore, server: str) -> None:
    await store.put_instrument(an_instrument())
    await store.append_bars("BTC-USDT", bars(3), None)
    await store.record_revisions("BTC-USDT", bars(3)[:1])

    await store.put_instrument(an_instrument(bar_seconds=60))

    with Redis.from_url(server, decode_responses=True) as client:
        assert client.exists(keys.bars("BTC-USDT"), keys.revisions("BTC-USDT")) == 0


async def test_the_lateness_of_a_feed_is_recorded_and_survives_other_terms(store: RedisStore) -> None:
    await store.put_instrument(an_instrument())
    before = await store.lateness("BTC-USDT")

    await store.record_lateness("BTC-USDT", 8.25)
    await store.put_instrument(an_instrument(lot_size=Decimal(1)))

    assert (before, await store.lateness("BTC-USDT")) == (0, 8.25)
