"""An order's schedule: what was done, what runs, and what is to be expected of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from app.decision.foresight import Foresight
from app.domain.numbers import EXACT, ZERO, ratio
from app.domain.slice import Slice, Window
from app.domain.state import OrderState
from app.engine.results import Schedule, ScheduledStep, StepState

WindowFrom = Callable[[datetime], Window]
"""The order's first window that opens at or after a time."""


def schedule_of(
    state: OrderState, slices: Sequence[Slice], rest: Foresight | None, window_from: WindowFrom, now: datetime
) -> Schedule:
    """Put past and rest together as of `now`. What the steps to come leave of the probability to end falls to the
    newest slice, and all of it where none is to come."""
    past = list(_past(state, slices, now))
    projected = list(_projected(state, rest, window_from)) if rest is not None else []
    if past and (rest is not None or not state.status.live):
        ends_later = sum(step.end_probability for step in projected)
        past[-1] = replace(past[-1], end_probability=max(0.0, 1.0 - ends_later))
    return Schedule(order_id=state.order_id, status=state.status, steps=(*past, *projected))


def _past(state: OrderState, slices: Sequence[Slice], now: datetime) -> Iterator[ScheduledStep]:
    """The steps with slices. Where a window's bar is late, nothing is known yet to be executed in it."""
    for piece in slices[: state.step]:
        running = state.current is not None and piece.step == state.current.step and piece.window.end > now
        yield ScheduledStep(
            step=piece.step,
            state=StepState.CURRENT if running else StepState.DONE,
            window=piece.window,
            fraction=_fraction(state, piece),
            executed=state.executed[piece.step - 1],
            end_probability=0.0,
            slice=piece,
        )


def _fraction(state: OrderState, piece: Slice) -> Decimal:
    """Of the whole order; where an earlier order has asked for the slice, its own fraction is of that order."""
    if piece.step >= state.first_own_step:
        return piece.fraction
    return ratio(EXACT.multiply(state.asked[piece.step - 1], state.lot), state.order.size)


def _projected(state: OrderState, rest: Foresight, window_from: WindowFrom) -> Iterator[ScheduledStep]:
    opens = state.next_open
    expected = zip(rest.lots.tolist(), rest.end_probability.tolist(), strict=True)
    for step, (lots, end_probability) in enumerate(expected, state.step + 1):
        window = window_from(opens)
        yield ScheduledStep(
            step=step,
            state=StepState.PROJECTED,
            window=window,
            fraction=Decimal(repr(lots)) * state.lot / state.order.size,
            executed=ZERO,
            end_probability=end_probability,
        )
        opens = window.end
