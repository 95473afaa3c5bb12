"""Does the model know what it says? The probability of stopping against what stopping earned, forecasts of volume
against what came. Rows in the columns of columns.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.backtest.job import LEM
from app.domain.order import SCENARIOS, Benchmark
from app.domain.projection import STOP_THRESHOLD
from models.evaluation.backtest_run import Part
from models.evaluation.results import Results
from models.evaluation.statistics import Row

FORECASTERS = (LEM, "volume_curve", "linear_volume", "twap")
"""`twap` forecasts the trailing mean: what knowing nothing more would give."""
BINS = 10
RATIO_FLOOR = 0.02
"""Added to both sides of a volume ratio, in trailing means: an empty bar is no infinite surprise."""

BENCHMARK = np.array([scenario.benchmark.value for scenario in SCENARIOS])


def stop_calibration(results: Results) -> Iterator[Row]:
    """By the probability given to stopping: what finishing now gained more than going on, at that very decision.

    A calibrated stop has the advantage change its sign at one half. Every decision counts, also those that no order
    comes to because it has stopped before; `reached` is how many are met in earnest.
    """
    for row, chosen in _stop_groups(results):
        probability, advantage = chosen["probability"], chosen["advantage_sigma"]
        bins = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
        for place in range(BINS):
            inside = bins == place
            if inside.any():
                gained = advantage[inside].astype(np.float64)
                yield row | {
                    "probability_from": place / BINS,
                    "probability_to": (place + 1) / BINS,
                    "decisions": int(inside.sum()),
                    "reached": int(chosen["reached"][inside].sum()),
                    "probability_mean": float(probability[inside].mean()),
                    "advantage_sigma_mean": float(gained.mean()),
                    "advantage_sigma_error": float(gained.std() / np.sqrt(len(gained))),
                    "stopping_was_better": float((gained > 0.0).mean()),
                }


def stop_steps(results: Results) -> Iterator[Row]:
    """By step, among orders that come to it: the mean probability of stopping there, and the share that did."""
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


def _stop_groups(results: Results) -> Iterator[tuple[Row, dict[str, NDArray[Any]]]]:
    for run in results.runs(Part.STOP, LEM):
        found = results.stops(run)
        for benchmark in Benchmark:
            for min_steps in run.min_steps:
                inside = (BENCHMARK[found["scenario"]] == benchmark.value) & (found["min_steps"] == min_steps)
                row = {"market": results.market, "benchmark": benchmark.value, "min_steps": min_steps}
                yield row, {name: values[inside] for name, values in found.items()}


def volume_errors(results: Results) -> Iterator[Row]:
    """By step ahead, volumes in trailing means: `bias` is the mean forecast over the mean of what came, less 1; `mae`
    the mean absolute error over that mean; `deviance` the mean of r - log r - 1 with r what came over what was
    forecast, least for the mean (0 is perfect); `correlation` that of the logarithms."""
    for policy, forecast, came in _forecasts(results):
        for place in range(came.shape[1]):
            expected, real = forecast[:, place], came[:, place]
            ratio = (real + RATIO_FLOOR) / (expected + RATIO_FLOOR)
            logs = np.log(real + RATIO_FLOOR), np.log(expected + RATIO_FLOOR)
            varied = logs[0].std() > 0.0 and logs[1].std() > 0.0
            yield {
                "market": results.market,
                "policy": policy,
                "step_ahead": place + 1,
                "forecasts": len(real),
                "bias": float(expected.mean() / real.mean() - 1.0),
                "mae": float(np.abs(expected - real).mean() / real.mean()),
                "deviance": float((ratio - np.log(ratio) - 1.0).mean()),
                "correlation": float(np.corrcoef(*logs)[0, 1]) if varied else float("nan"),
            }


def volume_deciles(results: Results) -> Iterator[Row]:
    """By tenths of what was forecast for all steps together: what came, in trailing means per bar."""
    for policy, forecast, came in _forecasts(results):
        expected, real = forecast.mean(axis=1), came.mean(axis=1)
        for place, part in enumerate(np.array_split(np.argsort(expected, kind="stable"), BINS)):
            if len(part):
                yield {
                    "market": results.market,
                    "policy": policy,
                    "decile": place + 1,
                    "forecasts": len(part),
                    "forecast_mean": float(expected[part].mean()),
                    "came_mean": float(real[part].mean()),
                }


def _forecasts(results: Results) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    for policy in FORECASTERS:
        if policy in results.policies:
            forecast, came = results.volumes(policy)
            known = np.isfinite(forecast).all(axis=1) & np.isfinite(came).all(axis=1)
            if known.any():
                yield policy, forecast[known].astype(np.float64), came[known].astype(np.float64)
