"""When an order starts and how long its steps are, as far as its instrument's bars and calendar allow."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.domain.durations import DAY_SECONDS
from app.domain.errors import InvalidInput
from app.domain.order import AskedOrder
from app.engine.instruments.history import STEP_BARS_MAX
from app.engine.instruments.live import LiveInstrument

START_AHEAD_MAX = timedelta(days=300)
START_BEHIND_MAX = timedelta(minutes=1)
"""How long ago an order may start, or a step where that is longer: it was sent a moment ago, and starts now."""


def require_step(order: AskedOrder, live: LiveInstrument) -> int:
    """The order's step in seconds. Raises InvalidInput("step_seconds_unsupported") where bars cannot make it."""
    bar_seconds, step_seconds = live.instrument.bar_seconds, live.step_seconds_of(order)
    if step_seconds % bar_seconds or not 1 <= live.calendar.bars_in(step_seconds, bar_seconds) <= STEP_BARS_MAX:
        raise InvalidInput(
            "step_seconds_unsupported",
            f"step_seconds is {step_seconds}; it must be 1 to {STEP_BARS_MAX} bars of {bar_seconds} s",
            "#/horizon/step_seconds",
        )
    if step_seconds > DAY_SECONDS and not live.calendar.continuous:
        raise InvalidInput(
            "step_seconds_unsupported",
            f"step_seconds is {step_seconds}; at most {DAY_SECONDS}, a session, on {live.instrument.calendar}",
            "#/horizon/step_seconds",
        )
    return step_seconds


def require_known(live: LiveInstrument, opens: datetime, step_seconds: int, steps: int) -> None:
    """Raises InvalidInput("outside_calendar") where the calendar ends before the order's last window does."""
    for _ in range(0 if live.calendar.continuous else steps):
        window = live.window_from(opens, step_seconds)
        live.calendar.require_known(window.start)
        opens = window.end


def start_of(order: AskedOrder, now: datetime, step: timedelta) -> datetime:
    """When the order may start. Raises InvalidInput("start_time_too_far" | "start_time_past")."""
    start = order.start_time or now
    if start - now > START_AHEAD_MAX:
        raise InvalidInput(
            "start_time_too_far",
            f"start_time is {start.isoformat()}, more than {START_AHEAD_MAX.days} days after {now.isoformat()}",
            "#/start_time",
        )
    earliest = now - max(step, START_BEHIND_MAX)
    if start < earliest:
        raise InvalidInput(
            "start_time_past",
            f"start_time is {start.isoformat()}; it must be at least {earliest.isoformat()}. Leave it out to start now",
            "#/start_time",
        )
    return max(now, start)
