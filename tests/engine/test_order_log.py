"""What happens to an order is a line of the log each, at `info`."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

import pytest

from app.domain.numbers import plain
from app.domain.order import Fills
from tests.builders import a_fill, bars
from tests.engine.desk import Desk, a_desk
from tests.engine.policies import Failing, Reader

HISTORY = 20
FIELDS = ("order_id", "slice_id", "quantity", "basis", "reason", "status", "execution_id", "instrument", "leaves")


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any]]]:
    return [
        (record.msg, {name: getattr(record, name) for name in FIELDS if hasattr(record, name)})
        for record in caplog.records
    ]


async def test_an_orders_way_from_the_door_to_its_end_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="app.engine")
    await desk.feed(bars(HISTORY))

    order = await desk.order(max_steps=2, min_steps=2)
    await desk.feed_one_by_one(bars(HISTORY + 2)[HISTORY:])

    told, slices = lines(caplog), await desk.slices(order)
    assert [event for event, _ in told] == ["order accepted", "slice committed", "slice committed", "order ended"]
    assert {fields["order_id"] for _, fields in told} == {order.order_id}
    assert [fields["slice_id"] for _, fields in told[1:3]] == [piece.slice_id for piece in slices]
    assert [Decimal(fields["quantity"]) for _, fields in told[1:3]] == [piece.quantity for piece in slices]
    assert told[0][1] == {"order_id": order.order_id, "instrument": "BTC-USDT", "quantity": "10"}
    assert told[1][1]["basis"] == "model"
    assert told[3][1] == {"order_id": order.order_id, "status": "completed", "reason": "max_steps", "leaves": "0"}


async def test_a_fallback_is_logged_with_its_reason(store_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="app.engine")
    async with a_desk(store_url, policies=[Failing(), Reader()]) as desk:
        await desk.feed(bars(HISTORY))
        order = await desk.order()

    [(_, fields)] = [line for line in lines(caplog) if line[0] == "fallback"]
    assert fields == {
        "order_id": order.order_id,
        "slice_id": f"{order.order_id}-1",
        "reason": "policy_failed: RuntimeError",
    }


async def test_a_fill_and_a_cancel_are_logged_once(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(fills=Fills.REPORTED)
    caplog.set_level(logging.INFO, logger="app.engine")

    for _ in range(2):
        await desk.engine.fills.report(order.order_id, a_fill(order, quantity=Decimal("0.10")))
        await desk.engine.orders.cancel(order.order_id)

    booked, ended = lines(caplog)
    assert booked == (
        "fill booked",
        {"order_id": order.order_id, "slice_id": f"{order.order_id}-1", "execution_id": "exec-1", "quantity": "0.1"},
    )
    assert (ended[0], ended[1]["status"], ended[1]["leaves"]) == ("order ended", "cancelled", "9.9")


async def test_nothing_of_an_order_is_formatted_where_nobody_reads_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """At the default level a bar with a thousand orders pays nothing for the log."""
    caplog.set_level(logging.WARNING, logger="app.engine")
    monkeypatch.setattr("app.engine.stages.order_log.plain", lambda value: pytest.fail(plain(value)))
    await desk.feed(bars(HISTORY))

    await desk.order()

    assert caplog.records == []
