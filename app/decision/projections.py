"""Many orders of one size at one step, projected side by side: the vectorised twin of app/domain/projection.py.

The backtest and the foresight of a schedule take a million of these decisions. The service projects each of its orders
on its own, in `project`; a test holds both equal.

Shapes: B orders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.projection import LAST_STEPS_OF, STOP_THRESHOLD

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The `Room` of each order, fields that are all the same as one number. `market_cap` and `price_blocked` are None
    where no order has a participation limit, or a limit price, and so is `at_finish_price` without a finish price."""

    step: int
    total: int
    slice_cap: int
    min_steps: Integers
    max_steps: Integers
    leaves: Integers
    stopping: Flags
    min_slice: int = 1
    market_cap: Integers | None = None
    price_blocked: Flags | None = None
    at_finish_price: Flags | None = None
    avoided: bool = False
    usable_after: int | None = None
    completing: bool = False

    @property
    def steps_after(self) -> Integers:
        """As of `Room`."""
        if self.usable_after is None:
            return self.max_steps - self.step
        return np.full(len(self.max_steps), self.usable_after)


@dataclass(frozen=True, slots=True)
class Projections:
    """[B] each, as in `Projection`."""

    lots: Integers
    stopping: Flags


def project_all(rooms: Rooms, allocation: Vector, stop_probability: Vector) -> Projections:
    """What `project` makes of each proposal in its room."""
    leaves, steps_after = rooms.leaves, rooms.steps_after
    steps_to_finish = -(-leaves // rooms.slice_cap)
    may_stop = rooms.step + steps_to_finish - 1 >= rooms.min_steps
    stopping = may_stop & (rooms.stopping | (stop_probability > STOP_THRESHOLD))
    ending = stopping if rooms.at_finish_price is None else stopping | (may_stop & rooms.at_finish_price)
    min_slice = np.maximum(1, np.minimum(min(rooms.min_slice, rooms.slice_cap), leaves))
    needed = _needed(rooms, steps_after)
    upper = _upper(rooms, min_slice, needed)
    lower = np.minimum(upper, needed)
    lots = np.clip(np.where(ending, leaves, _lots(allocation, rooms.total)), lower, upper)
    merged = _merge_small(lots, leaves, (lower, upper), min_slice, (lower == 0) & ~ending)
    return Projections(np.where(steps_after > 0, merged, lots), stopping)


def _lots(allocation: Vector, total: int) -> Integers:
    """A NaN counts as no proposal."""
    share = np.clip(np.nan_to_num(allocation, nan=0.0), 0.0, 1.0)
    lots: Integers = np.where(share >= 1.0, total, np.rint(share * float(total)).astype(np.int64))
    return lots


def _needed(rooms: Rooms, steps_after: Integers) -> Integers:
    """As of one room."""
    most_steps = -(-rooms.total // rooms.slice_cap)  # a product with all that are left may exceed 64 bits
    reach = np.minimum(np.minimum(steps_after, most_steps) * rooms.slice_cap, rooms.total)
    needed: Integers = np.maximum(0, rooms.leaves - reach)
    if not rooms.completing or rooms.market_cap is None:
        return needed
    even_pace = -(-rooms.leaves // (steps_after + 1))
    gives_way = (steps_after < -(-rooms.max_steps // LAST_STEPS_OF)) & (even_pace > rooms.market_cap)
    hurried: Integers = np.where(gives_way, np.maximum(needed, even_pace), needed)
    return hurried


def _upper(rooms: Rooms, min_slice: Integers, needed: Integers) -> Integers:
    kept = np.maximum(0, rooms.leaves - min_slice)
    upper = np.minimum(np.where(rooms.step < rooms.min_steps, kept, rooms.leaves), rooms.slice_cap)
    if rooms.market_cap is not None:
        upper = np.minimum(upper, np.maximum(rooms.market_cap, needed) if rooms.completing else rooms.market_cap)
    if rooms.price_blocked is not None:
        upper = np.where(rooms.price_blocked, 0, upper)
    return np.zeros_like(upper) if rooms.avoided else upper


def _merge_small(
    lots: Integers, leaves: Integers, permitted: tuple[Integers, Integers], min_slice: Integers, may_wait: Flags
) -> Integers:
    """Avoid a slice, or a rest, under the minimum, as far as the permitted range goes."""
    lower, upper = permitted
    small = (lots > 0) & (lots < min_slice)
    lots = np.where(small, np.where(lower == 0, 0, np.minimum(min_slice, upper)), lots)
    small_rest = (lots < leaves) & (leaves - lots < min_slice)
    smaller = leaves - min_slice
    merged = np.where(smaller >= np.maximum(lower, min_slice), smaller, np.where(may_wait, 0, lots))
    return np.where(small_rest, merged, lots)
