"""An order's schedule: what was done, what runs, and what its policy would do if the market stood still."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from app.decision.decide import Decision
from app.domain.numbers import ZERO
from app.domain.order import Fills
from app.domain.projection import Room, project
from app.domain.sizing import amounts_at
from app.domain.slice import Slice, Window
from app.domain.state import OrderState
from app.engine.results import Schedule, ScheduledStep, StepState

Ask = Callable[[OrderState], tuple[Room, Decision]]
"""What would be decided for a hypothetical state of the order at the newest bar, and what that state permits."""

WindowFrom = Callable[[datetime], Window]
"""The order's first window that opens at or after a time."""


@dataclass(frozen=True, slots=True)
class ExpectedStep:
    """A step that may come: its share of the order if the order goes on, and the chance that the order then ends
    there."""

    fraction: Decimal
    end_probability: float


def expected(state: OrderState, ask: Ask, price: Decimal) -> list[ExpectedStep]:
    """The rest of a live order, step by step, each on the state that the step before would leave; trades at `price`."""
    steps: list[ExpectedStep] = []
    state = _open_slices_traded(state, price)
    while not state.at_last_step and state.leaves >= state.lot:
        room, decision = ask(state)
        lots = project(room, decision.judgement.allocation, 0.0).lots
        may_end = decision.projection.stopping or room.step >= room.min_steps
        ends = decision.judgement.stop_probability if may_end else 0.0
        steps.append(ExpectedStep(lots * state.lot / state.order.size, min(1.0, max(0.0, ends))))
        state = _traded(state, lots, price)
    return steps


def schedule_of(
    state: OrderState, slices: Sequence[Slice], rest: Sequence[ExpectedStep], window_from: WindowFrom
) -> Schedule:
    """Put past and rest together; the chance to end at a step is that to get there times that to end there."""
    steps = [*_past(state, slices), *_projected(state, rest, window_from)]
    surviving, last = 1.0, len(steps) - 1
    for index, step in enumerate(steps):
        ends = surviving if index == last else surviving * step.end_probability
        steps[index] = replace(step, end_probability=ends)
        surviving -= ends
    return Schedule(order_id=state.order_id, status=state.status, steps=tuple(steps))


def _past(state: OrderState, slices: Sequence[Slice]) -> Iterator[ScheduledStep]:
    """The steps with slices. Where a window's bar is late, nothing is known yet to be executed in it."""
    for piece in slices[: state.step]:
        current = state.current is not None and piece.step == state.current.step
        yield ScheduledStep(
            step=piece.step,
            state=StepState.CURRENT if current else StepState.DONE,
            window=piece.window,
            fraction=piece.fraction,
            executed=state.executed[piece.step - 1],
            end_probability=1.0 if piece.final and piece.step == state.step else 0.0,
            slice=piece,
        )


def _projected(state: OrderState, rest: Sequence[ExpectedStep], window_from: WindowFrom) -> Iterator[ScheduledStep]:
    opens = state.next_open
    for step, each in enumerate(rest, state.step + 1):
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


def _open_slices_traded(state: OrderState, price: Decimal) -> OrderState:
    """The order once everything asked for is traded; it waits for no reports from then on."""
    traded = _booked(state, state.in_flight, price)
    return replace(traded, order=replace(traded.order, fills=Fills.ASSUMED), current=None, overdue=())


def _traded(state: OrderState, lots: int, price: Decimal) -> OrderState:
    size = lots * state.lot
    return replace(_booked(state, size, price), asked=(*state.asked, lots), executed=(*state.executed, size))


def _booked(state: OrderState, size: Decimal, price: Decimal) -> OrderState:
    amounts = amounts_at(state.order.size_mode, size, price)
    return replace(
        state,
        filled_quantity=state.filled_quantity + amounts.quantity,
        filled_notional=state.filled_notional + amounts.notional,
    )
