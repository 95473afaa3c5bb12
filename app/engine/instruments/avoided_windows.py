"""Which of an order's windows to come touch the minutes of a session that the order avoids."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.domain.order import Order
from app.domain.projection import Bound
from app.domain.slice import Window
from app.domain.state import OrderState
from app.domain.steps_ahead import StepsAhead
from app.engine.instruments.live import LiveInstrument


def steps_ahead(state: OrderState, live: LiveInstrument, opens: datetime) -> StepsAhead | None:
    """The order's steps without a slice, the first of which has the window that opens then; None where the order avoids
    nothing."""
    return avoided_steps(state.order, live, opens, state.step + 1)


def avoided_steps(order: Order, live: LiveInstrument, opens: datetime, first: int = 1) -> StepsAhead | None:
    """As `steps_ahead`, for the steps from `first` on."""
    count, step_seconds = order.horizon.max_steps - first + 1, live.step_seconds_of(order)
    if not order.limits.avoids or count <= 0:
        return None
    minutes = (order.limits.avoid_open_minutes or 0, order.limits.avoid_close_minutes or 0)
    known = live.avoided.get((opens, step_seconds, minutes), ())
    if len(known) < count:
        known = live.avoided[opens, step_seconds, minutes] = tuple(_bounds(live, opens, step_seconds, minutes, count))
    return StepsAhead(first, known[:count])


def _bounds(
    live: LiveInstrument, opens: datetime, step_seconds: int, minutes: tuple[int, int], count: int
) -> Iterator[Bound | None]:
    for _ in range(count):
        window, traded = live.traded_from(opens, step_seconds)
        yield _bound(traded, live.calendar.session(traded.start), minutes)
        opens = window.end


def _bound(traded: Window, session: tuple[datetime, datetime] | None, minutes: tuple[int, int]) -> Bound | None:
    """The limit that forbids to trade then, if any. A window that only ends where the minutes begin may trade."""
    if session is None:
        return None
    after_open, before_close = (timedelta(minutes=each) for each in minutes)
    if traded.start < session[0] + after_open:
        return Bound.AVOID_OPEN
    return Bound.AVOID_CLOSE if traded.end > session[1] - before_close else None
