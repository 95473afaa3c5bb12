"""What users of other engines complain of: orders that are lost, or become two."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.api.wire import order_json
from tests.complaints.oms import Oms, an_oms, asked, steps


async def test_a_restart_drops_no_running_order(tmp_path: Path) -> None:
    async with an_oms(tmp_path) as oms:
        assumed, reported = await oms.sent(), await oms.sent(client_order_id="oms-2", fills="reported")
        await oms.bars_close(3)
        before = [await oms.shown(order) for order in (assumed, reported)]

    async with an_oms(tmp_path, closed=3) as oms:
        after = [await oms.shown(order) for order in (assumed, reported)]
        await oms.bars_close(9)
        ended = await oms.shown(assumed)
        slices = await oms.slices(assumed)

    assert after == before
    assert (ended["status"], ended["filled_quantity"]) == ("completed", "10")
    assert [piece["step"] for piece in slices] == list(range(1, 13))


async def test_a_time_out_that_is_retried_becomes_no_second_order(oms: Oms) -> None:
    body = order_json(horizon=steps(12))

    first, second = await asyncio.gather(*[oms.client.post("/v1/orders", json=body) for _ in range(2)])
    await oms.bars_close(2)
    late = await oms.client.post("/v1/orders", json=body)

    assert {first.status_code, second.status_code} == {200, 201}
    assert late.status_code == 200
    assert len({answer.json()["order_id"] for answer in (first, second, late)}) == 1
    assert len((await oms.client.get("/v1/orders")).json()["orders"]) == 1
    await oms.bars_close(10)
    assert asked(await oms.slices(late.json())) == 10
