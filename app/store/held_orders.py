"""Orders that await bars, held in memory between bars: ten thousand of them are not read and decoded for each bar.

Every script that writes an order puts a new name into `changed` of the order's instrument, and answers with the name
that stood there before. So the changes of this process make a chain, and orders are held as of its last link. Another
name in the store means that another process has written, or that an answer was lost. Where processes give each other
notice of their changes (notices.py), those are links of the chain too, and the orders that they name are read; without
that, all orders are read again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.domain.state import OrderState

NOTICE_SECONDS_MAX = 0.1
"""How long the notice of a change that is recorded already is waited for: to read all orders takes longer."""
LINKS_MAX = 256
"""Answers that may come before those of earlier changes; where there are more, another process has written."""


@dataclass(frozen=True, slots=True)
class Link:
    """A recorded change: `before` is the name of the change before it, `orders` are as the change has left them. Of a
    change of another process only the ids of its orders are known (`unread`)."""

    before: str
    name: str
    orders: Sequence[OrderState]
    unread: Sequence[str] = ()


@dataclass(slots=True)
class _Held:
    """`orders` by id as the change `as_of` has left them; `unread` are the ids of those that are not understood, and of
    those that another process has changed, with the change's name. `links` by `before` are changes that do not follow
    on `as_of`. `passed` are the names that were `as_of` since the question that is under way was asked, None while
    there is none; `moved` is set with each."""

    as_of: str
    orders: dict[str, OrderState]
    unread: dict[str, str] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    passed: list[str] | None = None
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, link: Link) -> None:
        if len(self.links) >= LINKS_MAX:
            self.links.clear()
        self.links[link.before] = link
        while (following := self.links.pop(self.as_of, None)) is not None:
            self._apply(following)

    def _apply(self, link: Link) -> None:
        self.as_of = link.name
        self.moved.set()
        self.unread |= dict.fromkeys(link.unread, link.name)
        if self.passed is not None:
            self.passed.append(link.name)
        for state in link.orders:
            self.unread.pop(state.order.order_id, None)
            self.put(state)

    def put(self, state: OrderState) -> None:
        if state.awaits_bars:
            self.orders[state.order.order_id] = state
        else:
            self.orders.pop(state.order.order_id, None)


class HeldOrders:
    """Orders by instrument. `listening`: notices of other processes come through."""

    def __init__(self) -> None:
        self.listening = False
        self._held: dict[str, _Held] = {}
        self._sent: dict[str, asyncio.Event] = {}
        self._left_out: set[str] = set()

    @contextmanager
    def sending(self, name: str) -> Iterator[None]:
        """The change of that name is under way. When it is recorded, `recorded` is told within."""
        answered = self._sent[name] = asyncio.Event()
        try:
            yield
        finally:
            del self._sent[name]
            answered.set()

    def recorded(self, symbol: str, link: Link) -> None:
        if symbol in self._held:
            self._held[symbol].take(link)

    def order_as_of(self, symbol: str, order_id: str, changed: str) -> OrderState | None:
        """The order as the change of that name has left it, where the orders are held as of that change; None where
        they are not, and where the order awaits no bars."""
        held = self._held.get(symbol)
        if held is None or held.as_of != changed or order_id in held.unread:
            return None
        return held.orders.get(order_id)

    def has(self, symbol: str, order_id: str) -> bool:
        """Whether the order is held, as of whichever change."""
        return symbol in self._held and order_id in self._held[symbol].orders

    def leave_out(self, order_id: str) -> None:
        """The order cannot be recorded: nobody shall move it."""
        self._left_out.add(order_id)

    def begin(self, symbol: str) -> None:
        """The store is about to be asked which change of the instrument's orders is the last one."""
        if symbol in self._held:
            self._held[symbol].passed = [self._held[symbol].as_of]

    async def holds(self, symbol: str, changed: str) -> bool:
        """Whether the orders are held as `changed`, the answer of the store since `begin`, has left them, or newer.
        Waits where that is a change of ours whose own answer is still to come, and, for a moment, where the notice of
        another process' change is."""
        if changed in self._sent:
            await self._sent[changed].wait()
        held = self._held.get(symbol)
        if held is None:
            return False
        if self.listening:
            await _passed(held, changed)
        passed, held.passed = held.passed or [], None
        return changed in passed and self._held.get(symbol) is held

    def hold(self, symbol: str, changed: str, orders: Mapping[str, OrderState | None]) -> None:
        """All orders of the instrument that await bars, read after `changed` was; None for what is not understood."""
        earlier = self._held.get(symbol)
        held = self._held[symbol] = _Held(as_of=changed, orders={})
        for order_id, state in orders.items():
            if state is None:
                held.unread[order_id] = changed
            else:
                held.put(state)
        for link in list(earlier.links.values()) if earlier else ():
            held.take(link)

    def known(self, symbol: str) -> Mapping[str, OrderState]:
        """The orders by id as they are held, whatever others have written since."""
        return dict(self._held[symbol].orders) if symbol in self._held else {}

    def unread(self, symbol: str) -> dict[str, str]:
        """The orders that were not understood when they were read, and those that another process has changed, each
        with the name of the change since which it is to be read."""
        return dict(self._held[symbol].unread)

    def add(self, symbol: str, unread: Mapping[str, str], orders: Mapping[str, OrderState | None]) -> bool:
        """Orders that were `unread`, as they were read since; None for those that are still not understood. What has
        been changed meanwhile is newer. False where the instrument's orders were forgotten meanwhile."""
        held = self._held.get(symbol)
        if held is None:
            return False
        for order_id, since in unread.items():
            state = orders.get(order_id)
            if order_id not in held.unread:  # changed by this process
                continue
            if state is None:
                held.orders.pop(order_id, None)
                continue
            held.put(state)
            if held.unread[order_id] == since:
                del held.unread[order_id]
        return True

    def orders(self, symbol: str) -> list[OrderState]:
        """In the order of their ids."""
        held = self._held[symbol].orders
        return [held[order_id] for order_id in sorted(held) if order_id not in self._left_out]

    def forget(self, symbol: str) -> None:
        """Another process holds them from now on."""
        self._held.pop(symbol, None)


async def _passed(held: _Held, changed: str) -> None:
    """Wait until the change of that name has come through, or does not come."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(NOTICE_SECONDS_MAX):
            while held.passed is not None and changed not in held.passed:
                held.moved.clear()
                await held.moved.wait()
