"""The one place where slices are decided: the service and the backtest both call `decide`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.decision.chain import ChainReading, Reading
from app.decision.policy import Proposal, Rows
from app.domain.projection import Projection, Room, project
from app.domain.slice import Basis

NOBODY = "limits"
"""What decides where no policy could: nothing is proposed, and the order's limits alone say what is traded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What `policy` proposes for one order, raw. `fallback_reason` says why it was not the model that answered."""

    policy: str
    allocation: float
    stop_probability: float
    basis: Basis = Basis.MODEL
    fallback_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was proposed, and what the order's limits make of it: `projection` becomes the slice."""

    judgement: Judgement
    projection: Projection


def decide(chain: ChainReading, rows: Rows, rooms: Sequence[Room]) -> list[Decision]:
    """One batch for all orders: `judge` each, then project its answer on the order's own limits.

    `rooms[b]` belongs to row b. It never raises for what a policy does.
    """
    return [
        Decision(judgement=each, projection=project(room, each.allocation, each.stop_probability))
        for each, room in zip(judge(chain, rows), rooms, strict=True)
    ]


def judge(chain: ChainReading, rows: Rows) -> list[Judgement]:
    """Ask the model about every row. Where a policy cannot serve, raises, or answers with NaN or infinity, the next one
    of the chain is asked about those rows; after the last one nothing is proposed."""
    judgements: dict[int, Judgement] = {}
    pending = np.arange(len(rows))
    reason: str | None = None
    for reading in chain:
        basis = Basis.MODEL if reading is chain.model else Basis.FALLBACK
        proposal, failure = _ask(reading, rows.take(pending))
        if proposal is not None:
            good = np.isfinite(proposal.allocation) & np.isfinite(proposal.stop_probability)
            allocations, stops = proposal.allocation.tolist(), proposal.stop_probability.tolist()
            for index in np.flatnonzero(good).tolist():
                judgements[int(pending[index])] = Judgement(
                    policy=reading.policy.name,
                    allocation=allocations[index],
                    stop_probability=stops[index],
                    basis=basis,
                    fallback_reason=reason,
                )
            pending = pending[~good]
            failure = "not_finite"
        if not len(pending):
            break
        reason = reason or failure
    for row in pending.tolist():
        judgements[row] = nothing_proposed(reason)
    return [judgements[row] for row in range(len(rows))]


def nothing_proposed(reason: str | None) -> Judgement:
    """No policy decides: `reason` says why."""
    return Judgement(
        policy=NOBODY, allocation=math.nan, stop_probability=0.0, basis=Basis.FALLBACK, fallback_reason=reason
    )


def _ask(reading: Reading, rows: Rows) -> tuple[Proposal | None, str | None]:
    if reading.market is None:
        return None, reading.unavailable or "unavailable"
    try:
        return reading.policy.propose(reading.market, rows), None
    except Exception as error:  # noqa: BLE001 - whatever a model does wrong, the order goes on
        return None, f"policy_failed: {type(error).__name__}"
