"""What holds of every order with reported fills, however its slices, reports, revisions, closes, pauses and its cancel
follow each other.

Reports come in time and late, in part and beyond their slice, at prices and quantities of twelve decimals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Context, Decimal
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from app.domain.fills import Fill
from app.domain.lifecycle import Move, Status, permits
from app.domain.numbers import lots_within
from app.domain.order import Fills, Order, SizeMode
from app.domain.projection import project
from app.domain.reports import apply_fill, close_slice, give_back, revise_fill
from app.domain.state import OrderState, room
from app.domain.transitions import cancel, close_window, give_up, pause, resume, take
from app.engine.changes import change
from tests.builders import PRICE, a_bar, a_decided, a_fill, a_window, an_instrument, an_order, an_order_state, at

WIDE = Context(prec=400)
DIGIT = Decimal("1e-12")
NUMBER_MAX = 10**9
NUMBERS = st.integers(0, NUMBER_MAX)
"""What an action does with a number is its own affair: a step, a proposal, a part of a slice."""


@dataclass
class Life:
    """An order, the bars that it has seen, what was reported of it, and what of its slices is in flight, by step."""

    state: OrderState
    bars: int = 0
    quantity: Decimal = Decimal(0)
    notional: Decimal = Decimal(0)
    flights: dict[int, Decimal] = field(default_factory=dict)
    given_back_at: dict[int, datetime] = field(default_factory=dict)
    booked: list[Fill] = field(default_factory=list)

    @property
    def in_flight(self) -> Decimal:
        return reduce(WIDE.add, self.flights.values(), Decimal(0))

    @property
    def unasked(self) -> Decimal:
        filled = self.quantity if self.state.order.size_mode is SizeMode.QUANTITY else self.notional
        return max(Decimal(0), WIDE.subtract(WIDE.subtract(self.state.order.size, filled), self.in_flight))

    def moved(self, after: OrderState) -> None:
        """Record the next state as the engine does, which refuses what must not be."""
        if after is not self.state:
            self.state = change(self.state, after).after

    def bar(self, allocation: int, stop: int) -> None:
        """A bar closes, and the order asks for its next slice where it may: never for more than is left."""
        self.bars += 1
        self.flights = {step: rest for step, rest in self.flights.items() if self.given_back_at[step] >= at(self.bars)}
        state = self.state
        if state.oldest_open is not None:
            state = close_window(state, a_bar(self.bars - 1))
        state = give_up(give_back(state, at(self.bars)))
        if permits(state.status, Move.SLICE) and not state.at_last_step:
            projection = project(room(state, PRICE, None), allocation / NUMBER_MAX, stop / NUMBER_MAX)
            state = take(state, projection, a_window(self.bars), a_decided(), PRICE)
            assert projection.lots <= lots_within(self.unasked, state.lot)
            delay = state.order.report_delay_seconds
            self.flights[state.step] = projection.lots * state.lot
            self.given_back_at[state.step] = at(self.bars + 1) + timedelta(seconds=900 if delay is None else delay)
        self.moved(state)

    def report(self, which: int, percent: int) -> None:
        """A fill of any slice, in part or of more than it asked for."""
        if not self.state.step:
            return
        step = 1 + which % self.state.step
        price = 90 + (which % 10**7) * Decimal("2.000000000001e-6")
        asked = self.state.asked[step - 1] * self.state.lot
        size = asked / price if self.state.order.size_mode is SizeMode.NOTIONAL else asked
        quantity = WIDE.quantize(size * (percent % 150) / 100, DIGIT) + (1 + which % 9) * DIGIT
        fill = a_fill(self.state, slice_id=f"{self.state.order_id}-{step}", quantity=quantity, price=price)
        self.booked.append(fill)
        self.moved(apply_fill(self.state, fill))
        self.count(step)

    def count(self, step: int) -> None:
        """All amounts anew from what is booked. What is made up once is not in flight again."""
        valid = [fill for fill in self.booked if not fill.busted]
        notionals = [WIDE.multiply(fill.quantity, fill.price) for fill in valid]
        self.quantity = reduce(WIDE.add, (fill.quantity for fill in valid), Decimal(0))
        self.notional = reduce(WIDE.add, notionals, Decimal(0))
        if not self.flights.get(step):
            return
        of_step = [self.state.step_of(fill.slice_id) == step for fill in valid]
        by_quantity = self.state.order.size_mode is SizeMode.QUANTITY
        sizes = [fill.quantity for fill in valid] if by_quantity else notionals
        traded = reduce(WIDE.add, (size for size, own in zip(sizes, of_step, strict=True) if own), Decimal(0))
        asked = WIDE.multiply(self.state.asked[step - 1], self.state.lot)
        self.flights[step] = max(Decimal(0), WIDE.subtract(asked, traded))

    def revise(self, which: int, percent: int) -> None:
        """A booked fill is busted, or was of more or less, at another price."""
        places = [place for place, fill in enumerate(self.booked) if not fill.busted]
        if not places:
            return
        place = places[which % len(places)]
        fill = self.booked[place]
        quantity = WIDE.quantize(fill.quantity * (percent % 200) / 100, DIGIT) + DIGIT
        other = replace(fill, quantity=quantity, price=fill.price + which % 3)
        after = replace(fill, busted=True) if percent % 3 == 0 else other
        self.booked[place] = after
        self.moved(revise_fill(self.state, fill, after, at(self.bars)))
        self.count(self.state.step_of(fill.slice_id) or 0)

    def close(self, which: int, _: int) -> None:
        if self.state.step:
            self.flights.pop(1 + which % self.state.step, None)
            self.moved(close_slice(self.state, 1 + which % self.state.step))

    def pause(self, chance: int, _: int) -> None:
        if permits(self.state.status, Move.PAUSE):
            self.moved(pause(self.state, at(self.bars) - timedelta(seconds=chance % 2)))

    def resume(self, chance: int, _: int) -> None:
        if self.state.status.live:
            self.moved(resume(self.state, at(self.bars) - timedelta(seconds=chance % 2)))

    def cancel(self, chance: int, _: int) -> None:
        if permits(self.state.status, Move.CANCEL) and chance % 5 == 0:
            self.moved(cancel(self.state, at(self.bars)))


ACTIONS: list[Callable[[Life, int, int], None]] = [
    *(Life.bar, Life.bar, Life.report, Life.report),
    *(Life.close, Life.cancel, Life.revise, Life.revise, Life.pause, Life.resume),
]
HAPPENINGS = st.lists(st.tuples(st.sampled_from(ACTIONS), NUMBERS, NUMBERS), max_size=30)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    return an_order(
        fills=Fills.REPORTED,
        size=draw(st.sampled_from([Decimal("0.05"), Decimal(10), Decimal("999999999999999.99")])),
        size_mode=draw(st.sampled_from(SizeMode)),
        max_steps=draw(st.integers(1, 6)),
        report_delay_seconds=draw(st.sampled_from([None, 0, 900, 3 * 900])),
    )


def lived(order: Order, happenings: list[tuple[Callable[[Life, int, int], None], int, int]]) -> Life:
    life = Life(change(None, an_order_state(order, an_instrument())).after)
    for act, one, other in happenings:
        act(life, one, other)
    return life


@given(orders(), HAPPENINGS)
def test_reports_are_booked_to_the_last_digit_and_nothing_is_asked_for_twice(
    order: Order, happenings: list[tuple[Callable[[Life, int, int], None], int, int]]
) -> None:
    life = lived(order, happenings)

    state = life.state
    assert (state.filled_quantity, state.filled_notional) == (life.quantity, life.notional)
    assert state.leaves == max(0, WIDE.subtract(order.size, state.filled))
    assert (state.in_flight, state.unasked) == (life.in_flight, life.unasked)
    assert WIDE.add(state.filled, state.in_flight) <= WIDE.add(order.size, state.over_filled)


@given(orders(), HAPPENINGS)
def test_an_order_of_which_nothing_is_reported_any_more_ends(
    order: Order, happenings: list[tuple[Callable[[Life, int, int], None], int, int]]
) -> None:
    life = lived(order, happenings)

    for _ in range(6 + 5):  # the steps, and the longest delay of the reports
        life.bar(NUMBER_MAX // 2, 0)

    assert life.state.status in {Status.COMPLETED, Status.CANCELLED, Status.EXPIRED}
    assert (life.state.in_flight, life.state.awaits_bars) == (0, False)
