"""States and slices as an earlier release wrote them: arrays of version 2, with every value in its place. Only read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.domain.benchmark import BenchmarkSums
from app.domain.lifecycle import Status, StopReason
from app.domain.numbers import ratio
from app.domain.order import Order
from app.domain.projection import Bound
from app.domain.sizing import fixed_of
from app.domain.slice import Basis, Decided, ReportsDue, Slice, Window
from app.domain.state import OrderState
from app.store.forms import number, time_from, time_since

NONE = AS_ITS_ORDER_SAYS = 0
APART = 1
"""The current slice is in a text of its own."""
BASES = tuple(Basis)


def state_from(standing: Mapping[str, Any], values: Sequence[Any], newest: Slice | None) -> OrderState:
    """`standing` are the parts of `OrderState` that never change, `newest` is the slice that has a text of its own."""
    order: Order = standing["order"]
    (
        status, version, next_open, stopping, current, overdue, asked, executed, reports_due, over_filled,
        filled_quantity, filled_notional, arrival_price, unpriced_quantity, unpriced_notional,
        steps, price_sum, notional_sum, volume_sum, partial, unseen, *_,
    ) = values  # fmt: skip
    return OrderState(
        **standing,
        status=Status(status),
        version=version,
        next_open=time_from(next_open),
        stopping=bool(stopping),
        current=newest if current == APART else slice_from(current, order) if current else None,
        overdue=tuple(slice_from(each, order) for each in overdue),
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


def is_apart(values: Sequence[Any]) -> bool:
    """Whether the state's current slice is in a text of its own."""
    return bool(values[4] == APART)


def slice_from(values: Sequence[Any], order: Order) -> Slice:
    (
        step, start, end, quantity, notional, fraction, cumulative_fraction, final, stop_reason, limit_price, bound_by,
        model, basis, allocation, stop_probability, decided_on, decided_at, fallback_reason, expected_volume, *_,
    ) = values  # fmt: skip
    base_units, quote_currency = Decimal(quantity), Decimal(notional)
    share = ratio(fixed_of(order.size_mode, base_units, quote_currency), order.size)
    return Slice(
        slice_id=f"{order.order_id}-{step}",
        step=step,
        window=Window(time_from(start), time_since(start, end)),
        quantity=base_units,
        notional=quote_currency,
        fraction=share if fraction == AS_ITS_ORDER_SAYS else Decimal(fraction),
        cumulative_fraction=Decimal(cumulative_fraction),
        final=bool(final),
        stop_reason=StopReason(stop_reason) if stop_reason else None,
        limit_price=order.limits.limit_price if limit_price == AS_ITS_ORDER_SAYS else number(limit_price),
        bound_by=Bound(bound_by) if bound_by else None,
        decided=Decided(
            model=model,
            basis=BASES[basis],
            allocation=allocation,
            stop_probability=stop_probability,
            decided_on=time_since(start, decided_on) if decided_on is not None else None,
            decided_at=time_since(start, decided_at),
            fallback_reason=fallback_reason or None,
        ),
        expected_volume=number(expected_volume),
    )


def _unseen(steps: int, price_sum: str, notional_sum: str, volume_sum: str) -> dict[str, Any]:
    return {
        "unseen_steps": steps,
        "unseen_price_sum": Decimal(price_sum),
        "unseen_notional_sum": Decimal(notional_sum),
        "unseen_volume_sum": Decimal(volume_sum),
    }


def _reports_due(values: Sequence[Any]) -> ReportsDue:
    step, start, end, until = values
    return ReportsDue(step=step, window=Window(time_from(start), time_from(end)), until=time_from(until))
