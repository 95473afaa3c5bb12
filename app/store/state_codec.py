"""The state of an order as JSON text and back: every commit replaces it. The newest slice has a text of its own, which
is written once, with the commit that adds the slice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any

from app.domain.benchmark import BenchmarkSums
from app.domain.evolve import evolve
from app.domain.lifecycle import Status, StopReason
from app.domain.numbers import EXACT, ZERO
from app.domain.order import Fills, Order
from app.domain.slice import ReportsDue, Slice, Window
from app.domain.state import OrderState
from app.store import former_arrays, older_forms
from app.store.forms import (
    ARRAY_VERSION,
    array_values,
    is_array,
    number,
    seconds,
    short_array,
    text,
    time_from,
    trimmed,
)
from app.store.order_codec import standing_from
from app.store.slice_codec import slice_from, slice_values, slice_with

NONE, APART = 0, 1
"""There is no current slice; the current slice is in a text of its own."""
AS_ASKED, AS_ASKED_BUT_FOR_THE_LAST = 0, 1
"""How much was executed in each step."""
AS_ITS_MANDATE_SAYS = 0
"""The bundle of the order, among those who have decided slices."""
MODELS = 13
"""The place of the models in a state."""
LEFT_OUT: list[Any] = [0] * 26
"""As many as a state has values."""


def state_text(state: OrderState, *, newest_apart: bool = False) -> str:
    """With `newest_apart` the current slice is left to a text of its own. What mostly is 0 comes last and is left out
    then."""
    current: object = NONE
    if state.current is not None:
        current = APART if newest_apart else slice_values(state.current, state)
    sums = state.sums
    return short_array(
        trimmed(
            [
                state.version,
                state.status,
                seconds(state.next_open),
                current,
                state.asked,
                _executed_value(state),
                str(state.filled_quantity),
                str(state.filled_notional),
                text(state.arrival_price),
                sums.steps,
                str(sums.price_sum),
                str(sums.notional_sum),
                str(sums.volume_sum),
                [AS_ITS_MANDATE_SAYS if name == state.bundle else name for name in state.models],
            ],
            [
                int(state.stopping),
                int(sums.partial),
                [slice_values(piece, state) for piece in state.overdue] or NONE,
                [_reports_due_values(due) for due in state.reports_due] or NONE,
                _size_value(state.over_filled),
                _size_value(state.unpriced_quantity),
                _size_value(state.unpriced_notional),
                _unseen_values(sums) if sums.unseen_steps else NONE,
                state.withheld,
                state.replaced_by or NONE,
                _size_value(state.out_of_reach),
                state.stopped_by or NONE,
            ],
        )
    )


def state_from(mandate: str, state: str, newest: str | None = None) -> OrderState:
    """`newest` is the text of the newest slice, where there is one."""
    standing = standing_from(mandate)
    if not is_array(state):
        return older_forms.state_from(standing, state)
    version, values = array_values(state)
    if version == ARRAY_VERSION:
        apart = former_arrays.is_apart(values)
        return former_arrays.state_from(standing, values, _newest(newest, standing["order"], ()) if apart else None)
    return _state(standing, values, newest, version)


def slices_from(mandate: str, state: str, lines: Iterable[str]) -> list[Slice]:
    """The slices of an order whose texts are `lines`."""
    standing = standing_from(mandate)
    order, models = standing["order"], _named(_models(state), standing)
    return [slice_from(line, order, models) for line in lines]


def _named(models: Sequence[Any], standing: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(standing["bundle"] if name == AS_ITS_MANDATE_SAYS else name for name in models or ())


def _models(state: str) -> Sequence[str]:
    """Those that the order's slices may name by their place; none before there were such."""
    version, values = array_values(state) if is_array(state) else (ARRAY_VERSION, [])
    return values[MODELS] if version != ARRAY_VERSION and len(values) > MODELS else ()


