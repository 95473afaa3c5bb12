"""Changes of orders as script calls."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from app.domain.state import OrderState
from app.engine.changes import Change
from app.store import keys
from app.store.codec import fill_text
from app.store.connection import Call, script
from app.store.event_codec import event_text
from app.store.order_codec import mandate_text
from app.store.slice_codec import slice_text
from app.store.state_codec import state_text

CREATE_ORDER = script("create_order")
COMMIT_ORDERS = script("commit_orders")
REPLACE_ORDER = script("replace_order")
COMMIT_CHUNK = 100
"""Orders per script call: enough to spare round trips, few enough not to keep the server from others."""


def commit_name() -> str:
    """Of one script call alone: a try whose answer was lost is known again by it."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Piece:
    """Changes that one script call records: all on one instrument, so in one cluster slot, and on the same revision of
    its terms and under the same fence, each empty where they depend on none."""

    symbol: str
    revision: str
    fence: str
    changes: Sequence[Change]
    name: str = field(default_factory=commit_name)


def create_call(change: Change, newest: datetime, name: str, claim: str, channel: str) -> Call:
    """`claim` is the text of the order's claim, which is taken with the order; empty where it stands already. On a
    cluster a claim may lie in another slot than its order, and no script can reach both. Notice is given on `channel`,
    where it is not empty."""
    after, symbol = change.after, change.after.order.instrument
    order_id = after.order.order_id
    script_keys = (
        keys.order(symbol, order_id),
        keys.slices(symbol, order_id),
        keys.bars(symbol),
        keys.awaiting(symbol),
        keys.events(symbol),
        keys.sequence(symbol),
        keys.orders(symbol),
        keys.orders(symbol, after.status),
        keys.instrument(symbol),
        *([keys.claim(order_id)] if claim else []),
        *([keys.account_orders(symbol, after.order.account)] if after.order.account else []),
    )
    args: list[str | int] = [
        order_id,
        keys.bar_id(newest),
        mandate_text(after),
        *_state_and_slice(change),
        after.version,
        after.step,
        int(after.awaits_bars),
        keys.AWAITING_MAX,
        keys.EVENTS_KEPT,
        _terms(change)[1],
        name,
        claim,
        channel,
        symbol,
        *map(event_text, change.events),
    ]
    return Call(CREATE_ORDER, script_keys, args)


def replace_call(old: Change, new: Change, newest: datetime, name: str, claim: str, channel: str) -> Call:
    """`new` is created and `old` recorded, both or none. The rest as in `create_call`."""
    before, left, after, symbol = _before(old), old.after, new.after, new.after.order.instrument
    script_keys = (
        keys.order(symbol, left.order_id),
        keys.order(symbol, after.order_id),
        keys.slices(symbol, after.order_id),
        keys.bars(symbol),
        keys.awaiting(symbol),
        keys.events(symbol),
        keys.sequence(symbol),
        keys.orders(symbol),
        keys.orders(symbol, before.status),
        keys.orders(symbol, left.status),
        keys.orders(symbol, after.status),
        keys.instrument(symbol),
        *([keys.claim(after.order_id)] if claim else []),
        *([keys.account_orders(symbol, after.order.account)] if after.order.account else []),
    )
    args: list[str | int] = [
        *(left.order_id, before.version, before.step, left.version, state_text(left)),
        *(after.order_id, mandate_text(after), *_state_and_slice(new)),
        *(after.version, after.step, int(after.awaits_bars)),
        *(keys.bar_id(newest), _terms(new)[1], name, claim, channel, symbol, keys.EVENTS_KEPT),
        *map(event_text, (*old.events, *new.events)),
    ]
    return Call(REPLACE_ORDER, script_keys, args)


def pieces_of(changes: Sequence[Change]) -> list[Piece]:
    """In the order of `changes`."""
    return [
        Piece(symbol, revision, fence, chunk)
        for (symbol, revision, fence), group in groupby(changes, _terms)
        for chunk in _chunks(list(group))
    ]


def commit_call(piece: Piece, channel: str) -> Call:
    """Notice is given on `channel`, where it is not empty."""
    symbol = piece.symbol
    script_keys = [keys.awaiting(symbol), keys.events(symbol), keys.instrument(symbol)]
    args: list[str | int] = [keys.EVENTS_KEPT, piece.revision, piece.name, piece.fence, channel, symbol]
    for change in piece.changes:
        before = _before(change)
        script_keys += _keys(symbol, before, change)
        args += _args(before, change)
    return Call(COMMIT_ORDERS, script_keys, args)


def _terms(change: Change) -> tuple[str, str, str]:
    """The instrument's symbol, its revision and its fence as text: empty where the change does not depend on them."""
    revision = str(change.instrument.revision) if change.instrument else ""
    return change.after.order.instrument, revision, "" if change.fence is None else str(change.fence)


def _chunks(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    for first in range(0, len(changes), COMMIT_CHUNK):
        yield changes[first : first + COMMIT_CHUNK]


def _keys(symbol: str, before: OrderState, change: Change) -> Iterator[str]:
    after, order_id = change.after, change.after.order.order_id
    yield keys.order(symbol, order_id)
    if change.slice is not None:
        yield keys.slices(symbol, order_id)
    if change.fill is not None:
        yield keys.fills(symbol, after.chain_id)
    if after.status is not before.status:
        yield keys.orders(symbol, before.status)
        yield keys.orders(symbol, after.status)


def _args(before: OrderState, change: Change) -> list[str | int]:
    after, events, awaits = change.after, change.events, change.after.awaits_bars
    return [
        after.order.order_id,
        before.version,
        before.step,
        after.version,
        after.step,
        *_state_and_slice(change),
        "" if awaits is before.awaits_bars else int(awaits),
        int(after.status is not before.status),
        change.fill.execution_id if change.fill else "",
        fill_text(change.fill) if change.fill else "",
        len(events),
        *map(event_text, events),
    ]


def _state_and_slice(change: Change) -> tuple[str, str]:
    """A slice that the change adds is the order's newest, and is not written twice."""
    piece = change.slice
    if piece is None:
        return state_text(change.after), ""
    return state_text(change.after, newest_apart=True), slice_text(piece, change.after)


def _before(change: Change) -> OrderState:
    if change.before is None:
        raise AssertionError("a new order is created, not committed")
    return change.before
