"""The vectorised twin of `app.engine.decide.decide` and `app.domain.projection.project`, held equal to them by tests.

A backtest's orders have no participation limit, no limit price and no smallest slice: what is left of the projection is
a few lines of whole numbers. Whatever a policy gets wrong goes through the service's own function. All arrays are [B].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.projection import STOP_THRESHOLD, Room
from app.domain.slices import Basis
from app.engine.decide import Reading, decide
from app.engine.policy import Rows

Integers = NDArray[np.int64]
Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """`Room` for orders that stand before the same `step`; `total` and `slice_cap` in lots, the same for all."""

    step: int
    max_steps: int
    total: int
    slice_cap: int
    min_steps: Integers
    leaves: Integers
    stopping: Flags

    def one(self, row: int) -> Room:
        return Room(
            step=self.step,
            min_steps=int(self.min_steps[row]),
            max_steps=self.max_steps,
            total=self.total,
            leaves=int(self.leaves[row]),
            slice_cap=self.slice_cap,
            stopping=bool(self.stopping[row]),
        )


@dataclass(frozen=True, slots=True)
class Decisions:
    """`lots` to trade and whether the order is on its way out; the raw proposal behind it, NaN where there was none;
    `fallback` where it is not the policy's."""

    lots: Integers
    stopping: Flags
    allocation: Vector
    stop_probability: Vector
    fallback: Flags


def decide_all(reading: Reading, rows: Rows, rooms: Rooms) -> Decisions:
    """As `decide([reading], rows, rooms)`."""
    allocation, stop_probability = _proposed(reading, rows)
    lots, stopping = project_all(rooms, allocation, stop_probability)
    fallback = ~(np.isfinite(allocation) & np.isfinite(stop_probability))
    bad = np.flatnonzero(fallback)
    if len(bad):
        plain = decide([reading], rows.take(bad), [rooms.one(row) for row in bad.tolist()])
        lots[bad] = [decision.projection.lots for decision in plain]
        stopping[bad] = [decision.projection.stopping for decision in plain]
        fallback[bad] = [decision.basis is Basis.FALLBACK for decision in plain]
    return Decisions(lots, stopping, allocation, stop_probability, fallback)


def _proposed(reading: Reading, rows: Rows) -> tuple[Vector, Vector]:
    """NaN throughout where the policy cannot answer: `decide` then finds out why."""
    nothing = np.full(len(rows), np.nan)
    if reading.market is None:
        return nothing, nothing
    try:
        proposal = reading.policy.propose(reading.market, rows)
    except Exception:  # noqa: BLE001 - as in the service, a policy's failure ends no order
        return nothing, nothing
    return proposal.allocation.astype(np.float64), proposal.stop_probability.astype(np.float64)


def project_all(rooms: Rooms, allocation: Vector, stop_probability: Vector) -> tuple[Integers, Flags]:
    """The lots of each order's next slice, and whether it is stopping from here on."""
    leaves, cap = rooms.leaves, rooms.slice_cap
    steps_to_finish = -(-leaves // cap)
    may_stop = rooms.step + steps_to_finish - 1 >= rooms.min_steps
    stopping: Flags = may_stop & (rooms.stopping | (stop_probability > STOP_THRESHOLD))
    upper = np.minimum(leaves, cap)
    upper = np.where(rooms.step < rooms.min_steps, np.minimum(upper, np.maximum(0, leaves - 1)), upper)
    lower = np.minimum(upper, np.maximum(0, leaves - (rooms.max_steps - rooms.step) * cap))
    share = np.clip(np.nan_to_num(allocation), 0.0, 1.0)
    wanted = np.where(stopping, leaves, np.rint(share * rooms.total).astype(np.int64))
    return np.clip(wanted, lower, upper), stopping
