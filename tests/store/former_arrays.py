"""States and slices as a release before wrote them: arrays of version 2. Nothing writes them so any more."""

from __future__ import annotations

from decimal import Decimal

from app.domain.benchmark import BenchmarkSums
from app.domain.numbers import ratio
from app.domain.order import Order
from app.domain.sizing import fixed_of
from app.domain.slice import Basis, ReportsDue, Slice
from app.domain.state import OrderState
from app.store.forms import array, seconds, seconds_since, text

BASES = tuple(Basis)


def slice_text(piece: Slice, order: Order) -> str:
    return array(*_slice_values(piece, order))


def state_text(state: OrderState, *, newest_apart: bool = False) -> str:
    current: object = 0
    if state.current is not None:
        current = 1 if newest_apart else _slice_values(state.current, state.order)
    sums = state.sums
    return array(
        state.status,
        state.version,
        seconds(state.next_open),
        int(state.stopping),
        current,
        [_slice_values(piece, state.order) for piece in state.overdue],
        state.asked,
        " ".join(map(str, state.executed)),
        [_reports_due_values(due) for due in state.reports_due],
        str(state.over_filled),
        str(state.filled_quantity),
        str(state.filled_notional),
        text(state.arrival_price),
        str(state.unpriced_quantity),
        str(state.unpriced_notional),
        sums.steps,
        str(sums.price_sum),
        str(sums.notional_sum),
        str(sums.volume_sum),
        int(sums.partial),
        _unseen_values(sums) if sums.unseen_steps else 0,
    )


def _slice_values(piece: Slice, order: Order) -> list[object]:
    decided, fraction = piece.decided, _fraction(piece.quantity, piece.notional, order)
    start = seconds(piece.window.start)
    return [
        piece.step,
        start,
        seconds_since(start, piece.window.end),
        str(piece.quantity),
        str(piece.notional),
        0 if piece.fraction == fraction else str(piece.fraction),
        str(piece.cumulative_fraction),
        int(piece.final),
        piece.stop_reason or 0,
        0 if piece.limit_price == order.limits.limit_price else text(piece.limit_price),
        piece.bound_by or 0,
        decided.model,
        BASES.index(decided.basis),
        decided.allocation,
        decided.stop_probability,
        seconds_since(start, decided.decided_on) if decided.decided_on else None,
        seconds_since(start, decided.decided_at),
        decided.fallback_reason or 0,
        text(piece.expected_volume),
    ]


def _fraction(quantity: Decimal, notional: Decimal, order: Order) -> Decimal:
    return ratio(fixed_of(order.size_mode, quantity, notional), order.size)


def _unseen_values(sums: BenchmarkSums) -> list[object]:
    return [sums.unseen_steps, str(sums.unseen_price_sum), str(sums.unseen_notional_sum), str(sums.unseen_volume_sum)]


def _reports_due_values(due: ReportsDue) -> list[object]:
    return [due.step, seconds(due.window.start), seconds(due.window.end), seconds(due.until)]
