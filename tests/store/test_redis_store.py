"""What the store promises to the engine, on real servers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from redis import Redis

from app.domain.errors import Conflict, Unavailable
from app.domain.order import Order
from app.domain.state import OrderState
from app.domain.transitions import cancel, take
from app.engine.changes import change
from app.store import keys
from app.store.event_codec import event_from
from app.store.redis_store import RedisStore
from tests.builders import (
    START,
    a_decided,
    a_fill,
    a_projection,
    a_window,
    an_instrument,
    an_order,
    an_order_state,
    at,
    bars,
)

NEWEST = at(4)


async def placed(store: RedisStore, name: str = "oms-1") -> OrderState:
    """An order that is accepted on five bars."""
    if not await store.bars_before("BTC-USDT", None, 1):
        await store.append_bars("BTC-USDT", bars(5), None)
    order = an_order(client_order_id=name)
    await store.claim(order)
    made = await store.create(change(None, an_order_state(order)), NEWEST)
    assert isinstance(made, tuple)
    return made[0]


def stepped(state: OrderState, lots: int = 10) -> OrderState:
    return take(state, a_projection(lots), a_window(), a_decided(), Decimal(100))


async def test_what_is_recorded_comes_back_equal(store: RedisStore) -> None:
    created = await store.put_instrument(an_instrument())
    state = await placed(store)

    assert created
    assert await store.instruments() == [an_instrument()] == [await store.instrument("BTC-USDT")]
    assert await store.bars_before("BTC-USDT", at(4), 2) == bars(4)[2:]
    assert await store.bars_since("BTC-USDT", at(3), 9) == bars(5)[3:]
    assert await store.order(state.order.order_id) == state
    assert await store.awaiting("BTC-USDT") == [state]


async def test_what_is_not_there_is_none(store: RedisStore) -> None:
    assert await store.instrument("NOBODY") is None
    assert await store.order("nobody") is None
    assert await store.fill("nobody", "exec-1") is None
    assert await store.slices("nobody") == []
    assert await store.bars_before("NOBODY", None, 5) == []


async def test_bars_are_appended_only_behind_the_expected_one(store: RedisStore) -> None:
    assert await store.append_bars("BTC-USDT", bars(2), None)

    assert not await store.append_bars("BTC-USDT", bars(3)[2:], None)
    assert not await store.append_bars("BTC-USDT", bars(3)[2:], at(0))
    assert await store.append_bars("BTC-USDT", bars(3)[2:], at(1))
    assert await store.bars_before("BTC-USDT", None, 9) == bars(3)


async def test_of_two_changes_from_one_version_the_first_stands(store: RedisStore) -> None:
    state = await placed(store)
    ours, theirs = change(state, stepped(state, 10)), change(state, stepped(state, 20))

    first, second = await store.commit([ours]), await store.commit([theirs])

    assert first == [None]
    assert second == [ours.after]
    assert await store.order(state.order.order_id) == ours.after
    assert await store.slices(state.order.order_id) == [ours.slice]


async def test_many_writers_at_once_leave_one_winner(store: RedisStore) -> None:
    state = await placed(store)
    rivals = [change(state, stepped(state, lots)) for lots in range(1, 21)]

    answers = await asyncio.gather(*(store.commit([rival]) for rival in rivals))

    assert sum(answer == [None] for answer in answers) == 1


async def test_a_batch_commits_each_order_on_its_own(store: RedisStore) -> None:
    """One that lost does not hold back the others, whatever call it travels in."""
    first = await placed(store, "oms-0")
    all_placed = [first, *await asyncio.gather(*(placed(store, f"oms-{number}") for number in range(1, 250)))]
    await store.commit([change(all_placed[7], cancel(all_placed[7], START))])

    answers = await store.commit([change(each, stepped(each)) for each in all_placed])

    lost = [index for index, answer in enumerate(answers) if answer is not None]
    assert lost == [7]
    assert answers[7] is not None
    assert answers[7].status == "cancelled"
    assert len(await store.awaiting("BTC-USDT")) == 249


async def test_creation_again_gives_what_is_recorded(store: RedisStore) -> None:
    state = await placed(store)
    moved = change(state, stepped(state))
    await store.commit([moved])

    again = await store.create(change(None, an_order_state()), NEWEST)

    assert again == (moved.after, False)


async def test_an_order_is_not_created_behind_a_newer_bar(store: RedisStore) -> None:
    await store.append_bars("BTC-USDT", bars(5), None)

    assert await store.create(change(None, an_order_state()), at(3)) is None
    assert await store.order(an_order().order_id) is None


async def test_an_order_takes_its_client_order_id_when_it_is_recorded_and_not_before(store: RedisStore) -> None:
    await store.append_bars("BTC-USDT", bars(5), None)
    new, order_id = change(None, an_order_state()), an_order().order_id

    overtaken = await store.create(new, at(3))
    free = await store.claimed(order_id)
    made = await store.create(new, NEWEST)

    assert (overtaken, free) == (None, None)
    assert made == (new.after, True)
    assert (await store.claimed(order_id)) == await store.claim(an_order())


async def test_an_order_under_the_client_order_id_of_another_is_told_whose_it_is(store: RedisStore) -> None:
    state = await placed(store)
    other = an_order(size=Decimal(99))

    answer = await store.create(change(None, an_order_state(other)), NEWEST)

    assert answer == await store.claimed(state.order_id)
    assert await store.order(state.order_id) == state


@pytest.mark.parametrize("refused", [an_order(), an_order(size=Decimal(99), instrument="OTHER")])
async def test_an_order_is_recorded_behind_a_claim_that_was_refused(store: RedisStore, refused: Order) -> None:
    """Its own, or that of another order under the same name."""
    await store.append_bars("BTC-USDT", bars(5), None)
    await store.claim(refused)
    await store.refuse_claim(refused)

    made = await store.create(change(None, an_order_state()), NEWEST)

    assert isinstance(made, tuple)
    assert made[1]
    assert await store.order(an_order().order_id) == made[0]
    assert (await store.claim(refused)).instrument == "BTC-USDT"


async def test_an_instrument_takes_a_bounded_number_of_orders(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "AWAITING_MAX", 1)
    await placed(store)

    with pytest.raises(Unavailable) as refused:
        await placed(store, "oms-2")

    assert refused.value.code == "too_many_orders"


async def test_the_first_claim_of_a_client_order_id_stays(store: RedisStore) -> None:
    first = await store.claim(an_order())

    second = await store.claim(an_order(size=Decimal(99)))

    assert second == first == await store.claimed(an_order().order_id)


async def test_the_claim_of_a_refused_order_gives_way_to_another_order(store: RedisStore) -> None:
    refused, other = an_order(), an_order(size=Decimal(99), instrument="OTHER")
    await store.claim(refused)
    assert await store.order(refused.order_id) is None

    await store.refuse_claim(other)
    kept = await store.claim(other)
    await store.refuse_claim(refused)
    free = await store.claimed(refused.order_id)
    taken = await store.claim(other)

    assert kept.instrument == refused.instrument
    assert free is None
    assert taken == await store.claimed(refused.order_id) == await store.claim(other)
    assert (await store.claim(refused)).instrument == "OTHER"


async def test_a_refused_claim_stays_where_an_order_came_of_it_all_the_same(store: RedisStore) -> None:
    """The same order was sent twice at a time: one was refused, the other accepted."""
    state = await placed(store)

    await store.refuse_claim(state.order)

    assert await store.order(state.order_id) == state
    assert (await store.claim(an_order(size=Decimal(99)))).digest == (await store.claim(state.order)).digest


async def test_a_fill_is_recorded_with_the_change_that_books_it(store: RedisStore) -> None:
    state = await placed(store)
    moved = change(state, stepped(state))
    await store.commit([moved])
    fill = a_fill(moved.after)

    lost = await store.commit([change(state, stepped(state), fill)])
    before = await store.fill(state.order.order_id, "exec-1")
    await store.commit([change(moved.after, cancel(moved.after, START), fill)])

    assert lost == [moved.after]
    assert before is None
    assert await store.fill(state.order.order_id, "exec-1") == fill


async def test_a_status_moves_the_order_between_pages(store: RedisStore) -> None:
    state = await placed(store)
    cancelled = cancel(state, START)

    await store.commit([change(state, cancelled)])

    old = await store.page(status=state.status, instrument=None, limit=9, cursor=None)
    assert old.orders == ()


async def test_events_tell_what_happened_in_order(store: RedisStore, server: str) -> None:
    state = await placed(store)
    moved = change(state, stepped(state))
    await store.commit([moved])
    await store.commit([change(moved.after, cancel(moved.after, START))])

    with Redis.from_url(server, decode_responses=True) as client:
        entries = client.xrange(keys.events("BTC-USDT"))

    events = [event_from(fields["json"]) for _, fields in entries]
    assert [(event.what.name, event.version) for event in events] == [
        ("order.accepted", 1),
        ("order.working", 2),
        ("slice.committed", 2),
        ("order.cancelled", 3),
    ]


async def test_a_server_that_has_forgotten_the_scripts_gets_them_again(store: RedisStore, server: str) -> None:
    state = await placed(store)
    with Redis.from_url(server) as client:
        client.script_flush()

    assert await store.commit([change(state, stepped(state))]) == [None]


async def test_terms_do_not_change_under_live_orders(store: RedisStore) -> None:
    await store.put_instrument(an_instrument())
    await placed(store)

    assert await store.put_instrument(an_instrument(lot_size=Decimal("0.010"))) is False
    with pytest.raises(Conflict):
        await store.put_instrument(an_instrument(bar_seconds=60))
    assert await store.bars_before("BTC-USDT", None, 9) == bars(5)


async def test_every_key_of_an_instrument_lies_in_one_slot(store: RedisStore, server: str) -> None:
    await store.put_instrument(an_instrument())
    state = await placed(store)
    await store.commit([change(state, stepped(state), None)])

    with Redis.from_url(server, decode_responses=True) as client:
        found = set(client.keys("*"))

    others = {keys.INSTRUMENTS, keys.claim(state.order.order_id)}
    assert found > others
    assert all(key.startswith("lem:{BTC-USDT}:") for key in found - others)


async def test_a_server_that_is_away_is_unavailable() -> None:
    nobody = RedisStore.at("unix:///nowhere.sock", lookback=8)

    with pytest.raises(Unavailable) as refused:
        await nobody.weaknesses()
    with pytest.raises(Unavailable):
        await nobody.commit([change(an_order_state(), replace(an_order_state(), stopping=True))])
    await nobody.close()

    assert refused.value.code == "store_unavailable"
