"""What a fresh network knows: the optimum for a random walk, and its hedge, at every length."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from app.decision.policies.stopping_rule import Y_STEP, stopping_rule
from models.network.martingale import Y_MAX, Y_POINTS, MartingaleRule
from models.objective.rollout import roll
from models.training.validation import validation_table
from tests.models.test_rollout import some_paths, some_terms
from tests.models.tiny import TINY, a_net, some_tapes

Y = np.linspace(-Y_MAX, Y_MAX, Y_POINTS)
"""In units of sqrt(max_steps), as the tables have it."""


@pytest.fixture(scope="module")
def tables() -> MartingaleRule:
    return MartingaleRule(256)


def same(value: float, like: torch.Tensor) -> torch.Tensor:
    return torch.full_like(like, value)


def targets(tables: MartingaleRule, min_steps: int, max_steps: int, step: int) -> torch.Tensor:
    y = torch.from_numpy(Y).float()
    return tables.target(same(min_steps, y), same(max_steps, y), same(step, y), y)


def thresholds(tables: MartingaleRule, max_steps: int) -> np.ndarray:
    """In units of sqrt(max_steps), before each step but the first and the last."""
    steps = torch.arange(2.0, max_steps)
    return tables.threshold(torch.ones_like(steps), same(max_steps, steps), steps).double().numpy()


@pytest.mark.parametrize("max_steps", [3, 5, 6, 11, 12, 24])
def test_the_thresholds_of_a_length_of_the_table_are_those_of_the_rule(tables: MartingaleRule, max_steps: int) -> None:
    rule = stopping_rule(1, max_steps)

    assert thresholds(tables, max_steps) == pytest.approx(rule.threshold[1:-1] / math.sqrt(max_steps), abs=1e-5)


@pytest.mark.parametrize(("max_steps", "error"), [(63, 0.02), (78, 0.02), (250, 0.02)])
def test_between_the_lengths_of_the_table_thresholds_are_nearly_those_of_the_rule(
    tables: MartingaleRule, max_steps: int, error: float
) -> None:
    """In units of sqrt(max_steps): the rule's own steps are Y_STEP of a unit of volatility."""
    rule = stopping_rule(1, max_steps).threshold[1:-1] / math.sqrt(max_steps)

    assert np.abs(thresholds(tables, max_steps) - rule).max() < error + Y_STEP / math.sqrt(max_steps)


@pytest.mark.parametrize(("min_steps", "max_steps"), [(1, 12), (6, 12), (9, 12), (12, 12), (12, 24), (1, 1), (2, 2)])
def test_the_paces_of_a_length_of_the_table_are_those_of_the_rule(
    tables: MartingaleRule, min_steps: int, max_steps: int
) -> None:
    rule = stopping_rule(min_steps, max_steps)

    for step in range(1, max_steps + 1):
        exact = rule.target(np.full(len(Y), step - 1), Y * math.sqrt(max_steps))
        assert targets(tables, min_steps, max_steps, step).numpy() == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize(("min_steps", "max_steps"), [(5, 7), (22, 63), (39, 78), (64, 96), (125, 250), (1, 250)])
def test_between_the_lengths_of_the_table_paces_are_nearly_those_of_the_rule(
    tables: MartingaleRule, min_steps: int, max_steps: int
) -> None:
    """On average over where a random walk takes an order by then."""
    rule = stopping_rule(min_steps, max_steps)
    for step in range(1, max_steps + 1, max(1, max_steps // 20)):
        exact = rule.target(np.full(len(Y), step - 1), Y * math.sqrt(max_steps))
        deviation = math.sqrt(max(step - 1, 0.5) / 3.0 / max_steps)
        likely = np.exp(-((Y / deviation) ** 2) / 2.0)

        errors = np.abs(targets(tables, min_steps, max_steps, step).numpy() - exact)

        assert (errors * likely).sum() / likely.sum() < 0.03


@pytest.mark.parametrize("max_steps", [1, 2, 7, 63, 250])
def test_an_order_that_may_not_stop_is_paced_evenly(tables: MartingaleRule, max_steps: int) -> None:
    for step in range(1, max_steps + 1):
        even = targets(tables, max_steps, max_steps, step)
        assert even.numpy() == pytest.approx(np.full(len(Y), step / max_steps), abs=2e-3)


@pytest.mark.parametrize("least", [1, 2, 7, 12])
def test_no_order_ends_before_its_earliest_end(tables: MartingaleRule, least: int) -> None:
    steps = torch.arange(1.0, 13.0)

    never = tables.threshold(same(least, steps), same(12, steps), steps) > Y_MAX

    assert never.tolist() == [step < max(2, least) for step in range(1, 13)]


def test_no_order_ends_before_its_first_step(tables: MartingaleRule) -> None:
    first = torch.ones(4)

    assert (tables.threshold(first, torch.tensor([1.0, 2.0, 60.0, 256.0]), first) > Y_MAX).all()


@pytest.mark.parametrize("steps", [1, 2, 4, 1_000])
def test_tables_of_every_size_say_the_same(tables: MartingaleRule, steps: int) -> None:
    """They end with the first length that is not below the longest horizon."""
    fewer, longest = MartingaleRule(steps), min(steps, 64)
    step = torch.arange(1.0, longest + 1)

    for name in ("threshold", "target"):
        y = (torch.full_like(step, 0.3),) if name == "target" else ()
        ours, theirs = (
            getattr(each, name)(torch.ones_like(step), same(longest, step), step, *y) for each in (fewer, tables)
        )
        assert torch.allclose(ours, theirs, atol=1e-5)


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
