"""An order as JSON texts and back: the `mandate`, which never changes, and the `state`, which every commit replaces.
The newest slice has a text of its own, written once, with the commit that adds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.benchmark import BenchmarkSums
from app.domain.lifecycle import Status
from app.domain.order import Benchmark, Fills, Horizon, HorizonInTime, Limits, Order, Side, SizeMode
from app.domain.slice import ReportsDue, Slice, Window
from app.domain.state import OrderState
from app.store import older_forms
from app.store.forms import array, array_from, is_array, moment, number, seconds, text, time_from
from app.store.slice_codec import slice_from, slice_values, slice_with

MANDATES_CACHED = 20_000
NONE, APART = 0, 1
"""There is no current slice; the current slice is in a text of its own."""


def mandate_text(state: OrderState) -> str:
    order, limits, in_time = state.order, state.order.limits, state.order.horizon_in_time
    return array(
        order.order_id,
        order.client_order_id,
        order.instrument,
        order.side,
        str(order.size),
        order.size_mode,
        order.benchmark,
        order.horizon.min_steps,
        order.horizon.max_steps,
        order.horizon.step_seconds,
        [in_time.earliest_end.isoformat(), in_time.latest_end.isoformat()] if in_time else None,
        order.start_time.isoformat() if order.start_time else None,
        text(limits.max_slice_fraction),
        text(limits.max_participation_rate),
        text(limits.limit_price),
        text(order.risk_aversion),
        order.fills,
        order.report_delay_seconds,
        str(state.lot),
        str(state.base_lot),
        state.total,
        state.slice_cap,
        str(state.min_notional),
        order.account,
    )


def state_text(state: OrderState, *, newest_apart: bool = False) -> str:
    """With `newest_apart` the current slice is left to a text of its own."""
    current: object = NONE
    if state.current is not None:
        current = APART if newest_apart else slice_values(state.current, state.order)
    sums = state.sums
    return array(
        state.status,
        state.version,
        seconds(state.next_open),
        int(state.stopping),
        current,
        [slice_values(piece, state.order) for piece in state.overdue],
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
        _unseen_values(sums) if sums.unseen_steps else NONE,
    )


def state_from(mandate: str, state: str, newest: str | None = None) -> OrderState:
    """`newest` is the text of the newest slice, where there is one."""
    standing = _mandate(mandate)
    if not is_array(state):
        return older_forms.state_from(standing, state)
    order: Order = standing["order"]
    (
        status, version, next_open, stopping, current, overdue, asked, executed, reports_due, over_filled,
        filled_quantity, filled_notional, arrival_price, unpriced_quantity, unpriced_notional,
        steps, price_sum, notional_sum, volume_sum, partial, unseen, *_,
    ) = array_from(state)  # fmt: skip
    return OrderState(
        **standing,
        status=Status(status),
        version=version,
        next_open=time_from(next_open),
        stopping=bool(stopping),
        current=_current(current, newest, order),
        overdue=tuple(slice_with(values, order) for values in overdue),
        asked=tuple(asked),
        executed=tuple(map(Decimal, executed.split())),
        reports_due=tuple(map(_reports_due, reports_due)),
        over_filled=Decimal(over_filled),
        filled_quantity=Decimal(filled_quantity),
        filled_notional=Decimal(filled_notional),
        arrival_price=number(arrival_price),
        unpriced_quantity=Decimal(unpriced_quantity),
        unpriced_notional=Decimal(unpriced_notional),
        sums=BenchmarkSums(
            steps=steps,
            price_sum=Decimal(price_sum),
            notional_sum=Decimal(notional_sum),
            volume_sum=Decimal(volume_sum),
            partial=bool(partial),
            **(_unseen(*unseen) if unseen else {}),
        ),
    )


def order_from(mandate: str) -> Order:
    order: Order = _mandate(mandate)["order"]
    return order


@lru_cache(maxsize=MANDATES_CACHED)
def _mandate(mandate: str) -> Mapping[str, Any]:
    """The parts of `OrderState` that never change; kept, for they are read whenever the order is."""
    if not is_array(mandate):
        return older_forms.mandate_from(mandate)
    (
        order_id, client_order_id, instrument, side, size, size_mode, benchmark, min_steps, max_steps, step_seconds,
        ends, start_time, max_slice_fraction, max_participation_rate, limit_price, risk_aversion, fills,
        report_delay_seconds, lot, base_lot, total, slice_cap, min_notional, *added,
    ) = array_from(mandate)  # fmt: skip
    order = Order(
        order_id=order_id,
        client_order_id=client_order_id,
        instrument=instrument,
        side=Side(side),
        size=Decimal(size),
        size_mode=SizeMode(size_mode),
        benchmark=Benchmark(benchmark),
        horizon=Horizon(min_steps=min_steps, max_steps=max_steps, step_seconds=step_seconds),
        start_time=moment(start_time),
        limits=Limits(
            max_slice_fraction=number(max_slice_fraction),
            max_participation_rate=number(max_participation_rate),
            limit_price=number(limit_price),
        ),
        risk_aversion=number(risk_aversion),
        fills=Fills(fills),
        report_delay_seconds=report_delay_seconds,
        horizon_in_time=_horizon_in_time(ends, step_seconds),
        account=added[0] if added else None,
    )
    lots = {"lot": Decimal(lot), "base_lot": Decimal(base_lot), "min_notional": Decimal(min_notional)}
    return {"order": order, **lots, "total": total, "slice_cap": slice_cap}


def _horizon_in_time(ends: Sequence[str] | None, step_seconds: int | None) -> HorizonInTime | None:
    if ends is None:
        return None
    earliest_end, latest_end = map(datetime.fromisoformat, ends)
    return HorizonInTime(earliest_end=earliest_end, latest_end=latest_end, step_seconds=step_seconds)


def _current(value: Any, newest: str | None, order: Order) -> Slice | None:
    if value == NONE:
        return None
    if value != APART:
        return slice_with(value, order)
    if newest is None:
        raise ValueError("the order's newest slice is missing")
    return slice_from(newest, order)


def _unseen_values(sums: BenchmarkSums) -> list[object]:
    return [sums.unseen_steps, str(sums.unseen_price_sum), str(sums.unseen_notional_sum), str(sums.unseen_volume_sum)]


def _unseen(steps: int, price_sum: str, notional_sum: str, volume_sum: str) -> dict[str, Any]:
    return {
        "unseen_steps": steps,
        "unseen_price_sum": Decimal(price_sum),
        "unseen_notional_sum": Decimal(notional_sum),
        "unseen_volume_sum": Decimal(volume_sum),
    }


def _reports_due_values(due: ReportsDue) -> list[object]:
    return [due.step, seconds(due.window.start), seconds(due.window.end), seconds(due.until)]


def _reports_due(values: Sequence[Any]) -> ReportsDue:
    step, start, end, until = values
    return ReportsDue(step=step, window=Window(time_from(start), time_from(end)), until=time_from(until))
