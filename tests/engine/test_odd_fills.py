"""Reports that cannot be true are refused; those that are only odd are booked, and said to be odd."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import InvalidInput
from app.domain.fills import FillWarning
from app.domain.order import Fills, Limits
from app.domain.state import OrderState
from tests.builders import a_fill, an_instrument, at, bars
from tests.engine.desk import Desk

HISTORY = 20


async def reported(desk: Desk, limit_price: str = "200") -> OrderState:
    """An order whose fills are reported, with its first slice."""
    await desk.feed(bars(HISTORY))
    limits = Limits(limit_price=Decimal(limit_price))
    return await desk.order(fills=Fills.REPORTED, min_steps=3, max_steps=4, limits=limits)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price": Decimal(100_000)}, "price_implausible"),
        ({"price": Decimal("0.1")}, "price_implausible"),
        ({"executed_at": datetime(2199, 1, 1, tzinfo=UTC)}, "executed_at_implausible"),
        ({"executed_at": datetime(1971, 1, 1, tzinfo=UTC)}, "executed_at_implausible"),
    ],
)
async def test_a_report_that_cannot_be_true_is_refused_and_changes_nothing(
    desk: Desk, changes: dict[str, Any], code: str
) -> None:
    order = await reported(desk)

    with pytest.raises(InvalidInput) as refused:
        await desk.engine.fills.report(order.order_id, a_fill(order, **changes))

    assert refused.value.code == code
    assert await desk.again(order) == order


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"quantity": Decimal("0.009")}, FillWarning.BELOW_LOT),
        ({"price": Decimal(130)}, FillWarning.FAR_FROM_MARKET),
        ({"price": Decimal(70)}, FillWarning.FAR_FROM_MARKET),
        ({"price": Decimal(111)}, FillWarning.BEYOND_LIMIT_PRICE),
        ({"executed_at": at(HISTORY - 1)}, FillWarning.OUTSIDE_WINDOW),
        ({"executed_at": at(HISTORY + 2)}, FillWarning.OUTSIDE_WINDOW),
    ],
)
async def test_an_odd_report_is_booked_with_a_warning(
    desk: Desk, changes: dict[str, Any], warning: FillWarning
) -> None:
    order = await reported(desk, "110" if warning is FillWarning.BEYOND_LIMIT_PRICE else "200")
    fill = a_fill(order, **({"quantity": Decimal("0.1")} | changes))

    booked = await desk.engine.fills.report(order.order_id, fill)

    assert booked.new
    assert booked.fill.warnings == (warning,)
    assert booked.order.filled == fill.quantity
    assert await desk.store.fill(order.order_id, fill.execution_id) == booked.fill
    assert desk.counts[f"fill {warning}"] == 1


async def test_a_report_is_booked_where_the_instrument_has_no_bars_any_more(desk: Desk) -> None:
    """Its bars have become longer: the old ones are dropped, and the new ones are still to come."""
    order = await reported(desk)
    assert order.current is not None
    await desk.engine.fills.close(order.order_id, 1)
    await desk.engine.orders.cancel(order.order_id)
    await desk.feed(bars(HISTORY + 1)[-1:])
    await desk.engine.instruments.put(an_instrument(bar_seconds=60))

    booked = await desk.engine.fills.report(order.order_id, a_fill(order, executed_at=order.current.window.start))
    again = await desk.engine.orders.cancel(order.order_id)

    assert (booked.order.filled, booked.fill.warnings) == (1, (FillWarning.OVER_FILLED,))
    assert again == booked.order
    with pytest.raises(InvalidInput):
        await desk.engine.fills.report(order.order_id, a_fill(order, execution_id="odd", price=Decimal(100_000)))


async def test_a_late_report_of_a_slice_that_was_given_back_may_not_come_from_the_future(desk: Desk) -> None:
    order = await reported(desk)
    await desk.engine.fills.close(order.order_id, 1)
    fill = a_fill(order, quantity=Decimal("0.1"), executed_at=at(HISTORY + 2))

    booked = await desk.engine.fills.report(order.order_id, fill)

    assert booked.fill.warnings == (FillWarning.OVER_FILLED, FillWarning.OUTSIDE_WINDOW)
