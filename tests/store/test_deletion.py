"""An instrument is deleted at once, and nothing that somebody still knows of it fits the next one of that name."""

from __future__ import annotations

import pytest
from redis import Redis

from app.domain.errors import Conflict
from app.domain.transitions import cancel
from app.engine.changes import change
from app.engine.ownership.lease import Lease
from app.store import keys
from app.store.redis_store import RedisStore
from tests.builders import START, an_instrument, an_order, an_order_state, at, bars
from tests.store.test_process_records import shared
from tests.store.test_redis_store import placed

SYMBOL = "BTC-USDT"


def names(server: str) -> set[str]:
    with Redis.from_url(server, decode_responses=True) as client:
        return set(map(str, client.scan_iter("*")))


async def test_a_deleted_instrument_leaves_nothing_but_how_often_it_changed(store: RedisStore, server: str) -> None:
    await store.put_instrument(an_instrument())
    await store.append_bars(SYMBOL, bars(3), None)
    await store.record_revisions(SYMBOL, bars(3, seed=1))
    await store.record_lateness(SYMBOL, 3.0)

    deleted, again = await store.delete_instrument(SYMBOL), await store.delete_instrument(SYMBOL)

    assert (deleted, again) == (True, False)
    assert await store.instrument(SYMBOL) is None
    assert await store.instruments() == []
    assert names(server) == {keys.instrument(SYMBOL)}
    with Redis.from_url(server, decode_responses=True) as client:
        assert client.hgetall(keys.instrument(SYMBOL)) == {"revision": "2"}
    assert await store.put_instrument(an_instrument())
    assert await store.bars_before(SYMBOL, None, 9) == []
    assert await store.lateness(SYMBOL) == 0


async def test_orders_that_stand_on_an_instrument_keep_it_and_are_named(store: RedisStore) -> None:
    await store.put_instrument(an_instrument())
    states = [await placed(store, f"oms-{number}") for number in range(7)]

    with pytest.raises(Conflict) as refused:
        await store.delete_instrument(SYMBOL)

    told = refused.value.detail
    assert refused.value.code == "instrument_in_use"
    assert told.startswith(f"7 orders stand on {SYMBOL} (7 accepted): ")
    assert sum(state.order_id in told for state in states) == 5
    assert len(await store.bars_before(SYMBOL, None, 9)) == 5


async def test_records_of_orders_that_have_ended_outlive_their_instrument(store: RedisStore) -> None:
    """Whoever repeats an order gets its first answer: no second order comes of it."""
    await store.put_instrument(an_instrument())
    state = await placed(store)
    ended = change(state, cancel(state, START))
    await store.commit([ended])

    deleted = await store.delete_instrument(SYMBOL)
    await store.put_instrument(an_instrument())
    await store.append_bars(SYMBOL, bars(5), None)
    listed = await store.page(status=None, instrument=SYMBOL, limit=9, cursor=None)

    assert deleted
    assert listed.orders == ()
    assert await store.order(state.order_id) == ended.after
    repeated = change(None, an_order_state(an_order(client_order_id="oms-1")))
    assert await store.create(repeated, at(4)) == (ended.after, False)


@pytest.mark.usefixtures("store")
async def test_what_a_process_knows_of_a_deleted_instrument_fits_no_later_one(server: str) -> None:
    one = RedisStore.at(server, lookback=8, process="one")
    await one.put_instrument(an_instrument())
    known = await one.instrument(SYMBOL)
    lease = await shared(one).assign(SYMBOL, Lease(), "one")

    await one.delete_instrument(SYMBOL)
    await one.put_instrument(an_instrument(bar_seconds=60))

    assert known is not None
    assert not await one.append_bars(SYMBOL, bars(1), None, known.revision)
    assert await shared(one).leases([SYMBOL]) == [Lease("", lease.fence + 1)]
    assert await shared(one).assign(SYMBOL, lease, "one") == Lease("", lease.fence + 1)
    await one.close()
