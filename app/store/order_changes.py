"""How orders are recorded: created once, and changed where nobody else has changed them meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.engine.changes import Change
from app.engine.ownership.lease import NotOwner
from app.engine.ports import Claim, Replaced
from app.engine.tasks import together
from app.engine.terms import digest_of
from app.store import claims, keys
from app.store.codec import claim_text
from app.store.commits import COMMIT_CHUNK, Piece, commit_call, commit_name, create_call, pieces_of, replace_call
from app.store.connection import Call, run
from app.store.gathering import GatheringRedis
from app.store.held_orders import HeldOrders, Link
from app.store.lost_tail import LostTail
from app.store.outages import Outages
from app.store.state_codec import state_from
from app.store.unreadable import Kind, Unreadable

CALLS_AT_ONCE = 4
CHANGES_AT_ONCE = CALLS_AT_ONCE * COMMIT_CHUNK
"""Of one commit: while the server records some orders and waits for its disk, the next ones are encoded."""


class OrderChanges:
    """A part of `RedisStore`; see `engine.ports.Store`. `held` and `lost_tail` are told what was recorded, and other
    processes are on `channel`, where it is not empty."""

    def __init__(
        self,
        client: GatheringRedis,
        outages: Outages,
        unreadable: Unreadable,
        held: HeldOrders,
        lost_tail: LostTail,
        channel: str,
    ) -> None:
        self._client = client
        self._outages = outages
        self._unreadable = unreadable
        self._held = held
        self._lost_tail = lost_tail
        self._channel = channel

    async def create(self, change: Change, newest: datetime) -> tuple[OrderState, bool] | Claim | None:
        """The claim is taken by the script that records the order. Where an earlier claim stands, it may be the order's
        own or give way; the order is recorded behind it then. On a cluster the claim comes first, in its own slot: a
        crash leaves it without an order, and whoever repeats the order finds it and records the order."""
        name = commit_name()

        def call(claim: str) -> Call:
            return create_call(change, newest, name, claim, self._channel)

        answer = await self._claimed_and_created(call, [change], name)
        match answer:
            case Claim():
                return answer
            case ["created", *_]:
                return change.after, True
            case ["exists", mandate, state, newest_slice]:
                return self._understood(change.after, mandate, state, newest_slice), False
            case ["unreadable", key]:
                raise self._unreadable.found(Kind.ORDER, key, "it is of another type")
            case ["full"]:
                raise Unavailable("too_many_orders", f"{keys.AWAITING_MAX} orders are live on the instrument already")
        return None

    async def replace(self, old: Change, new: Change, newest: datetime) -> Replaced | Claim | None:
        """As `create`, where `old` still stands."""
        name = commit_name()

        def call(claim: str) -> Call:
            return replace_call(old, new, newest, name, claim, self._channel)

        answer = await self._claimed_and_created(call, [old, new], name)
        match answer:
            case Claim():
                return answer
            case ["created", *_]:
                return Replaced(recorded=new.after, is_new=True)
            case ["exists", mandate, state, newest_slice]:
                return Replaced(recorded=self._understood(new.after, mandate, state, newest_slice))
            case ["moved", mandate, state, newest_slice]:
                return Replaced(moved=self._understood(old.after, mandate, state, newest_slice))
            case ["unreadable", key]:
                raise self._unreadable.found(Kind.ORDER, key, "it is of another type")
        return None

    def _understood(self, state: OrderState, mandate: str, text: str, newest: str) -> OrderState:
        """The order as it is recorded now."""
        with self._unreadable.understanding(Kind.ORDER, keys.order(state.order.instrument, state.order_id)):
            return state_from(mandate, text, newest)

    async def _claimed_and_created(
        self, call: Callable[[str], Call], changes: Sequence[Change], name: str
    ) -> Sequence[str] | Claim:
        """`call` takes the text of the claim; the last of the changes creates an order."""
        order = changes[-1].after.order
        own = Claim(order.instrument, digest_of(order))
        answer: Sequence[str] = ["claimed"]
        if not self._client.clustered:
            answer = await self._created(call(claim_text(own)), changes, name)
        if answer[0] == "claimed":
            key = keys.claim(order.order_id)
            with self._outages.reaching(writes=True), self._unreadable.understanding(Kind.ORDER, key):
                standing = await claims.take(self._client, order.order_id, own)
            if standing.digest != own.digest:
                return standing
            answer = await self._created(call(""), changes, name)
        return answer

    async def _created(self, call: Call, changes: Sequence[Change], name: str) -> Sequence[str]:
        symbol = changes[-1].after.order.instrument
        with self._writing(symbol), self._held.sending(name):
            answer: Sequence[str]
            [answer] = await run(self._client, [call])
            if answer[0] == "created":
                for change in changes:
                    self._lost_tail.acknowledged(change.after)
            if answer[0] == "created" and len(answer) > 1:
                self._held.recorded(symbol, Link(answer[1], name, [change.after for change in changes]))
        return answer

    async def commit(self, changes: Sequence[Change]) -> list[OrderState | None]:
        """Every call has been answered, or has failed, when it returns."""
        pieces = pieces_of(changes)
        if len(pieces) == 1:
            return await self._committed(pieces[0])
        at_once = max(CALLS_AT_ONCE, CHANGES_AT_ONCE * len(pieces) // max(1, len(changes)))
        answers = await together(map(self._committed, pieces), at_once)
        return [each for answer in answers for each in answer]

    async def _committed(self, piece: Piece) -> list[OrderState | None]:
        symbol = piece.symbol
        with self._writing(symbol), self._held.sending(piece.name):
            [answer] = await run(self._client, [commit_call(piece, self._channel)])
            if answer == ["outrun"]:
                raise Unavailable("busy", f"the terms of {symbol} have changed; repeat the request")
            if answer == ["fenced"]:
                raise NotOwner("busy", f"another process decides for {symbol} now; repeat the request")
            _, recorded, others, before = answer
            stand = [change.after for change, each in zip(piece.changes, recorded, strict=True) if not each]
            for state in stand:
                self._lost_tail.acknowledged(state)
            if before is not None:
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
