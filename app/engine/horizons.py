"""A horizon in time, counted in steps when its order is accepted: the trading windows from the order's first one on.

A step belongs to the horizon where it ends at `latest_end` or before. The order may end with the step in which
`earliest_end` lies, or, where nobody trades then, with the last step before it: an order of a whole day may name 16:00
on a day that closes at 13:00. A step of daily bars lasts from the open of its session to its close.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from app.domain.errors import InvalidInput
from app.domain.order import HorizonInTime, Order, OrderInTime
from app.domain.slice import Window
from app.engine.instruments.live import LiveInstrument

STEPS_COUNTED_MAX = 1_000
"""Nobody needs to know by how much more than that a horizon is too long."""
LATEST_END = "#/horizon/latest_end"


def in_steps(order: OrderInTime, live: LiveInstrument, first_open: datetime, steps_max: int) -> Order:
    """The order with its steps counted; its first window opens at `first_open`, and the model decides `steps_max` of
    them at most.

    Raises InvalidInput("horizon_too_short" | "horizon_too_long" | "outside_calendar").
    """
    horizon = order.horizon
    begun, ends, counted_max = 0, list[datetime](), max(steps_max, STEPS_COUNTED_MAX)
    for window in _traded(live, first_open, live.step_seconds_of(order)):
        if window.end > horizon.latest_end:
            _require_an_end(horizon, window, ends)
            break
        if len(ends) > counted_max:
            break
        _require_known(live, window)
        ends.append(window.end)
        begun += window.start < horizon.earliest_end
    if len(ends) > steps_max:
        raise _too_long(horizon, ends, steps_max)
    return order.in_steps(max(begun, 1), len(ends))


def _traded(live: LiveInstrument, first_open: datetime, step_seconds: int) -> Iterator[Window]:
    """When is traded in each of the windows."""
    while True:
        window, traded = live.traded_from(first_open, step_seconds)
        yield traded
        first_open = window.end


def _require_known(live: LiveInstrument, window: Window) -> None:
    try:
        live.calendar.require_known(window.start)
    except InvalidInput as error:
        error.with_pointer(LATEST_END)
        raise


def _require_an_end(horizon: HorizonInTime, after: Window, ends: list[datetime]) -> None:
    """Raises InvalidInput("horizon_too_short") where no step ends within the horizon; `after` is the step after it."""
    if not ends:
        raise InvalidInput(
            "horizon_too_short",
            f"latest_end is {horizon.latest_end.isoformat()}; it must be at least {after.end.isoformat()}, "
            f"the end of the first step, which begins at {after.start.isoformat()}",
            LATEST_END,
        )
    if after.start < horizon.earliest_end:
        raise InvalidInput(
            "horizon_too_short",
            f"no step ends from earliest_end {horizon.earliest_end.isoformat()} to latest_end "
            f"{horizon.latest_end.isoformat()}: one ends at {ends[-1].isoformat()} and the next one at "
            f"{after.end.isoformat()}",
            LATEST_END,
        )


def _too_long(horizon: HorizonInTime, ends: list[datetime], steps_max: int) -> InvalidInput:
    count = f"more than {STEPS_COUNTED_MAX}" if len(ends) > STEPS_COUNTED_MAX else str(len(ends))
    return InvalidInput(
        "horizon_too_long",
        f"latest_end is {horizon.latest_end.isoformat()}, after {count} steps; the model decides at most {steps_max}, "
        f"the last of which ends at {ends[steps_max - 1].isoformat()}",
        LATEST_END,
    )
