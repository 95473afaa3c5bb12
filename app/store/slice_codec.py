"""A slice as JSON text and back. What its order says of it already is left out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from app.domain.lifecycle import StopReason
from app.domain.numbers import ratio
from app.domain.order import Order
from app.domain.projection import Bound
from app.domain.sizing import fixed_of
from app.domain.slice import Basis, Decided, Slice, Window
from app.store import older_forms
from app.store.forms import array, array_from, is_array, number, seconds, seconds_since, text, time_from, time_since

NONE = AS_ITS_ORDER_SAYS = 0
BASES = tuple(Basis)


def slice_text(piece: Slice, order: Order) -> str:
    return array(*slice_values(piece, order))


def slice_from(line: str, order: Order) -> Slice:
    return slice_with(array_from(line), order) if is_array(line) else older_forms.slice_from(line)


def slice_values(piece: Slice, order: Order) -> list[object]:
    """Times are counted from the start of the window."""
    decided, fraction = piece.decided, _fraction(piece.quantity, piece.notional, order)
    start = seconds(piece.window.start)
    return [
        piece.step,
        start,
        seconds_since(start, piece.window.end),
        str(piece.quantity),
        str(piece.notional),
        AS_ITS_ORDER_SAYS if piece.fraction == fraction else str(piece.fraction),
        str(piece.cumulative_fraction),
        int(piece.final),
        piece.stop_reason or NONE,
        AS_ITS_ORDER_SAYS if piece.limit_price == order.limits.limit_price else text(piece.limit_price),
        piece.bound_by or NONE,
        decided.model,
        BASES.index(decided.basis),
        decided.allocation,
        decided.stop_probability,
        seconds_since(start, decided.decided_on) if decided.decided_on else None,
        seconds_since(start, decided.decided_at),
        decided.fallback_reason or NONE,
        text(piece.expected_volume),
    ]


def slice_with(values: Sequence[Any], order: Order) -> Slice:
    (
        step, start, end, quantity, notional, fraction, cumulative_fraction, final, stop_reason, limit_price, bound_by,
        model, basis, allocation, stop_probability, decided_on, decided_at, fallback_reason, expected_volume, *_,
    ) = values  # fmt: skip
    base_units, quote_currency = Decimal(quantity), Decimal(notional)
    share = _fraction(base_units, quote_currency, order) if fraction == AS_ITS_ORDER_SAYS else Decimal(fraction)
    return Slice(
        slice_id=f"{order.order_id}-{step}",
        step=step,
        window=Window(time_from(start), time_since(start, end)),
        quantity=base_units,
        notional=quote_currency,
        fraction=share,
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


def _fraction(quantity: Decimal, notional: Decimal, order: Order) -> Decimal:
    return ratio(fixed_of(order.size_mode, quantity, notional), order.size)
