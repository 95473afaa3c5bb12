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


async def page(
    client: GatheringRedis,
    unreadable: Unreadable,
    symbols: Sequence[str],
    status: Status | None,
    limit: int,
    cursor: str | None,
) -> tuple[Found, str | None]:
    """At most `limit` ids behind `cursor`, and the cursor for the rest. Raises InvalidInput("bad_cursor")."""
    from_symbol, after = _read(cursor) if cursor else ("", 0)
    found: Found = []
    left = limit
    for symbol in symbols:
        if symbol < from_symbol:
            continue
        minimum = f"({after}" if symbol == from_symbol else "-inf"
        key = keys.orders(symbol, status)
        try:
            with unreadable.understanding(Kind.INSTRUMENT, key):
                entries: Any = await client.zrange(
                    key, minimum, "+inf", byscore=True, offset=0, num=left + 1, withscores=True
                )
        except Unavailable:  # the orders of the other instruments are no less there
            continue
        found.append((symbol, [order_id for order_id, _ in entries[:left]]))
        if len(entries) > left:
            last = entries[left - 1][1] if left else (after if symbol == from_symbol else 0)
            return found, _cursor(symbol, last)
        left -= len(entries)
    return found, None


def _cursor(symbol: str, sequence: float) -> str:
    return f"{int(sequence)}.{symbol}"


def _read(cursor: str) -> tuple[str, int]:
    found = CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidInput("bad_cursor", "the cursor is not one that a page gave")
    return found["symbol"], int(found["sequence"])
