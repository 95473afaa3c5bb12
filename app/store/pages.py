"""Pages of order ids over all instruments: by symbol, then by sequence of acceptance. New orders never shift a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from app.domain.errors import InvalidInput, Unavailable
from app.domain.instrument import SYMBOL
from app.domain.lifecycle import Status
from app.store import keys
from app.store.gathering import GatheringRedis
from app.store.unreadable import Kind, Unreadable

Found = list[tuple[str, list[str]]]
"""Order ids by symbol."""
CURSOR = re.compile(rf"(?P<sequence>[0-9]{{1,15}})\.(?P<symbol>{SYMBOL.pattern})")
"""The store keeps scores as doubles, which are exact up to fifteen digits."""
LOOKED_AT_ONCE = 1_000
"""Orders of an account that are asked for their status in one round trip."""


async def page(
    client: GatheringRedis,
    unreadable: Unreadable,
    symbols: Sequence[str],
    status: Status | None,
    limit: int,
    cursor: str | None,
    account: str | None = None,
) -> tuple[Found, str | None]:
    """At most `limit` ids behind `cursor`, and the cursor for the rest. Raises InvalidInput("bad_cursor")."""
    from_symbol, after = _read(cursor) if cursor else ("", 0)
    found: Found = []
    left = limit
    for symbol in symbols:
        if symbol < from_symbol:
            continue
        minimum = f"({after}" if symbol == from_symbol else "-inf"
        try:
            entries = await _entries(client, unreadable, symbol, status, account, minimum, left + 1)
        except Unavailable:  # the orders of the other instruments are no less there
            continue
        found.append((symbol, [order_id for order_id, _ in entries[:left]]))
        if len(entries) > left:
            last = entries[left - 1][1] if left else (after if symbol == from_symbol else 0)
            return found, _cursor(symbol, last)
        left -= len(entries)
    return found, None


async def _entries(
    client: GatheringRedis,
    unreadable: Unreadable,
    symbol: str,
    status: Status | None,
    account: str | None,
    minimum: str,
    count: int,
) -> list[tuple[str, float]]:
    """The first `count` order ids from `minimum` on, with their sequences."""
    if account is None:
        return await _range(client, unreadable, keys.orders(symbol, status), minimum, count)
    own = keys.account_orders(symbol, account)
    if status is None:
        return await _range(client, unreadable, own, minimum, count)
    found: list[tuple[str, float]] = []
    in_status = keys.orders(symbol, status)
    while len(found) < count:
        looked_at = await _range(client, unreadable, own, minimum, LOOKED_AT_ONCE)
        if looked_at:
            with unreadable.understanding(Kind.INSTRUMENT, in_status):
                scores: Any = await client.zmscore(in_status, [order_id for order_id, _ in looked_at])
            found += [entry for entry, score in zip(looked_at, scores, strict=True) if score is not None]
            minimum = f"({int(looked_at[-1][1])}"
        if len(looked_at) < LOOKED_AT_ONCE:
            break
    return found[:count]


async def _range(
    client: GatheringRedis, unreadable: Unreadable, key: str, minimum: str, count: int
) -> list[tuple[str, float]]:
    with unreadable.understanding(Kind.INSTRUMENT, key):
        entries: Any = await client.zrange(key, minimum, "+inf", byscore=True, offset=0, num=count, withscores=True)
    return [(order_id, score) for order_id, score in entries]


def _cursor(symbol: str, sequence: float) -> str:
    return f"{int(sequence)}.{symbol}"


def _read(cursor: str) -> tuple[str, int]:
    found = CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidInput("bad_cursor", "the cursor is not one that a page gave")
    return found["symbol"], int(found["sequence"])
