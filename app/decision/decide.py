"""The one place where slices are decided: the service and the backtest both call `decide`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.decision.market import Market
from app.decision.policy import Policy, Proposal, Rows
from app.domain.projection import Projection, Room, project
from app.domain.slice import Basis


@dataclass(frozen=True, slots=True)
class Reading:
    """A policy and what it made of the market; `market` is None where it cannot serve, and `unavailable` says why."""

    policy: Policy
    market: Market | None
    unavailable: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`allocation` and `stop_probability` are the raw proposal of `policy`; `projection` is what becomes a slice."""

    projection: Projection
    allocation: float
    stop_probability: float
    policy: str
    basis: Basis
    fallback_reason: str | None


def decide(readings: Sequence[Reading], rows: Rows, rooms: Sequence[Room]) -> list[Decision]:
    """One batch for all orders: ask the first policy, project each answer on the order's own limits.

    `rooms[b]` belongs to row b. Where a policy cannot serve, raises, or answers with NaN or infinity, the next reading
    is asked for those rows and the decision is marked as a fallback with the reason; after the last one nothing is
    proposed and the limits alone decide. It never raises for what a policy does.
    """
    decided: dict[int, Decision] = {}
    pending = np.arange(len(rows))
    reason: str | None = None
    for place, reading in enumerate(readings):
        proposal, failure = _ask(reading, rows.take(pending))
        if proposal is not None:
            good = np.isfinite(proposal.allocation) & np.isfinite(proposal.stop_probability)
            basis = Basis.FALLBACK if place else Basis.MODEL
            allocations, stops = proposal.allocation.tolist(), proposal.stop_probability.tolist()
            for at in np.flatnonzero(good).tolist():
                row = int(pending[at])
                projection = project(rooms[row], allocations[at], stops[at])
                decided[row] = Decision(projection, allocations[at], stops[at], reading.policy.name, basis, reason)
            pending = pending[~good]
            failure = "not_finite"
        if not len(pending):
            break
        reason = reason or failure
    for row in pending.tolist():
        projection = project(rooms[row], math.nan, 0.0)
        decided[row] = Decision(projection, math.nan, 0.0, "limits", Basis.FALLBACK, reason)
    return [decided[row] for row in range(len(rows))]


def _ask(reading: Reading, rows: Rows) -> tuple[Proposal | None, str | None]:
    if reading.market is None:
        return None, reading.unavailable or "unavailable"
    try:
        return reading.policy.propose(reading.market, rows), None
    except Exception as error:  # noqa: BLE001 - whatever a model does wrong, the order goes on
        return None, f"policy_failed: {type(error).__name__}"
