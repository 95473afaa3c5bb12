"""The model proposes, the projection disposes.

Hard limits in exact whole lots. What holds for every input, NaN and infinities included:

- a slice is never negative and never above the slice cap, the participation cap or what is left;
- nothing is traded while the limit price forbids it, or while the order is paused, which decides no stop then;
- the order is not finished before `min_steps`, and stays finishable by `max_steps` under the slice cap;
- at `max_steps` all that the caps permit is traded;
- where some steps permit nothing, all of this holds of the steps that permit something: the last of those is the last
  step then.

The participation cap of an order that must be completed gives way where the order could not be done otherwise: by
`max_steps` under the slice cap, or, in the last steps, at an even pace. The minimum slice gives way to all of these: a
slice under it is merged into the next one, and the last takes the rest.
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
LAST_STEPS_OF = 10
"""One in so many steps is one of the last, and at least one of an order's is."""
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
    AVOID_OPEN = "avoid_open"
    AVOID_CLOSE = "avoid_close"


@built_quickly
@dataclass(frozen=True, slots=True)
class Room:
    """What one step of one order permits, in whole lots.

    `slice_cap` holds for every slice; `market_cap` is this step's participation limit (None: no limit);
    `min_slice` is the smallest slice worth sending; `stopping` says that the order has decided to stop;
    `price_blocked` that the market is beyond the limit price, `at_finish_price` that it is at the finish price or
    better, `paused` that the OMS wants nothing traded now. `avoided` is the limit that forbids this step, and
    `usable_after` counts the later steps that no such limit forbids (None: all of them). `completing`: the order must
    be done.
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
    at_finish_price: bool = False
    avoided: Bound | None = None
    usable_after: int | None = None
    completing: bool = False

    @property
    def steps_after(self) -> int:
        """How many later steps may trade."""
        return self.max_steps - self.step if self.usable_after is None else self.usable_after


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


def last_steps(max_steps: int) -> int:
    """How many steps at the end of an order count as its last ones."""
    return -(-max_steps // LAST_STEPS_OF)


def slice_cap_lots(total: int, max_slice_fraction: Decimal | None, max_steps: int) -> int:
    """The slice cap in lots: the fraction rounded down, or up by less than a lot where `max_steps` slices could not
    make the order otherwise. `max_steps` counts the steps in which the order may trade. Raises InvalidInput where the
    fraction itself is too small for that."""
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
    steps_after = room.steps_after
    steps_to_finish = -(-room.leaves // room.slice_cap) if room.leaves else 0
    may_stop = room.step + steps_to_finish - 1 >= room.min_steps
    stopping = may_stop and (room.stopping or (stop_probability > STOP_THRESHOLD and not room.paused))
    finishing = may_stop and room.at_finish_price and not room.paused
    min_slice = max(1, min(room.min_slice, room.slice_cap, room.leaves))

    needed = _needed(room, steps_after)
    upper, upper_bound = _upper(room, min_slice, needed)
    lower = min(upper, needed)
    wanted = room.leaves if stopping or finishing else _lots(allocation, room)
    bound_by: Bound | None
    if wanted > upper:
        lots, bound_by = upper, upper_bound
    elif wanted < lower:
        lots, bound_by = lower, Bound.MAX_STEPS
    else:
        lots, bound_by = wanted, room.avoided

    may_wait = lower == 0 and not (stopping or finishing)
    worthwhile = _merge_small(lots, room.leaves, (lower, upper), min_slice, may_wait) if steps_after else lots
    if worthwhile != lots:
        lots, bound_by = worthwhile, Bound.MIN_SLICE

    finishes = lots == room.leaves > 0
    reason = None
    if finishes or room.step == room.max_steps:
        last = room.max_steps if steps_after else room.step
        reason = stop_reason(room.step, last, stopping=stopping, finishing=finishing)
    return Projection(lots, stopping, reason is not None, bound_by, reason)


def _lots(allocation: float, room: Room) -> int:
    if math.isnan(allocation) or allocation <= 0.0:
        return 0
    return room.total if allocation >= 1.0 else round(allocation * room.total)


def _needed(room: Room, steps_after: int) -> int:
    """What must be traded now so that the order can be done, as far as its other limits go."""
    needed = max(0, room.leaves - steps_after * room.slice_cap)
    if room.completing and room.market_cap is not None and steps_after < last_steps(room.max_steps):
        even_pace = -(-room.leaves // (steps_after + 1))
        if even_pace > room.market_cap:
            return max(needed, even_pace)
    return needed


def _upper(room: Room, min_slice: int, needed: int) -> tuple[int, Bound]:
    """The most that this step may trade, and the limit that says so."""
    upper, bound_by = room.leaves, Bound.LEAVES
    if room.slice_cap < upper:
        upper, bound_by = room.slice_cap, Bound.SLICE_CAP
    kept = max(0, room.leaves - min_slice)  # all may be in flight already, and nothing left to keep
    if room.step < room.min_steps and kept < upper:
        upper, bound_by = kept, Bound.MIN_STEPS
    if room.market_cap is not None:
        market_cap = max(room.market_cap, needed) if room.completing else room.market_cap
        if market_cap < upper:
            upper, bound_by = market_cap, Bound.PARTICIPATION
    if room.price_blocked:
        upper, bound_by = 0, Bound.LIMIT_PRICE
    if room.avoided is not None:
        upper, bound_by = 0, room.avoided
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