def _state(standing: Mapping[str, Any], values: Sequence[Any], newest: str | None, form: int) -> OrderState:
    """`form` is the version of the text's form; `version` that of the order."""
    (
        version, status, next_open, current, asked, executed, filled_quantity, filled_notional, arrival_price,
        steps, price_sum, notional_sum, volume_sum, models, stopping, partial, overdue, reports_due, over_filled,
        unpriced_quantity, unpriced_notional, unseen, withheld, replaced_by, out_of_reach, stopped_by, *_,
    ) = list(values) + LEFT_OUT[len(values) :]  # fmt: skip
    order: Order = standing["order"]
    models = _named(models, standing)
    state = OrderState(
        **standing,
        status=Status(status),
        version=version,
        next_open=time_from(next_open),
        stopping=bool(stopping),
        current=_current(current, newest, order, models, form),
        overdue=tuple(slice_with(each, order, models, form) for each in overdue or ()),
        asked=tuple(asked),
        executed=_executed(executed, asked, standing["lot"]),
        reports_due=tuple(map(_reports_due, reports_due or ())),
        over_filled=_size(over_filled),
        filled_quantity=Decimal(filled_quantity),
        filled_notional=Decimal(filled_notional),
        arrival_price=number(arrival_price),
        unpriced_quantity=_size(unpriced_quantity),
        unpriced_notional=_size(unpriced_notional),
        sums=BenchmarkSums(
            steps=steps,
            price_sum=Decimal(price_sum),
            notional_sum=Decimal(notional_sum),
            volume_sum=Decimal(volume_sum),
            partial=bool(partial),
            **(_unseen(*unseen) if unseen else {}),
        ),
        models=models,
        withheld=withheld,
        replaced_by=replaced_by or None,
        out_of_reach=_size(out_of_reach),
        stopped_by=StopReason(stopped_by) if stopped_by else None,
    )
    return _with_earlier_slices(state) if state.earlier else state


def _with_earlier_slices(state: OrderState) -> OrderState:
    """Open slices that earlier orders have asked for are written like the order's own, but for their names."""

    def named(piece: Slice) -> Slice:
        return evolve(piece, slice_id=state.slice_id_of(piece.step))

    return evolve(
        state,
        current=named(state.current) if state.current else None,
        overdue=tuple(map(named, state.overdue)),
    )


def _current(value: Any, newest: str | None, order: Order, models: Sequence[str], form: int) -> Slice | None:
    if value == NONE:
        return None
    return _newest(newest, order, models) if value == APART else slice_with(value, order, models, form)


def _newest(line: str | None, order: Order, models: Sequence[str]) -> Slice:
    if line is None:
        raise ValueError("the order's newest slice is missing")
    return slice_from(line, order, models)


def _executed_value(state: OrderState) -> object:
    """Where fills are assumed, no step has more executed than it asked for: as much in all is as much in each."""
    if state.order.fills is Fills.ASSUMED and state.asked:
        filled, lots, lot = state.filled, sum(state.asked), state.lot
        if filled == EXACT.multiply(lots, lot):
            return AS_ASKED
        if not state.executed[-1] and filled == EXACT.multiply(lots - state.asked[-1], lot):
            return AS_ASKED_BUT_FOR_THE_LAST
    return " ".join(map(str, state.executed))


def _executed(value: Any, asked: Sequence[int], lot: Decimal) -> tuple[Decimal, ...]:
    if isinstance(value, str):
        return tuple(map(Decimal, value.split()))
    if 0 in asked or not lot.same_quantum(EXACT.add(ZERO, lot)):  # a sum begins with a zero that has no decimals
        as_asked = [EXACT.add(ZERO, EXACT.multiply(lots, lot)) if lots else ZERO for lots in asked]
    else:
        as_asked = list(map(EXACT.multiply, asked, repeat(lot)))
    if value == AS_ASKED_BUT_FOR_THE_LAST:
        as_asked[-1] = ZERO
    return tuple(as_asked)


def _size_value(size: Decimal) -> object:
    """0 for the zero that sizes begin with, which is written as none other."""
    written = str(size)
    return NONE if written == "0" else written


def _size(value: Any) -> Decimal:
    return ZERO if value == NONE else Decimal(value)


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
