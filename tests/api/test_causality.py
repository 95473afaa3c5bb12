"""What comes later changes nothing that was decided before: the same proof as on the ONNX files, on the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from app.domain.bar import Bar
from tests.api.wire import HISTORY, Json, bars_json, next_slice, prepared, sent
from tests.builders import bars

COMMON = bars(3, first=HISTORY, seed=1)
"""Bars after the order that both futures share."""

PROPOSED = ("step", "window", "quantity", "notional", "allocation", "stop_probability", "decided_on")


async def slices_over(client: httpx.AsyncClient, symbol: str, later: Sequence[Bar], **order: Any) -> list[Json]:
    """The slices of one order while `later` comes in, as far as they say what was decided."""
    await prepared(client, symbol=symbol)
    order_id = (await sent(client, client_order_id=symbol, instrument=symbol, **order))["order_id"]
    found: list[Json] = []
    for bar in later:
        piece = (await next_slice(client, order_id))["slice"]
        if piece is None:
            break
        found.append({name: piece[name] for name in PROPOSED})
        await client.post("/v1/bars", json=bars_json([bar], symbol))
    return found


@pytest.mark.parametrize("size", [{"quantity": "10"}, {"quantity": None, "notional": "1000"}])
async def test_two_futures_that_part_after_a_bar_share_every_slice_decided_by_then(
    client: httpx.AsyncClient, size: Json
) -> None:
    horizon = {"min_steps": 12, "max_steps": 12}
    first = bars(6, first=HISTORY + len(COMMON), seed=2)
    other = bars(6, first=HISTORY + len(COMMON), seed=3)

    one = await slices_over(client, "ONE", [*COMMON, *first], horizon=horizon, **size)
    two = await slices_over(client, "TWO", [*COMMON, *other], horizon=horizon, **size)

    shared = len(COMMON) + 1  # the first slice is decided before the first of the common bars
    assert one[:shared] == two[:shared]
    assert one[shared] != two[shared]


async def test_later_bars_leave_the_recorded_slices_as_they_were(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order_id = (await sent(client, horizon={"min_steps": 12, "max_steps": 12}))["order_id"]
    await client.post("/v1/bars", json=bars_json(COMMON))
    before = (await client.get(f"/v1/orders/{order_id}/schedule")).json()["steps"]

    await client.post("/v1/bars", json=bars_json(bars(5, first=HISTORY + len(COMMON), seed=2)))
    after = (await client.get(f"/v1/orders/{order_id}/schedule")).json()["steps"]

    decided = len(COMMON) + 1
    assert [step["slice"] for step in after[:decided]] == [step["slice"] for step in before[:decided]]
