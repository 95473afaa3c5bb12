"""What stands in one table is of the same orders, though policies need histories of different lengths."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from app.backtest.job import Job, run_file
from app.backtest.setup import Setup
from app.decision.policies.registry import baseline
from models.evaluation.evaluation_plan import EvaluationPlan
from models.evaluation.tables.market_tables import Tables
from tests.evaluation.stand_in import StandIn, a_market, a_plan, evaluated
from tests.market import a_walk_file

HISTORY = 200
EVERY, BAR_SECONDS = 24, 900
FIRST = -(-HISTORY // EVERY) * EVERY * BAR_SECONDS
"""Seconds at which the model's orders begin; those of the baselines begin at the first day."""
CELL = ("side", "benchmark", "size_mode", "min_steps", "month", "order_size", "step_ahead")


@pytest.fixture(name="plan", scope="module")
def a_plan_with_a_young_instrument(tmp_path_factory: pytest.TempPathFactory) -> EvaluationPlan:
    """Of three instruments the first is too young for the model, not for the baselines."""
    folder = tmp_path_factory.mktemp("bars")
    young = a_walk_file(folder, name="A-900s.parquet", bars=HISTORY, seed=9)
    market = a_market(folder, bars=1000, start=None)
    return a_plan({"walks": market.model_copy(update={"paths": (young, *market.paths)})})


@pytest.fixture(name="together", scope="module")
def all_tables(plan: EvaluationPlan, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return evaluated(plan, tmp_path_factory.mktemp("out"), StandIn(history_min=HISTORY))


@pytest.mark.parametrize("table", ["distributions", "frontier", "months", "costs", "tracking", "volume_errors"])
def test_every_policy_of_a_table_has_the_same_number_of_orders(together: Tables, table: str) -> None:
    counts, policies = defaultdict(set), set()
    for row in together[table]:
        policies.add(row["policy"])
        counts[tuple(row.get(name) for name in CELL)].add(row.get("orders", row.get("forecasts")))

    assert "lem" in policies
    assert len(policies) > 1
    assert all(len(numbers) == 1 for numbers in counts.values())


def test_levels_are_those_of_the_orders_that_the_model_can_take(plan: EvaluationPlan, together: Tables) -> None:
    setup = Setup(min_steps=(6,), max_steps=12, every=EVERY, risk_aversion=0.0, start=FIRST)
    job = Job(policy="optimal_stopping", bundle=Path(), setup=setup, step_seconds=None)
    orders = [run_file(path, job, baseline("optimal_stopping")).orders for path in plan.markets["walks"].paths]
    slippage = np.concatenate([each.column("slippage_bps").to_numpy() for each in orders])
    benchmark = np.concatenate([each.column("benchmark").to_numpy() for each in orders])

    (row,) = (
        row
        for row in together["distributions"]
        if (row["policy"], row["side"], row["benchmark"], row["min_steps"]) == ("optimal_stopping", "both", "vwap", 6)
    )

    assert row["orders"] == (benchmark == "vwap").sum()
    assert row["slippage_bps_mean"] == pytest.approx(slippage[benchmark == "vwap"].mean(), abs=1e-4)


def test_a_difference_is_that_of_the_levels_beside_it(together: Tables) -> None:
    cell = {"side": "both", "benchmark": "twap", "size_mode": "both", "min_steps": 1}

    def level(policy: str) -> float:
        wanted = (cell | {"policy": policy}).items()
        (row,) = (row for row in together["distributions"] if wanted <= {**row}.items())
        return float(row["slippage_bps_mean"])

    for row in together["paired"]:
        if cell.items() <= row.items():
            assert row["gain_bps_difference"] == pytest.approx(level(row["baseline"]) - level("lem"), abs=1e-3)
