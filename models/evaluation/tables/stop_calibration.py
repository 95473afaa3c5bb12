"""Does the model know when to stop? The probability of stopping against the gain of stopping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.backtest.job import LEM
from app.domain.order import SCENARIOS, Benchmark
from app.domain.projection import STOP_THRESHOLD
from models.evaluation.backtest_run import Part
from models.evaluation.market_results import MarketResults
from models.evaluation.tables.row_figures import Row

BINS = 10
BENCHMARK = np.array([scenario.benchmark.value for scenario in SCENARIOS])


def stop_calibration(results: MarketResults) -> Iterator[Row]:
    """By the probability of stopping: how much more finishing at that decision gained than going on.

    The advantage of a calibrated stop changes its sign at a probability of one half. Decisions count also where the
    order would have stopped before; `reached` counts those that it meets when it stops by the model's rule.
    """
    for row, chosen in _stop_groups(results):
        probability, advantage = chosen["probability"], chosen["advantage_sigma"]
        bins = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
        for index in range(BINS):
            inside = bins == index
            if inside.any():
                gained = advantage[inside].astype(np.float64)
                yield row | {
                    "probability_from": index / BINS,
                    "probability_to": (index + 1) / BINS,
                    "decisions": int(inside.sum()),
                    "reached": int(chosen["reached"][inside].sum()),
                    "probability_mean": float(probability[inside].mean()),
                    "advantage_sigma_mean": float(gained.mean()),
                    "advantage_sigma_error": float(gained.std() / np.sqrt(len(gained))),
                    "stopping_was_better": float((gained > 0.0).mean()),
                }


def stop_steps(results: MarketResults) -> Iterator[Row]:
    """By step, among orders that reach it: the mean probability of stopping there, and the share that stopped."""
    for row, chosen in _stop_groups(results):
        for step in np.unique(chosen["step"]).tolist():
            here = (chosen["step"] == step) & chosen["reached"]
            if here.any():
                probability = chosen["probability"][here]
                yield row | {
                    "step": step,
                    "orders": int(here.sum()),
                    "probability_mean": float(probability.mean()),
                    "stopped": float((probability > STOP_THRESHOLD).mean()),
                    "advantage_sigma_mean": float(chosen["advantage_sigma"][here].mean()),
                }


def _stop_groups(results: MarketResults) -> Iterator[tuple[Row, dict[str, NDArray[Any]]]]:
    for run in results.runs(Part.STOP, LEM):
        found = results.stops(run)
        for benchmark in Benchmark:
            for min_steps in run.min_steps:
                inside = (BENCHMARK[found["scenario"]] == benchmark.value) & (found["min_steps"] == min_steps)
                row = {
                    "market": results.market,
                    "benchmark": benchmark.value,
                    "min_steps": min_steps,
                    "max_steps": run.max_steps,
                }
                yield row, {name: values[inside] for name, values in found.items()}
