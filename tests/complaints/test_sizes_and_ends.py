"""What users of other engines complain of: sizes that do not come out even, and slices after the end."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.api.wire import HISTORY, order_json
from tests.builders import bars
from tests.complaints.oms import Oms, an_oms, steps


async def test_an_order_of_fewer_lots_than_steps_is_traded_whole(oms: Oms) -> None:
    order = await oms.sent(quantity="0.05")

    await oms.bars_close(12)

    slices = await oms.slices(order)
    executed = [Decimal(piece["executed"]) for piece in slices]
    assert all(size % Decimal("0.01") == 0 for size in executed)
    assert sum(executed) == Decimal("0.05")
    assert (await oms.shown(order))["status"] == "completed"


async def test_a_last_remainder_under_the_minimum_is_traded_with_the_slice_before_it(tmp_path: Path) -> None:
    async with an_oms(tmp_path, min_notional="200") as oms:
        order = await oms.sent(quantity="7.01")
        await oms.bars_close(12)

        traded = [size for piece in await oms.slices(order) if (size := Decimal(piece["quantity"]))]
        ended = await oms.shown(order)

    assert len(traded) > 1
    assert min(traded) > Decimal("1.9"), "200 at prices of 100 and a little more"
    assert (ended["status"], ended["filled_quantity"]) == ("completed", "7.01")


async def test_a_size_just_at_the_minimum_is_taken_and_one_below_it_is_refused(tmp_path: Path) -> None:
    close = bars(HISTORY)[-1].close
    async with an_oms(tmp_path, min_notional=f"{close}") as oms:
        order = await oms.sent(quantity="1")
        below = await oms.client.post("/v1/orders", json=order_json(client_order_id="oms-2", quantity="0.99"))
        await oms.bars_close(12)
        ended = await oms.shown(order)

    assert (below.status_code, below.json()["code"]) == (422, "below_min_notional")
    assert (ended["status"], ended["filled_quantity"]) == ("completed", "1")


@pytest.mark.parametrize("fills", ["assumed", "reported"])
async def test_no_slice_is_sent_after_the_stop_or_after_the_end(oms: Oms, fills: str) -> None:
    order = await oms.sent(fills=fills, horizon=steps(6, least=1))
    if fills == "reported":
        await oms.trades_all(order)
    else:
        await oms.bars_close(6)
    ended, slices = await oms.shown(order), await oms.slices(order)

    await oms.bars_close(4)

    assert ended["status"] == "completed"
    assert await oms.offered(order) is None
    assert await oms.slices(order) == slices
    last = max(piece["step"] for piece in slices if Decimal(piece["executed"]))
    assert all(piece["quantity"] == "0" for piece in slices[last:])


async def test_no_slice_is_sent_after_a_cancel(oms: Oms) -> None:
    order = await oms.sent()
    await oms.bars_close(2)
    await oms.client.post(f"/v1/orders/{order['order_id']}/cancel")
    slices = await oms.slices(order)

    await oms.bars_close(4)

    assert await oms.offered(order) is None
    assert [piece["slice_id"] for piece in await oms.slices(order)] == [piece["slice_id"] for piece in slices]
