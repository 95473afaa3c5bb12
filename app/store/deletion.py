"""Deletes an instrument on which nothing stands, all of it in one script: its keys lie in one slot."""

from __future__ import annotations

from app.domain.errors import Conflict
from app.domain.lifecycle import LIVE, Status
from app.store import keys
from app.store.connection import Call, run, script
from app.store.gathering import GatheringRedis

DELETE_INSTRUMENT = script("delete_instrument")
IDS_TOLD = 5


async def delete_instrument(client: GatheringRedis, symbol: str, channel: str) -> bool | Conflict:
    """True when it is deleted, False where there is none, a refusal that names them where orders stand on it. Its bars
    and lists go; the records of orders that have ended stay, and are found by their ids. Notice of its owner's end is
    given on `channel`, where it is not empty."""
    live = sorted(LIVE)
    own = [keys.instrument(symbol), keys.awaiting(symbol), *(keys.orders(symbol, status) for status in live)]
    ended = [keys.orders(symbol, status) for status in sorted(set(Status) - LIVE)]
    going = [*ended, keys.orders(symbol), keys.bars(symbol), keys.revisions(symbol)]
    [answer] = await run(client, [Call(DELETE_INSTRUMENT, [*own, *going], (len(live), IDS_TOLD, channel, symbol))])
    if answer[0] == "in_use":
        _, standing, counts, ids = answer
        return Conflict("instrument_in_use", _stood_on(symbol, standing, dict(zip(live, counts, strict=True)), ids))
    return bool(answer[0] == "deleted")


def _stood_on(symbol: str, standing: int, live: dict[Status, int], ids: list[str]) -> str:
    """Such as "2 orders stand on A (1 working, 1 ended and still in flight): ID, ID"."""
    counts = {str(status): count for status, count in live.items()}
    counts["ended and still in flight"] = max(0, standing - sum(live.values()))
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    total = sum(counts.values())
    more = ", ..." if total > len(ids) else ""
    verb = "order stands" if total == 1 else "orders stand"
    return f"{total} {verb} on {symbol} ({told}): {', '.join(sorted(ids))}{more}; cancel them, or await their end"
