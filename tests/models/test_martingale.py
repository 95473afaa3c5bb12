"""What a fresh network knows: the optimum for a random walk, and its hedge."""

from __future__ import annotations

import pytest
import torch

from app.decision.policies.stopping_rule import stopping_rule
from models.network.martingale import Y_STEP, MartingaleRule
from models.objective.rollout import roll
from models.training.validation import validation_table
from tests.models.test_rollout import some_paths, some_terms
from tests.models.tiny import TINY, a_net, some_tapes

STEPS = 6


@pytest.mark.parametrize(("min_steps", "max_steps"), [(1, 1), (1, 6), (3, 5), (6, 6)])
def test_the_tables_hold_the_rule_of_every_horizon(min_steps: int, max_steps: int) -> None:
    rule, tables = stopping_rule(min_steps, max_steps), MartingaleRule(STEPS)
    y = torch.arange(-2.0, 2.0, Y_STEP)

    for step in range(1, max_steps + 1):
        horizon = (torch.full_like(y, value) for value in (min_steps, max_steps, step))
        rows = tables.rows(*horizon)
        closed = torch.full(y.shape, step - 1).numpy()

        assert torch.allclose(
            tables.target(rows, y), torch.from_numpy(rule.target(closed, y.numpy())).float(), atol=1e-4
        )
        stops = tables.threshold(rows) <= y + 1e-6
        assert stops.tolist() == rule.stops(closed, y.double().numpy() + 1e-6).tolist()


def test_a_horizon_beyond_the_table_is_taken_at_its_end() -> None:
    tables = MartingaleRule(STEPS)
    far, last = torch.tensor([99.0]), torch.tensor([float(STEPS)])

    assert torch.equal(tables.rows(far, far, far), tables.rows(last, last, last))


@pytest.mark.measures
def test_a_fresh_network_earns_nearly_the_optimum_on_a_walk() -> None:
    """For 4 steps the optimum with min_steps 1 is worth about 0.19 sigma; the hedge keeps the spread below that."""
    net = a_net(noise=0.0)

    table = validation_table(net, some_tapes(6), "walk", 0.3)

    optimum = stopping_rule(1, TINY.max_steps).value
    row = next(row for row in table if row["benchmark"] == "twap" and row["min_steps"] == 1)
    assert float(row["gain_sigma_mean"]) > 0.8 * optimum
    assert float(row["gain_sigma_std"]) < 0.25


def test_the_surcharge_on_the_pace_leaves_the_stop_alone() -> None:
    """Its gradient reaches the weights that set the pace and none of those that only say when to stop."""
    net, paths = a_net(), some_paths()
    surcharge = torch.ones(len(paths.price))

    roll(net.decision, paths, some_terms(paths), hedge=surcharge).hedging.mean().backward()

    bias = net.decision.shared["last_bias"].grad
    assert bias is not None
    assert bias[0] != 0.0
    assert bias[2] == 0.0
