"""What happened to orders, as lines of the log at `info`: one for each thing, with the order's id."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from app.domain.events import OrderBehind, OrderOnTrack, OverFilled, SliceClosed
from app.domain.numbers import plain
from app.domain.slice import Basis, Slice
from app.domain.state import OrderState
from app.engine.changes import Change

LOG = logging.getLogger(__name__)

Line = tuple[str, dict[str, Any]]


def log_changes(changes: Sequence[Change]) -> None:
    """Write the lines of all changes. Below `info` this costs nothing, since a bar may change a thousand orders."""
    if not LOG.isEnabledFor(logging.INFO):
        return
    for change in changes:
        for event, fields in _lines(change):
            LOG.info(event, extra={"order_id": change.after.order_id, **fields})


def _lines(change: Change) -> Iterator[Line]:
    if change.before is None:
        yield _accepted(change.after)
    if change.slice is not None:
        yield from _committed(change.slice)
    if change.fill is not None:
        fill = change.fill
        booked = {"quantity": plain(fill.quantity), "price": plain(fill.price)}
        yield "fill booked", {"slice_id": fill.slice_id, "execution_id": fill.execution_id, **booked}
    for event in change.events:
        match event.what:
            case OverFilled(slice_id=slice_id, over_filled=over_filled):
                yield "order over-filled", {"slice_id": slice_id, "over_filled": plain(over_filled)}
            case SliceClosed(slice_id=slice_id, given_back=given_back):
                yield "slice closed", {"slice_id": slice_id, "given_back": plain(given_back)}
            case OrderBehind(behind=behind):
                yield "order behind", {"behind": plain(behind)}
            case OrderOnTrack():
                yield "order on track", {}
    if change.status is not None and not change.status.live:
        yield _ended(change.after)


def _accepted(state: OrderState) -> Line:
    order = state.order
    size = {order.size_mode.value: plain(order.size)}
    steps: dict[str, Any] = {"min_steps": order.horizon.min_steps, "max_steps": order.horizon.max_steps}
    if order.horizon_in_time is not None:
        steps["latest_end"] = order.horizon_in_time.latest_end.isoformat()
    names = {"client_order_id": order.client_order_id, "instrument": order.instrument}
    if order.account is not None:
        names["account"] = order.account
    if order.replaces is not None:
        names["replaces"] = order.replaces
    if state.bundle is not None:
        names["model"] = state.bundle
    return "order accepted", {**names, "side": order.side, **size, "benchmark": order.benchmark, **steps}


def _committed(piece: Slice) -> Iterator[Line]:
    decided, size = piece.decided, {"quantity": plain(piece.quantity), "notional": plain(piece.notional)}
    more = {"step": piece.step, "final": piece.final, "basis": decided.basis}
    yield "slice committed", {"slice_id": piece.slice_id, **size, **more}
    if decided.basis is Basis.FALLBACK:
        yield "fallback", {"slice_id": piece.slice_id, "reason": decided.fallback_reason}


def _ended(state: OrderState) -> Line:
    filled = {"filled_quantity": plain(state.filled_quantity), "filled_notional": plain(state.filled_notional)}
    return "order ended", {"status": state.status, "reason": state.stop_reason, "leaves": plain(state.leaves), **filled}
