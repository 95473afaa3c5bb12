"""Checks of a reported fill: nonsense in its price or its time is refused, and what is odd is booked with a warning. No
fill is refused for its size. A bar that moves oddly is taken and counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from app.domain.bar import Bar
from app.domain.errors import InvalidInput
from app.domain.fills import Fill, FillWarning
from app.domain.numbers import EXACT
from app.domain.state import OrderState, beyond_limit

PRICE_FACTOR_MAX = 10
"""A price that many times the last close, or a fraction of it as small, is in another unit or another instrument's."""
PRICE_APART_ODD = Decimal("0.25")
YEARS_APART_MAX = timedelta(days=3_660)
"""Ten years: under the clock of the bars, old bars may be traded with today's times. Beyond that the year is wrong."""
CLOCK_SKEW = timedelta(seconds=5)
"""How far the clock of a feed or an OMS may run ahead of ours, or behind it."""


def require_plausible(fill: Fill, last_price: Decimal, newest: datetime) -> None:
    """`newest` is the latest time that the order knows of. Raises InvalidInput("price_implausible" |
    "executed_at_implausible")."""
    dearest, cheapest = EXACT.multiply(last_price, PRICE_FACTOR_MAX), EXACT.multiply(fill.price, PRICE_FACTOR_MAX)
    if fill.price > dearest or cheapest < last_price:
        raise InvalidInput(
            "price_implausible",
            f"price is {fill.price}; it must be within {PRICE_FACTOR_MAX} times the last close of {last_price}",
            "#/price",
        )
    if abs(fill.executed_at - newest) > YEARS_APART_MAX:
        raise InvalidInput(
            "executed_at_implausible",
            f"executed_at is {fill.executed_at.isoformat()}, years away from {newest.isoformat()}",
            "#/executed_at",
        )


def moves_implausibly(bar: Bar, last_close: Decimal) -> bool:
    """Whether the bar trades more than a quarter away from the close before it: a split, a point in the wrong place, or
    a market that is worth a look."""
    apart = max(EXACT.subtract(bar.high, last_close), EXACT.subtract(last_close, bar.low))
    return apart > EXACT.multiply(last_close, PRICE_APART_ODD)


def warnings_of(
    before: OrderState, after: OrderState, fill: Fill, last_price: Decimal, newest: datetime
) -> tuple[FillWarning, ...]:
    """What is odd about `fill`, which leads from `before` to `after`."""
    return tuple(_warnings(before, after, fill, last_price, newest))


def _warnings(
    before: OrderState, after: OrderState, fill: Fill, last_price: Decimal, newest: datetime
) -> Iterator[FillWarning]:
    if after.over_filled != before.over_filled:
        yield FillWarning.OVER_FILLED
    if fill.quantity < before.base_lot:
        yield FillWarning.BELOW_LOT
    if beyond_limit(before.order, fill.price):
        yield FillWarning.BEYOND_LIMIT_PRICE
    apart = EXACT.abs(EXACT.subtract(fill.price, last_price))
    if apart > EXACT.multiply(last_price, PRICE_APART_ODD):
        yield FillWarning.FAR_FROM_MARKET
    if _outside_window(before, fill, newest):
        yield FillWarning.OUTSIDE_WINDOW


def _outside_window(before: OrderState, fill: Fill, newest: datetime) -> bool:
    """The window of a slice that is no longer in flight is not known any more: then only the future is odd."""
    step = before.step_of(fill.slice_id)
    for due in before.reports_due:
        if due.step == step:
            return not due.window.start - CLOCK_SKEW <= fill.executed_at <= due.window.end + CLOCK_SKEW
    return fill.executed_at > newest + CLOCK_SKEW
