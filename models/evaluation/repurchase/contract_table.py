"""The table of repurchase contracts: gains, what they are made of, and the difference to the exact stopping rule."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from app.domain.order import SCENARIOS
from models.evaluation.backtest_run import Part, Run
from models.evaluation.market_results import MarketResults
from models.evaluation.repurchase.repurchase_plan import Contract
from models.evaluation.rivals import STOPPING_BASELINE
from models.evaluation.tables.random_walk import best_mean
from models.evaluation.tables.row_figures import Row, Vector, blocks_of, with_interval

WALKS = "walks"


def contract_rows(results: MarketResults, contract: Contract, *, bars: str, resamples: int, seed: int) -> Iterator[Row]:
    """One row for each run and size mode. `bars` says what the orders ran on. Gains are in bps of the benchmark and
    positive where they are good; on `WALKS` the optimum of stopping stands beside them."""
    rules = {run.slice_cap: results.orders(run) for run in results.runs(Part.REPURCHASE, STOPPING_BASELINE)}
    for run in results.runs(Part.REPURCHASE):
        orders, parts, rule = results.orders(run), results.gain_parts(run), rules[run.slice_cap]
        blocks = blocks_of(orders, resamples, seed)
        for index, number in enumerate(run.scenarios):
            gain, of_rule = (-each.slippage_bps[:, index, 0].astype(np.float64) for each in (orders, rule))
            stop, convexity = (parts[name][:, index, 0].astype(np.float64) for name in ("stop_bps", "convexity_bps"))
            yield {
                "bars": bars,
                "sigma_year": contract.sigma_year if bars == WALKS else float("nan"),
                "policy": run.policy,
                "risk_aversion": run.risk_aversion,
                "size_mode": SCENARIOS[number].size_mode.value,
                "slice_cap": run.slice_cap,
                "min_steps": contract.min_steps,
                "max_steps": contract.max_steps,
                "orders": len(gain),
                "optimum_bps": optimum_bps(contract, run) if bars == WALKS else float("nan"),
                **_distribution(gain),
                "gain_bps_error": _error(gain),
                "stop_bps_mean": float(stop.mean()),
                "stop_bps_error": _error(stop),
                "pace_bps_mean": float((gain - stop - convexity).mean()),
                "convexity_bps_mean": float(convexity.mean()),
                "steps_used_mean": float(orders.steps_used[:, index, 0].mean()),
                "block_span_days": blocks.block_span_days,
                "horizon_days": blocks.horizon_days,
                **with_interval(gain - of_rule, blocks, "gain_bps"),
            }


def optimum_bps(contract: Contract, run: Run) -> float:
    """The best mean that stopping can earn on a walk, under the run's cap."""
    return 1e4 * contract.sigma * best_mean(contract.min_steps, contract.max_steps, run.slice_cap)


def _error(values: Vector) -> float:
    """The standard error of the mean of orders that do not overlap."""
    return float(values.std() / np.sqrt(len(values)))


def _distribution(gain: Vector) -> Row:
    low, high = np.percentile(gain, [5, 95])
    return {
        "gain_bps_mean": float(gain.mean()),
        "std_bps": float(gain.std()),
        "gain_bps_p5": float(low),
        "gain_bps_p95": float(high),
    }
