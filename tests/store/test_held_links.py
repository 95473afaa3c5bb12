"""The chain of changes by which held orders follow the store."""

from __future__ import annotations

import asyncio

from app.engine.changes import Change, change
from app.store.held_orders import LINKS_MAX, HeldOrders, Link
from tests.builders import an_order, an_order_state

SYMBOL = "BTC-USDT"


def links(count: int) -> tuple[list[Change], list[Link]]:
    """Changes of one order, each on the one before."""
    state, changes, chain = an_order_state(), [], []
    for number in range(count):
        changes.append(change(state, state))
        state = changes[-1].after
        chain.append(Link(f"{number}", f"{number + 1}", [state]))
    return changes, chain


async def test_answers_that_overtake_each_other_are_applied_in_the_order_of_the_changes() -> None:
    held, (changes, chain) = HeldOrders(), links(9)
    held.hold(SYMBOL, "0", {an_order().order_id: an_order_state()})

    for link in reversed(chain):
        held.recorded(SYMBOL, link)
    held.begin(SYMBOL)

    assert await held.holds(SYMBOL, "9")
    assert held.orders(SYMBOL) == [changes[-1].after]


async def test_an_answer_that_is_on_its_way_is_awaited() -> None:
    held, (changes, [link]) = HeldOrders(), links(1)
    held.hold(SYMBOL, "0", {an_order().order_id: an_order_state()})
    held.begin(SYMBOL)

    with held.sending(link.name):
        asking = asyncio.create_task(held.holds(SYMBOL, link.name))
        await asyncio.sleep(0)
        assert not asking.done()
        held.recorded(SYMBOL, link)

    assert await asking
    assert held.orders(SYMBOL) == [changes[-1].after]


async def test_orders_that_another_process_gets_meanwhile_are_held_no_more() -> None:
    """Their instrument's lease has left this process while it asked for them: they are read again, if at all."""
    held, (changes, [link]) = HeldOrders(), links(1)
    held.listening = True
    held.hold(SYMBOL, "0", {an_order().order_id: an_order_state()})
    held.begin(SYMBOL)
    asking = asyncio.create_task(held.holds(SYMBOL, link.name))
    await asyncio.sleep(0)

    held.recorded(SYMBOL, link)
    held.forget(SYMBOL)

    assert not await asking
    assert not held.add(SYMBOL, {an_order().order_id: link.name}, {an_order().order_id: changes[-1].after})


async def test_links_that_never_meet_the_chain_are_bounded() -> None:
    held, (_, chain) = HeldOrders(), links(3 * LINKS_MAX)
    held.hold(SYMBOL, "elsewhere", {})

    for link in chain:
        held.recorded(SYMBOL, link)

    assert len(held._held[SYMBOL].links) <= LINKS_MAX
