"""Which orders a cost analysis looks at."""

from __future__ import annotations

from app.domain.lifecycle import StopReason
from app.domain.transitions import close_window, take
from app.engine.analyses import WantedOrders
from tests.builders import PRICE, a_bar, a_decided, a_projection, a_window, an_order_state


def test_orders_whose_windows_all_lie_before_a_span_need_not_be_read() -> None:
    """However many they are: they do not count among those that one answer holds."""
    projection = a_projection(1000, stopping=True, final=True, stop_reason=StopReason.MODEL)
    window = a_window()
    ended = close_window(take(an_order_state(), projection, window, a_decided(), PRICE), a_bar(0))

    assert WantedOrders(started_from=window.start).fits_order(ended)
    assert not WantedOrders(started_from=window.end).fits_order(ended)
