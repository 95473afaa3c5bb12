"""The vectorised projection is the service's own, row by row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backtest.deciding import Rooms, decide_all, project_all
from app.domain.projection import project
from app.engine.decide import Reading, decide
from app.engine.market import Floats, Market
from app.engine.policy import Proposal, Rows
from app.policies.twap import Twap
from tests.market import some_rows

TOTAL = 1000
COUNT = 64


def some_rooms(seed: int, step: int, cap: int) -> Rooms:
    """Orders at every stage, finishable under the cap, none of them done."""
    random = np.random.default_rng(seed)
    most = min(TOTAL, (12 - step + 1) * cap)
    return Rooms(
        step=step,
        max_steps=12,
        total=TOTAL,
        slice_cap=cap,
        min_steps=random.integers(1, 13, COUNT),
        leaves=random.integers(1, most + 1, COUNT),
        stopping=random.random(COUNT) < 0.2,
    )


@given(seed=st.integers(0, 2**32 - 1), step=st.integers(1, 12), cap=st.sampled_from([84, 100, 250, 999, 1000]))
def test_every_row_is_projected_as_in_the_service(seed: int, step: int, cap: int) -> None:
    rooms = some_rooms(seed, step, cap)
    random = np.random.default_rng(seed + 1)
    allocation = random.choice([-0.1, 0.0, 0.0005, 0.0015, 0.2, 0.9995, 1.0, 3.0], COUNT) * random.random(COUNT)
    probability = random.choice([0.0, 0.3, 0.5, 0.500001, 1.0], COUNT)

    lots, stopping = project_all(rooms, allocation, probability)

    for row in range(COUNT):
        plain = project(rooms.one(row), float(allocation[row]), float(probability[row]))
        assert (lots[row], stopping[row]) == (plain.lots, plain.stopping)


class Broken(Twap):
    """Answers with NaN for orders that are half done, or raises."""

    def __init__(self, *, raises: bool) -> None:
        self.raises = raises

    def propose(self, market: Market, rows: Rows) -> Proposal:
        if self.raises:
            raise RuntimeError("broken")
        proposal = super().propose(market, rows)
        proposal.allocation[rows.filled_fraction > 0.5] = np.nan
        return proposal


def a_reading(policy: Twap) -> Reading:
    nothing: Floats = np.zeros((1, 0), np.float32)
    return Reading(policy, Market(nothing, np.ones((1, 24), np.float32)))


@pytest.mark.parametrize(
    "reading",
    [
        a_reading(Twap()),
        a_reading(Broken(raises=False)),
        a_reading(Broken(raises=True)),
        Reading(Twap(), None, "no_orders"),
    ],
)
def test_what_a_policy_gets_wrong_is_decided_as_in_the_service(reading: Reading) -> None:
    rooms = some_rooms(seed=5, step=4, cap=200)
    rows = some_rows(COUNT, step=4, filled_fraction=1.0 - rooms.leaves / TOTAL)

    decisions = decide_all(reading, rows, rooms)

    plain = decide([reading], rows, [rooms.one(row) for row in range(COUNT)])
    assert decisions.lots.tolist() == [decision.projection.lots for decision in plain]
    assert decisions.fallback.tolist() == [decision.basis == "fallback" for decision in plain]
