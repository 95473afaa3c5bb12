"""Orders with reported fills, as the tests of reports move them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.domain.order import Fills
from app.domain.reports import apply_fill
from app.domain.state import OrderState
from app.domain.transitions import close_window, take
from tests.builders import PRICE, a_bar, a_decided, a_fill, a_projection, a_window, an_order, an_order_state


def a_reported(**changes: Any) -> OrderState:
    """An order that trades what the OMS reports."""
    return an_order_state(an_order(fills=Fills.REPORTED, **changes))


def asked(state: OrderState, lots: int) -> OrderState:
    """The window before has closed, and the next step asks for `lots`."""
    closed = close_window(state, a_bar(state.step)) if state.current else state
    return take(closed, a_projection(lots), a_window(state.step), a_decided(), PRICE)


def filled(state: OrderState, quantity: str, *, step: int | None = None, price: Decimal | int = PRICE) -> OrderState:
    """The OMS reports so much of the slice of `step`, by default the newest."""
    slice_id = f"{state.order_id}-{step or state.step}"
    return apply_fill(state, a_fill(state, quantity=Decimal(quantity), price=Decimal(price), slice_id=slice_id))
