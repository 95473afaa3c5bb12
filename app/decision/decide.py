"""The one place where slices are decided: the service calls `decide`, the backtest and the foresight of schedules its
vectorised twin `decide_all`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from app.decision.chain import ChainReading, Reading
from app.decision.policy import Proposal, Rows
from app.decision.projections import Projections, Rooms, project_all
from app.domain.evolve import built_quickly
from app.domain.projection import Projection, Room, project
from app.domain.slice import Basis

NOBODY = "limits"
"""What decides where no policy could: nothing is proposed, and the order's limits alone say what is traded."""


@built_quickly
@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What `policy` proposes for one order, raw. `fallback_reason` says why it was not the model that answered."""

    policy: str
    allocation: float
    stop_probability: float
    basis: Basis = Basis.MODEL
    fallback_reason: str | None = None


@built_quickly
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was proposed, and what the order's limits make of it: `projection` becomes the slice."""

    judgement: Judgement
    projection: Projection


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedBatch:
    """What became of many orders: `allocation` and `stop_probability` [B] are the raw proposals, `fallbacks` counts
    those that are not the model's."""

    projections: Projections
    allocation: NDArray[np.float64]
    stop_probability: NDArray[np.float64]
    fallbacks: int


def decide(chain: ChainReading, rows: Rows, rooms: Sequence[Room]) -> list[Decision]:
    """One batch for all orders: `judge` each, then project its answer on the order's own limits.

    `rooms[b]` belongs to row b. It never raises for what a policy does.
    """
    return [
        Decision(judgement=each, projection=project(room, each.allocation, each.stop_probability))
        for each, room in zip(judge(chain, rows), rooms, strict=True)
    ]


def decide_all(chain: ChainReading, rows: Rows, rooms: Rooms) -> DecidedBatch:
    """As `decide`, for orders that are alike but for where they stand."""
    asked = _asked(chain, rows)
    return DecidedBatch(
        projections=project_all(rooms, asked.allocation, asked.stop_probability),
        allocation=asked.allocation,
        stop_probability=asked.stop_probability,
        fallbacks=int(np.count_nonzero(asked.answered)),
    )


def judge(chain: ChainReading, rows: Rows) -> list[Judgement]:
    """Ask the model about every row. Where a policy cannot serve, raises, or answers with NaN or infinity, the next one
    of the chain is asked about those rows; after the last one nothing is proposed."""
    asked = _asked(chain, rows)
    readings = list(islice(chain, len(asked.reasons)))
    columns = (asked.answered.tolist(), asked.allocation.tolist(), asked.stop_probability.tolist())
    return [
        Judgement(
            policy=readings[answered].policy.name,
            allocation=allocation,
            stop_probability=stop_probability,
            basis=Basis.FALLBACK if answered else Basis.MODEL,
            fallback_reason=asked.reasons[answered],
        )
        if answered < len(readings)
        else nothing_proposed(asked.reasons[answered])
        for answered, allocation, stop_probability in zip(*columns, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """[B] each: which reading of the chain has `answered`, their number where none has, and what it proposes.
    `reasons[answered]` says why it was not the model; there are as many as readings that were asked, and one more where
    none of them could answer some row."""

    answered: NDArray[np.int64]
    allocation: NDArray[np.float64]
    stop_probability: NDArray[np.float64]
    reasons: list[str | None]


def _asked(chain: ChainReading, rows: Rows) -> _Asked:
    """Where the model answers every row, that is all: what stands in for it takes longer to be left out row by row than
    a few rows take to be decided."""
    proposal, failure = _ask(chain.model, rows)
    if proposal is None or not _answered(proposal).all():
        return _asked_in_turn(chain, rows, (proposal, failure))
    return _Asked(
        answered=np.zeros(len(rows), dtype=np.int64),
        allocation=proposal.allocation,
        stop_probability=proposal.stop_probability,
        reasons=[None],
    )


def _asked_in_turn(chain: ChainReading, rows: Rows, by_model: tuple[Proposal | None, str | None]) -> _Asked:
    """Each reading of the chain about the rows that those before it have not answered."""
    answered = np.zeros(len(rows), dtype=np.int64)
    allocation, stop_probability = np.full(len(rows), np.nan), np.zeros(len(rows))
    pending = np.arange(len(rows))
    reasons: list[str | None] = [None]
    for reading in chain:
        proposal, failure = by_model if reading is chain.model else _ask(reading, rows.take(pending))
        if proposal is not None:
            good = _answered(proposal)
            allocation[pending[good]] = proposal.allocation[good]
            stop_probability[pending[good]] = proposal.stop_probability[good]
            pending = pending[~good]
            failure = "not_finite"
        if not len(pending):
            break
        answered[pending] += 1
        reasons.append(reasons[-1] or failure)
    return _Asked(answered=answered, allocation=allocation, stop_probability=stop_probability, reasons=reasons)


def _answered(proposal: Proposal) -> NDArray[np.bool_]:
    """[B]: the rows whose proposal is a number."""
    return np.isfinite(proposal.allocation) & np.isfinite(proposal.stop_probability)


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
