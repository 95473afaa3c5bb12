"""A slice as JSON text and back. What its order says of it already is left out, and so is what follows from the rest.

What slices mostly say comes first. What few of them say comes last and is left out where it is 0: no limit has changed
the slice, the model has answered, and so on.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.lifecycle import StopReason
from app.domain.numbers import ratio
from app.domain.order import Order
from app.domain.projection import Bound
from app.domain.sizing import amounts_at, fixed_of
from app.domain.slice import Basis, Decided, Slice, Window
from app.domain.state import OrderState
from app.store import former_arrays, older_forms
from app.store.forms import (
    ARRAY_VERSION,
    SHORT_VERSION,
    WITHOUT_INPUTS,
    array_values,
    is_array,
    number,
    seconds,
    seconds_since,
    short_array,
    single,
    single_from,
    text,
    time_from,
    time_since,
    trimmed,
)

NONE = AS_ITS_ORDER_SAYS = AT_ITS_PRICE = ON_THE_BAR_BEFORE = 0
LEFT_OUT: list[Any] = [0] * 21
"""As many as a slice has values."""
BASES = tuple(Basis)
INPUTS = 8
"""The place of the digest of a slice's inputs."""
TIMES_CACHED = 1_024


def slice_text(piece: Slice, state: OrderState) -> str:
    """A slice of the order in that state, or in an earlier one."""
    return short_array(slice_values(piece, state))


def slice_from(line: str, order: Order, models: Sequence[str] = ()) -> Slice:
    """`models` are those of the order's state as it was when the slice was written, or later."""
    if not is_array(line):
        return older_forms.slice_from(line)
    version, values = array_values(line)
    if version == ARRAY_VERSION:
        return former_arrays.slice_from(values, order)
    return slice_with(values, order, models, version)


def slice_values(piece: Slice, state: OrderState) -> list[object]:
    order, decided, models = state.order, piece.decided, state.models
    size = fixed_of(order.size_mode, piece.quantity, piece.notional)
    start, lasts, on, at = _times(piece.window, decided)
    return trimmed(
        [
            piece.step,
            start,
            lasts,
            str(size),
            str(piece.cumulative_fraction),
            single(decided.allocation),
            None if piece.expected_volume is None else _volume(str(piece.expected_volume)),
            text(piece.price),
            NONE if decided.inputs is None else b64encode(bytes.fromhex(decided.inputs)).decode(),
        ],
        [
            models.index(decided.model) if decided.model in models else decided.model,
            single(decided.stop_probability),
            piece.bound_by or NONE,
            at,
            on,
            int(piece.final),
            piece.stop_reason or NONE,
            BASES.index(decided.basis),
            decided.fallback_reason or NONE,
            AS_ITS_ORDER_SAYS if piece.limit_price == order.limits.limit_price else text(piece.limit_price),
            AS_ITS_ORDER_SAYS if piece.fraction == ratio(size, order.size) else str(piece.fraction),
            AT_ITS_PRICE if _at_its_price(piece, size, order) else [str(piece.quantity), str(piece.notional)],
        ],
    )


def slice_with(values: Sequence[Any], order: Order, models: Sequence[str], version: int = SHORT_VERSION) -> Slice:
    """`version` is that of the text in which the values stand."""
    if version == WITHOUT_INPUTS:
        values = [*values[:INPUTS], NONE, *values[INPUTS:]]
    (
        step, start, lasts, size, cumulative_fraction, allocation, expected_volume, price, inputs, model,
        stop_probability, bound_by, decided_at, decided_on, final, stop_reason, basis, fallback_reason, limit_price,
        fraction, amounts, *_,
    ) = list(values) + LEFT_OUT[len(values) :]  # fmt: skip
    window, on, at = _times_from(start, lasts, decided_on, decided_at)
    fixed, at_price = Decimal(size), number(price)
    quantity, notional = _amounts(fixed, at_price, amounts, order)
    return Slice(
        slice_id=f"{order.order_id}-{step}",
        step=step,
        window=window,
        quantity=quantity,
        notional=notional,
        fraction=ratio(fixed, order.size) if fraction == AS_ITS_ORDER_SAYS else Decimal(fraction),
        cumulative_fraction=Decimal(cumulative_fraction),
        final=bool(final),
        stop_reason=StopReason(stop_reason) if stop_reason else None,
        limit_price=order.limits.limit_price if limit_price == AS_ITS_ORDER_SAYS else number(limit_price),
        bound_by=Bound(bound_by) if bound_by else None,
        decided=Decided(
            model=model if isinstance(model, str) else models[model],
            basis=BASES[basis],
            allocation=single_from(allocation),
            stop_probability=single_from(stop_probability),
            decided_on=on,
            decided_at=at,
            fallback_reason=fallback_reason or None,
            inputs=b64decode(inputs).hex() if inputs else None,
        ),
        expected_volume=None if expected_volume is None else Decimal(single_from(expected_volume)),
        price=at_price,
    )


_volume = lru_cache(maxsize=TIMES_CACHED)(single)
"""The slices of a bar expect the same volume."""


def _at_its_price(piece: Slice, size: Decimal, order: Order) -> bool:
    """Whether the size that the order does not fix follows from the other one."""
    if piece.price is None:
        return False
    at_price = amounts_at(order.size_mode, size, piece.price)
    return piece.quantity == at_price.quantity and piece.notional == at_price.notional


def _amounts(size: Decimal, price: Decimal | None, amounts: Any, order: Order) -> tuple[Decimal, Decimal]:
    if amounts == AT_ITS_PRICE and price is not None:
        at_price = amounts_at(order.size_mode, size, price)
        return at_price.quantity, at_price.notional
    quantity, notional = map(Decimal, amounts)
    return quantity, notional


def _times(window: Window, decided: Decided) -> tuple[object, object, object, object]:
    """When the window opens, how long it lasts, and on which bar and when was decided."""
    start, end, on, at = window.start, window.end, decided.decided_on, decided.decided_at
    if start.tzinfo is UTC and end.tzinfo is UTC and at.tzinfo is UTC and (on is None or on.tzinfo is UTC):
        return _utc_times(start, end, on, at)
    return _time_values(start, end, on, at)


def _time_values(
    start: datetime, end: datetime, on: datetime | None, at: datetime
) -> tuple[object, object, object, object]:
    first = seconds(start)
    lasts, since = seconds_since(first, end), None if on is None else seconds_since(first, on)
    if isinstance(since, (int, float)):
        since = ON_THE_BAR_BEFORE if isinstance(lasts, (int, float)) and since == -lasts else since or start.isoformat()
    return first, lasts, since, seconds_since(first, at)


_utc_times = lru_cache(maxsize=TIMES_CACHED)(_time_values)
"""Kept, since the slices of a bar have the same times. Times of other offsets may be equal and written otherwise."""


@lru_cache(maxsize=TIMES_CACHED)
def _times_from(start: Any, lasts: Any, on: Any, at: Any) -> tuple[Window, datetime | None, datetime]:
    """The window, and on which bar and when was decided."""
    if on is not None:
        on = time_since(start, -lasts if on == ON_THE_BAR_BEFORE else on)
    return Window(time_from(start), time_since(start, lasts)), on, time_since(start, at)
