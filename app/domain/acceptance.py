"""Checks of an order against its instrument and the market: the limit price must lie on the tick, and the size must be
one that this market could trade."""

from __future__ import annotations

from decimal import Decimal

from app.domain.errors import InvalidInput
from app.domain.instrument import Instrument
from app.domain.numbers import ZERO, lots_within, plain, require_on_tick
from app.domain.order import Order
from app.domain.sizing import amounts_at, lot_of, size_of

PLAUSIBLE_MULTIPLE_MAX = 100
"""An order may be that many times what the market trades in max_steps steps like its busiest recent one. Desks send
orders of a part of the volume: a larger size has its decimal point in the wrong place, or the wrong unit."""


def require_fitting(order: Order, instrument: Instrument, last_price: Decimal, busiest_volume: Decimal) -> None:
    """Raises InvalidInput("off_tick" | "above_max_order_notional" | "size_implausible").

    `busiest_volume` is the volume (base units) of the busiest recent step. Zero tells nothing of the market, since
    there are feeds without volumes: no size is implausible then. An instrument's own maximum stands instead of that
    check.
    """
    for name in ("limit_price", "finish_price"):
        price = getattr(order.limits, name)
        if price is not None:
            require_on_tick(name, price, instrument.tick_size, f"#/limits/{name}")
    if instrument.max_order_notional is not None:
        _require_within(order, instrument.max_order_notional, last_price)
    elif busiest_volume > ZERO:
        _require_plausible(order, instrument, last_price, busiest_volume)


def _require_within(order: Order, max_order_notional: Decimal, last_price: Decimal) -> None:
    worth = amounts_at(order.size_mode, order.size, last_price).notional
    if worth > max_order_notional:
        raise InvalidInput(
            "above_max_order_notional",
            f"the order is worth {plain(worth)}; the instrument allows at most {plain(max_order_notional)}",
            f"#/{order.size_mode}",
        )


def _require_plausible(order: Order, instrument: Instrument, last_price: Decimal, busiest_volume: Decimal) -> None:
    steps = order.horizon.max_steps
    limit = size_of(order.size_mode, PLAUSIBLE_MULTIPLE_MAX * steps * busiest_volume, last_price)
    if order.size > limit:
        lot = lot_of(order.size_mode, instrument)
        raise InvalidInput(
            "size_implausible",
            f"{order.size_mode} is {plain(order.size)}; it must be at most {plain(lots_within(limit, lot) * lot)}, "
            f"{PLAUSIBLE_MULTIPLE_MAX} times what the market trades in {steps} steps like its busiest recent one",
            f"#/{order.size_mode}",
        )
