"""Orders in whose place a later one stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An order in whose place a later one stands: its slices were those of the steps up to `last_step`, from the one
    after the last of the order before it."""

    order_id: str
    last_step: int


def owner_of(earlier: Sequence[Earlier], step: int) -> str:
    """The id of the order that has asked for the slice of a step; `earlier` begins with the first of the orders."""
    return next(each.order_id for each in earlier if step <= each.last_step)
