"""How orders are recorded: created once, and changed where nobody else has changed them meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from redis.asyncio import Redis

from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.engine.changes import Change
from app.engine.tasks import together
from app.store import keys
from app.store.commits import Piece, commit_call, commit_name, create_call, pieces_of
from app.store.connection import run
from app.store.held_orders import HeldOrders, Link
from app.store.order_codec import state_from
from app.store.outages import Outages
from app.store.unreadable import Kind, Unreadable

CALLS_AT_ONCE = 4
"""Of one commit: while the server records some orders and waits for its disk, the next ones are encoded."""


class OrderChanges:
    """A part of `RedisStore`; see `engine.ports.Store`. `held` is told what was recorded."""

    def __init__(self, client: Redis, outages: Outages, unreadable: Unreadable, held: HeldOrders) -> None:
        self._client = client
        self._outages = outages
        self._unreadable = unreadable
        self._held = held

    async def create(self, change: Change, newest: datetime) -> tuple[OrderState, bool] | None:
        symbol, order_id, name = change.after.order.instrument, change.after.order_id, commit_name()
        with self._writing(symbol), self._held.sending(name):
            [answer] = await run(self._client, [create_call(change, newest, name)])
            if answer[0] == "created" and len(answer) > 1:
                self._held.recorded(symbol, Link(answer[1], name, [change.after]))
        match answer:
            case ["created", *_]:
                return change.after, True
            case ["exists", mandate, state, newest]:
                with self._unreadable.understanding(Kind.ORDER, keys.order(symbol, order_id)):
                    return state_from(mandate, state, newest), False
            case ["unreadable"]:
                raise self._unreadable.found(Kind.ORDER, keys.order(symbol, order_id), "it is of another type")
            case ["full"]:
                raise Unavailable("too_many_orders", f"{keys.AWAITING_MAX} orders are live on the instrument already")
        return None

    async def commit(self, changes: Sequence[Change]) -> list[OrderState | None]:
        """Every call has been answered, or has failed, when it returns."""
        pieces = pieces_of(changes)
        if len(pieces) == 1:
            return await self._committed(pieces[0])
        answers = await together(map(self._committed, pieces), CALLS_AT_ONCE)
        return [each for answer in answers for each in answer]

    async def _committed(self, piece: Piece) -> list[OrderState | None]:
        symbol = piece.symbol
        with self._writing(symbol), self._held.sending(piece.name):
            [answer] = await run(self._client, [commit_call(piece)])
            if answer == ["outrun"]:
                raise Unavailable("busy", f"the terms of {symbol} have changed; repeat the request")
            _, recorded, others, before = answer
            if before is not None:
                stand = [change.after for change, each in zip(piece.changes, recorded, strict=True) if not each]
                self._held.recorded(symbol, Link(before, piece.name, stand))
        for key in others:
            self._unreadable.found(Kind.INSTRUMENT, key, "it is of another type")
        return [self._lost(change, each) for change, each in zip(piece.changes, recorded, strict=True)]

    def _lost(self, change: Change, recorded: Sequence[str]) -> OrderState | None:
        """What stands in the place of a change that lost. An order that cannot be recorded is left out from now on, and
        raises Unavailable("order_unreadable")."""
        order = change.after.order
        match recorded:
            case [key]:
                self._held.leave_out(order.order_id)
                raise self._unreadable.found(Kind.ORDER, key, "it is of another type")
            case [mandate, state, newest]:
                with self._unreadable.understanding(Kind.ORDER, keys.order(order.instrument, order.order_id)):
                    return state_from(mandate, state, newest)
        return None

    @contextmanager
    def _writing(self, symbol: str) -> Iterator[None]:
        with self._outages.reaching(writes=True), self._unreadable.understanding(Kind.INSTRUMENT, keys.every(symbol)):
            yield
