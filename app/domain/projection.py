"""The model proposes, the projection disposes.

Hard limits in exact whole lots. What holds for every input, NaN and infinities included:

- a slice is never negative and never above the slice cap, the participation cap or what is left;
- nothing is traded while the limit price forbids it, or while the order is paused, which decides no stop then;
- the order is not finished before `min_steps`, and stays finishable by `max_steps` under the slice cap;
- at `max_steps` all that the caps permit is traded.

The minimum slice gives way to these: a slice under it is merged into the next one, and the last takes the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from app.domain.errors import InvalidInput
from app.domain.evolve import built_quickly
from app.domain.lifecycle import StopReason, stop_reason

STOP_THRESHOLD = 0.5
FRACTION_ROUNDING = Decimal("1e-12")
"""What a fraction may lack of the one that is meant: 1/12 comes as 0.083333333333, in the 12 decimals of the interface.
"""


class Bound(StrEnum):
    """The limit that changed what the model proposed."""

    SLICE_CAP = "slice_cap"
    PARTICIPATION = "participation"
    LIMIT_PRICE = "limit_price"
    MIN_STEPS = "min_steps"
    MAX_STEPS = "max_steps"
    MIN_SLICE = "min_slice"
    LEAVES = "leaves"
    PAUSED = "paused"


@built_quickly
@dataclass(frozen=True, slots=True)
class Room:
    """What one step of one order permits, in whole lots.

    `slice_cap` holds for every slice; `market_cap` is this step's participation limit (None: no limit);
    `min_slice` is the smallest slice worth sending; `stopping` says that the order has decided to stop;
    `price_blocked` that the market is beyond the limit price, `paused` that the OMS wants nothing traded now.
    """

    step: int
    min_steps: int
    max_steps: int
    total: int
    leaves: int
    slice_cap: int
    market_cap: int | None = None
    min_slice: int = 1
    stopping: bool = False
    price_blocked: bool = False
    paused: bool = False


@built_quickly
@dataclass(frozen=True, slots=True)
class Projection:
    """What is asked for: `lots`, whether the order is `stopping` from here on, whether this slice is `final`: of the
    last step, or of all that is left."""

    lots: int
    stopping: bool
    final: bool
    bound_by: Bound | None
    stop_reason: StopReason | None


def slice_cap_lots(total: int, max_slice_fraction: Decimal | None, max_steps: int) -> int:
    """The slice cap in lots: the fraction rounded down, or up by less than a lot where `max_steps` slices could not
    make the order otherwise. Raises InvalidInput where the fraction itself is too small for that."""
    if max_slice_fraction is None:
        return total
    if (max_slice_fraction + FRACTION_ROUNDING) * max_steps < 1:
        raise InvalidInput(
            "slice_cap_infeasible",
            f"{max_steps} slices of at most {max_slice_fraction:f} of the order cannot finish it; "
            f"max_slice_fraction must be at least 1/{max_steps}",
            "#/limits/max_slice_fraction",
        )
    rounded_down = int(Fraction(max_slice_fraction) * total)
    even_pace = -(-total // max_steps)
    return max(rounded_down, even_pace)


def project(room: Room, allocation: float, stop_probability: float) -> Projection:
    """Turn a proposal (a fraction of the whole order, and a probability of stopping now) into whole lots.

    A NaN counts as no proposal: nothing is traded that the limits do not force, and nothing is stopped.
    """
    steps_after = room.max_steps - room.step
    steps_to_finish = -(-room.leaves // room.slice_cap) if room.leaves else 0
    may_stop = room.step + steps_to_finish - 1 >= room.min_steps
    stopping = may_stop and (room.stopping or (stop_probability > STOP_THRESHOLD and not room.paused))
    min_slice = max(1, min(room.min_slice, room.slice_cap, room.leaves))

    upper, upper_bound = _upper(room, min_slice)
    lower = min(upper, max(0, room.leaves - steps_after * room.slice_cap))
    wanted = room.leaves if stopping else _lots(allocation, room)
    if wanted > upper:
        lots, bound_by = upper, upper_bound
    elif wanted < lower:
        lots, bound_by = lower, Bound.MAX_STEPS
    else:
        lots, bound_by = wanted, None

    may_wait = lower == 0 and not stopping
    worthwhile = _merge_small(lots, room.leaves, (lower, upper), min_slice, may_wait) if steps_after else lots
    if worthwhile != lots:
        lots, bound_by = worthwhile, Bound.MIN_SLICE

    finishes = lots == room.leaves > 0
    reason = None
    if finishes or steps_after == 0:
        reason = stop_reason(room.step, room.max_steps, stopping=stopping)
    return Projection(lots, stopping, reason is not None, bound_by, reason)


def _lots(allocation: float, room: Room) -> int:
    if math.isnan(allocation) or allocation <= 0.0:
        return 0
    return room.total if allocation >= 1.0 else round(allocation * room.total)


def _upper(room: Room, min_slice: int) -> tuple[int, Bound]:
    """The most that this step may trade, and the limit that says so."""
    upper, bound_by = room.leaves, Bound.LEAVES
    if room.slice_cap < upper:
        upper, bound_by = room.slice_cap, Bound.SLICE_CAP
    kept = max(0, room.leaves - min_slice)  # all may be in flight already, and nothing left to keep
    if room.step < room.min_steps and kept < upper:
        upper, bound_by = kept, Bound.MIN_STEPS
    if room.market_cap is not None and room.market_cap < upper:
        upper, bound_by = room.market_cap, Bound.PARTICIPATION
    if room.price_blocked:
        upper, bound_by = 0, Bound.LIMIT_PRICE
    if room.paused:
        upper, bound_by = 0, Bound.PAUSED
    return upper, bound_by


def _merge_small(lots: int, leaves: int, permitted: tuple[int, int], min_slice: int, may_wait: bool) -> int:
    """Avoid a slice, or a rest, under the minimum, as far as the permitted range goes."""
    lower, upper = permitted
    if 0 < lots < min_slice:
        lots = 0 if lower == 0 else min(min_slice, upper)
    if 0 < leaves - lots < min_slice:
        smaller = leaves - min_slice
        if smaller >= max(lower, min_slice):
            return smaller
        if may_wait:
            return 0
    return lots
