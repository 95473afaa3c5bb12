"""What an order must find when it comes: steps in which it may trade, and volume for its participation limit."""

from __future__ import annotations

from datetime import datetime

from app.decision.chain import ChainReading
from app.decision.reach import lots_within_reach
from app.domain.errors import InvalidInput
from app.domain.numbers import EXACT, ZERO, lots_within, plain
from app.domain.order import Order
from app.domain.state import OrderState
from app.domain.steps_ahead import StepsAhead
from app.engine.instruments.avoided_windows import avoided_steps, steps_ahead
from app.engine.instruments.live import LiveInstrument

FORECAST_MULTIPLE_MAX = 2
"""Markets trade up to that many times what is expected of them, seldom more, over the steps of an order."""


def usable_steps(order: Order, live: LiveInstrument, opens: datetime, first: int = 1) -> StepsAhead | None:
    """The order's steps from `first` on, whose window opens then, where the order avoids some.

    Raises InvalidInput("no_sessions" | "no_usable_steps")."""
    limits = order.limits
    if not limits.avoids:
        return None
    name = "avoid_open_minutes" if limits.avoid_open_minutes else "avoid_close_minutes"
    if live.calendar.continuous:
        detail = f"{order.instrument} trades around the clock and has no sessions; leave {name} out"
        raise InvalidInput("no_sessions", detail, f"#/limits/{name}")
    steps = avoided_steps(order, live, opens, first)
    if steps is not None and not steps.usable:
        raise InvalidInput(
            "no_usable_steps",
            f"each of the order's {len(steps.avoided)} steps touches the first {limits.avoid_open_minutes or 0} "
            f"or the last {limits.avoid_close_minutes or 0} minutes of a session",
            f"#/limits/{name}",
        )
    return steps


def reach_of(state: OrderState, live: LiveInstrument, reading: ChainReading) -> int:
    """The lots that the order's steps without a slice can trade within its limits, at the volume that is expected."""
    unseen = live.windows_unseen(state.next_open, live.step_seconds_of(state.order))
    return lots_within_reach(reading, state, live.last.close, unseen, steps_ahead(state, live, state.next_open))


def require_within_reach(state: OrderState, reach: int) -> None:
    """Raises InvalidInput("participation_infeasible")."""
    most, order = FORECAST_MULTIPLE_MAX * reach, state.order
    left = lots_within(max(ZERO, EXACT.subtract(state.leaves, state.in_flight)), state.lot)
    if left > most:
        rest = f", of which {plain(EXACT.multiply(left, state.lot))} is left" if state.step else ""
        rate = plain(order.limits.max_participation_rate or ZERO)
        raise InvalidInput(
            "participation_infeasible",
            f"{order.size_mode} is {plain(order.size)}{rest}; at most {plain(EXACT.multiply(most, state.lot))} can be "
            f"traded in {order.horizon.max_steps - state.step} steps within max_participation_rate {rate}, were the "
            f"market to trade {FORECAST_MULTIPLE_MAX} times what is expected",
            "#/limits/max_participation_rate",
        )
