"""An order's schedule: what was done, what runs, and what its policy would do if the market stood still."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from app.decision.decide import Decision
from app.domain.numbers import ZERO
from app.domain.order import Fills, SizeMode
from app.domain.projection import Room, project
from app.domain.slice import Slice, Window
from app.domain.state import OrderState
from app.engine.results import Schedule, ScheduledStep, StepState

Ask = Callable[[OrderState], tuple[Room, Decision]]
"""What would be decided for a hypothetical state of the order at the newest bar, and what it permits."""

Windows = Callable[[datetime], Window]
"""The order's first window that opens at or after a time."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A step that may come: its share of the order if the order goes on, and the chance that it then ends there."""

    fraction: Decimal
    end_probability: float


def expected(working: OrderState, ask: Ask, price: Decimal) -> list[Expected]:
    """The rest of a live order, step by step, each on the state that the step before would leave; trades at `price`."""
    steps: list[Expected] = []
    state = _open_slices_traded(working, price)
    while state.step < state.order.horizon.max_steps and state.leaves >= state.lot:
        room, decision = ask(state)
        lots = project(room, decision.allocation, 0.0).lots
        ends = decision.stop_probability if decision.projection.stopping or room.step >= room.min_steps else 0.0
        steps.append(Expected(lots * state.lot / state.order.size, min(1.0, max(0.0, ends))))
        state = _traded(state, lots, price)
    return steps


def schedule_of(
    working: OrderState, slices: Sequence[Slice], rest: Sequence[Expected], window_from: Windows
) -> Schedule:
    """Put past and rest together; the chance to end at a step is that to get there times that to end there."""
    steps = [*_past(working, slices), *_projected(working, rest, window_from)]
    surviving, last = 1.0, len(steps) - 1
    for place, step in enumerate(steps):
        ends = surviving if place == last else surviving * step.end_probability
        steps[place] = replace(step, end_probability=ends)
        surviving -= ends
    return Schedule(order_id=working.order.order_id, status=working.status, steps=tuple(steps))


def _past(working: OrderState, slices: Sequence[Slice]) -> Iterator[ScheduledStep]:
    """The steps with slices. Where a window's bar is late, nothing is known yet to be executed in it."""
    for piece in slices[: working.step]:
        current = working.current is not None and piece.step == working.current.step
        yield ScheduledStep(
            step=piece.step,
            state=StepState.CURRENT if current else StepState.DONE,
            window=piece.window,
            fraction=piece.fraction,
            executed=working.executed[piece.step - 1],
            end_probability=1.0 if piece.final and piece.step == working.step else 0.0,
            slice=piece,
        )


def _projected(working: OrderState, rest: Sequence[Expected], window_from: Windows) -> Iterator[ScheduledStep]:
    opens = working.next_open
    for step, each in enumerate(rest, working.step + 1):
        window = window_from(opens)
        yield ScheduledStep(
            step=step,
            state=StepState.PROJECTED,
            window=window,
            fraction=each.fraction,
            executed=ZERO,
            end_probability=each.end_probability,
        )
        opens = window.end


def _open_slices_traded(working: OrderState, price: Decimal) -> OrderState:
    """The order once everything asked for is traded; it waits for no reports from then on."""
    state = _booked(working, working.in_flight, price)
    return replace(state, order=replace(state.order, fills=Fills.ASSUMED), current=None, overdue=())


def _traded(state: OrderState, lots: int, price: Decimal) -> OrderState:
    size = lots * state.lot
    return replace(_booked(state, size, price), asked=(*state.asked, lots), executed=(*state.executed, size))


def _booked(state: OrderState, size: Decimal, price: Decimal) -> OrderState:
    by_quantity = state.order.size_mode is SizeMode.QUANTITY
    return replace(
        state,
        filled_quantity=state.filled_quantity + (size if by_quantity else size / price),
        filled_notional=state.filled_notional + (size * price if by_quantity else size),
    )
