"""Who took a client_order_id first.

A claim is taken by the script that records its order. Earlier releases took it before, and so does whoever finds
another claim in the way: such a claim may stand without an order. Where its order is refused it is marked, and gives
way to another order as long as no order came of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.engine.ports import Claim
from app.store import codec, keys
from app.store.connection import Call, run, script
from app.store.gathering import GatheringRedis

REPLACE_CLAIM = script("replace_claim")


async def take(client: GatheringRedis, order_id: str, own: Claim) -> Claim:
    """Whose the id is now: `own`, or an earlier claim."""
    earlier: Any = await client.set(keys.claim(order_id), codec.claim_text(own), nx=True, get=True)
    if not earlier:
        return own
    claim = codec.claim_from(earlier)
    if claim.digest == own.digest or not await _gives_way(client, order_id, claim):
        return claim
    taken = await _replaced(client, order_id, claim, own)
    return own if taken else await take(client, order_id, own)


async def standing(client: GatheringRedis, order_id: str) -> Claim | None:
    """The claim that has an order, or is to get one."""
    line: Any = await client.get(keys.claim(order_id))
    claim = codec.claim_from(line) if line else None
    return None if claim is None or await _gives_way(client, order_id, claim) else claim


async def mark_refused(client: GatheringRedis, order_id: str, own: Claim) -> None:
    """The order was refused. Nothing happens where the claim is another order's, or marked already."""
    await _replaced(client, order_id, own, replace(own, refused=True))


async def _gives_way(client: GatheringRedis, order_id: str, claim: Claim) -> bool:
    return claim.refused and not await client.exists(keys.order(claim.instrument, order_id))


async def _replaced(client: GatheringRedis, order_id: str, old: Claim, new: Claim) -> bool:
    texts = (codec.claim_text(old), codec.claim_text(new))
    [answer] = await run(client, [Call(REPLACE_CLAIM, (keys.claim(order_id),), texts)])
    return bool(answer)
