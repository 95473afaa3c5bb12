"""A slice on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from pydantic import ConfigDict
from pydantic.config import JsonDict
from pydantic_core import to_json

from app.api.values import Answer, DecimalOut, TimeOut, plain, utc
from app.domain.lifecycle import Status, StopReason
from app.domain.projection import Bound
from app.domain.slice import Basis, Slice
from app.domain.state import OrderState
from app.engine.results import NextSlice

ORDER_ID = "0b7e9f0e-5d0b-5a53-8c4c-2f6c2d6a3c11"

EXAMPLE: JsonDict = {
    "slice_id": f"{ORDER_ID}-3",
    "step": 3,
    "window": {"start": "2025-01-06T14:30:00Z", "end": "2025-01-06T14:45:00Z"},
    "quantity": "1.1",
    "notional": "110220",
    "fraction": "0.088",
    "cumulative_fraction": "0.28",
    "final": False,
    "stop_reason": None,
    "limit_price": None,
    "basis": "model",
    "fallback_reason": None,
    "bound_by": None,
    "model": "lem-2@3f2a9c41d07b",
    "allocation": "0.08803",
    "stop_probability": "0.12",
    "decided_on": "2025-01-06T14:15:00Z",
    "decided_at": "2025-01-06T14:30:00.412Z",
    "inputs": "5c0f6a1b92de",
}


class WindowOut(Answer):
    """The time from `start` to before `end`."""

    start: TimeOut
    """First moment of the window, in UTC."""
    end: TimeOut
    """First moment after the window, in UTC."""


class SliceOut(Answer):
    """What to trade in one step, and how that was decided."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    slice_id: str
    """`<order_id>-<step>`: what fills refer to."""
    step: int
    """Number of the step, counted from 1."""
    window: WindowOut
    """When to trade it."""
    quantity: DecimalOut
    """Base units to trade: exact where the order fixes its quantity, else an estimate at the last close."""
    notional: DecimalOut
    """Quote currency to trade: exact where the order fixes its notional, else an estimate at the last close."""
    fraction: DecimalOut
    """The slice as a fraction of the order, 0 to 1."""
    cumulative_fraction: DecimalOut
    """All slices up to this one as a fraction of the order."""
    final: bool
    """Whether no other slice can follow, whatever is traded of this one."""
    stop_reason: StopReason | None
    """Why the slice is meant to be the last; null where it is not."""
    limit_price: DecimalOut | None
    """That of the order, in quote currency; null where it has none."""
    basis: Basis
    """Whether the model decided, or what stands in for it."""
    fallback_reason: str | None
    """Why the model did not decide; null where it did."""
    bound_by: Bound | None
    """The limit that changed what was proposed; null where none did."""
    model: str
    """Who proposed: name and digest of the bundle, or name of the policy that stood in."""
    allocation: str
    """What was proposed before the limits, as a fraction of the order. A text, since a broken model may answer `nan`.
    """
    stop_probability: str
    """The proposed probability of stopping now. A text, as `allocation` is."""
    decided_on: TimeOut | None
    """Open time of the newest bar that was used, in UTC; null where there was none."""
    decided_at: TimeOut
    """When the decision was made, in UTC."""
    inputs: str | None
    """Digest of all that was decided on: the bars that the bundle read, the order's state and its limits. `lem replay`
    compares it. Null for slices of earlier releases."""

    @classmethod
    def of(cls, piece: Slice) -> Self:
        decided = piece.decided
        return cls(
            slice_id=piece.slice_id,
            step=piece.step,
            window=WindowOut(start=piece.window.start, end=piece.window.end),
            quantity=piece.quantity,
            notional=piece.notional,
            fraction=piece.fraction,
            cumulative_fraction=piece.cumulative_fraction,
            final=piece.final,
            stop_reason=piece.stop_reason,
            limit_price=piece.limit_price,
            basis=decided.basis,
            fallback_reason=decided.fallback_reason,
            bound_by=piece.bound_by,
            model=decided.model,
            allocation=decided.allocation,
            stop_probability=decided.stop_probability,
            decided_on=decided.decided_on,
            decided_at=decided.decided_at,
            inputs=decided.inputs,
        )


class GivenSliceOut(SliceOut):
    """A slice that the order has had."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"executed": "1.1"}]})

    executed: DecimalOut
    """What is traded of it, in the unit that the order fixes: known once its bar has closed, or once it is reported."""


class SlicesOut(Answer):
    """All slices of the order."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"order_id": ORDER_ID, "slices": [EXAMPLE | {"executed": "1.1"}]}]}
    )

    order_id: str
    """Our name of the order."""
    slices: list[GivenSliceOut]
    """By step."""

    @classmethod
    def of(cls, state: OrderState, slices: Sequence[Slice]) -> Self:
        executed = dict(enumerate(state.executed, 1))
        given = [piece for piece in slices if piece.step in executed]
        return cls(
            order_id=state.order_id,
            slices=[GivenSliceOut(**dict(SliceOut.of(each)), executed=executed[each.step]) for each in given],
        )


class NextSliceOut(Answer):
    """What to trade now, if anything."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"order_id": ORDER_ID, "status": "working", "slice": EXAMPLE}]}
    )

    order_id: str
    """Our name of the order."""
    status: Status
    """Where the order is in its life: an ended order has no further slice."""
    slice: SliceOut | None
    """What to trade now; null while there is nothing."""

    @classmethod
    def of(cls, found: NextSlice) -> Self:
        piece = found.slice
        return cls(
            order_id=found.order_id,
            status=found.status,
            slice=None if piece is None else SliceOut.of(piece),
        )


def next_slice_json(found: NextSlice) -> bytes:
    """The text of `NextSliceOut.of(found)`, made without the models: a poll would spend half of its time on them."""
    piece = found.slice
    told = {"order_id": found.order_id, "status": found.status, "slice": None if piece is None else _told(piece)}
    return to_json(told)


def _told(piece: Slice) -> dict[str, Any]:
    decided = piece.decided
    return {
        "slice_id": piece.slice_id,
        "step": piece.step,
        "window": {"start": utc(piece.window.start), "end": utc(piece.window.end)},
        "quantity": plain(piece.quantity),
        "notional": plain(piece.notional),
        "fraction": plain(piece.fraction),
        "cumulative_fraction": plain(piece.cumulative_fraction),
        "final": piece.final,
        "stop_reason": piece.stop_reason,
        "limit_price": None if piece.limit_price is None else plain(piece.limit_price),
        "basis": decided.basis,
        "fallback_reason": decided.fallback_reason,
        "bound_by": piece.bound_by,
        "model": decided.model,
        "allocation": decided.allocation,
        "stop_probability": decided.stop_probability,
        "decided_on": None if decided.decided_on is None else utc(decided.decided_on),
        "decided_at": utc(decided.decided_at),
        "inputs": decided.inputs,
    }
