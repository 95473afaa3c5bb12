"""The shipped plans: which orders they measure, and on which walks."""

from __future__ import annotations

from pathlib import Path

from app.backtest.setup import Starts
from models.evaluation.evaluation_plan import read_plan

PLANS = Path(__file__).parents[2] / "models" / "plans"


LENGTHS = {
    "crypto_15m": {12: (1, 6, 9, 12), 24: (12,), 96: (32, 64, 96)},
    "crypto_1h": {12: (1, 6, 9, 12), 24: (12,)},
    "equity_5m": {12: (1, 6, 9, 12), 78: (39, 78)},
    "equity_1d": {12: (1, 6, 9, 12), 63: (22, 42), 126: (63,), 250: (125,)},
}
WALKS = {12: (1, 6, 9), 24: (1, 12, 18), 63: (1, 22, 32, 42), 78: (1, 26, 39, 60), 126: (1, 42, 63), 250: (1, 83, 125)}


def test_the_walks_are_those_of_the_plan_for_walks() -> None:
    """The plan of docs/results.md measures on the same walks as the plan for walks alone."""
    full, walks = (read_plan(PLANS / f"lem-2-{name}.toml") for name in ("test", "walk"))

    assert full.walk == walks.walk


def test_each_market_is_measured_at_its_lengths() -> None:
    plan = read_plan(PLANS / "lem-2-test.toml")

    found = {
        name: {horizon.max_steps: horizon.min_steps for horizon in market.horizons}
        for name, market in plan.markets.items()
    }
    assert found == LENGTHS
    assert plan.markets["equity_5m"].horizons[1].starts is Starts.OPEN


def test_walks_are_measured_at_all_lengths_with_and_without_a_cap() -> None:
    walk = read_plan(PLANS / "lem-2-walk.toml").walk

    assert walk is not None
    assert {horizon.max_steps: horizon.min_steps for horizon in walk.horizons} == WALKS
    assert {horizon.even_slices for horizon in walk.horizons} == {(2.0,)}


def test_the_contracts_are_those_of_published_work() -> None:
    plan = read_plan(PLANS / "lem-2-repurchase.toml").repurchase

    assert plan is not None
    assert [(each.max_steps, each.min_steps, each.sigma_year) for each in plan.contracts] == [
        (63, 22, 0.21),
        (125, 75, 0.25),
    ]
    assert plan.slice_caps == (0.06, 0.03)
    assert plan.market is not None
