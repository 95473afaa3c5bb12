"""Forecasts of volume against the volume that came."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.backtest.job import LEM
from models.evaluation.market_results import MarketResults
from models.evaluation.tables.row_figures import Row

FORECASTERS = (LEM, "volume_curve", "linear_volume", "twap")
"""`twap` forecasts the trailing mean, the forecast of who knows nothing more."""
TENTHS = 10
RATIO_FLOOR = 0.02
"""Added to both sides of a volume ratio, in trailing means: an empty bar is no infinite surprise."""


def volume_errors(results: MarketResults) -> Iterator[Row]:
    """By step ahead, volumes in trailing means. `bias` is the mean forecast over the mean volume, less 1; `mae` is the
    mean absolute error over the mean volume; `deviance` is the mean of r - log r - 1, where r is the volume over its
    forecast (0 is perfect, and the mean is the best forecast); `correlation` is that of the logarithms."""
    for policy, forecast, came in _forecasts(results):
        for index in range(came.shape[1]):
            expected, real = forecast[:, index], came[:, index]
            ratio = (real + RATIO_FLOOR) / (expected + RATIO_FLOOR)
            log_real, log_expected = np.log(real + RATIO_FLOOR), np.log(expected + RATIO_FLOOR)
            varied = log_real.std() > 0.0 and log_expected.std() > 0.0
            yield {
                "market": results.market,
                "policy": policy,
                "max_steps": results.max_steps,
                "step_ahead": index + 1,
                "forecasts": len(real),
                "bias": float(expected.mean() / real.mean() - 1.0),
                "mae": float(np.abs(expected - real).mean() / real.mean()),
                "deviance": float((ratio - np.log(ratio) - 1.0).mean()),
                "correlation": float(np.corrcoef(log_real, log_expected)[0, 1]) if varied else float("nan"),
            }


def volume_deciles(results: MarketResults) -> Iterator[Row]:
    """By tenths of the forecast for all steps together: the volume that came, in trailing means per bar."""
    for policy, forecast, came in _forecasts(results):
        expected, real = forecast.mean(axis=1), came.mean(axis=1)
        for index, part in enumerate(np.array_split(np.argsort(expected, kind="stable"), TENTHS)):
            if len(part):
                yield {
                    "market": results.market,
                    "policy": policy,
                    "max_steps": results.max_steps,
                    "decile": index + 1,
                    "forecasts": len(part),
                    "forecast_mean": float(expected[part].mean()),
                    "came_mean": float(real[part].mean()),
                }


def _forecasts(results: MarketResults) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    for policy in FORECASTERS:
        if policy in results.policies:
            forecast, came = results.volumes(policy)
            known = np.isfinite(forecast).all(axis=1) & np.isfinite(came).all(axis=1)
            if known.any():
                yield policy, forecast[known].astype(np.float64), came[known].astype(np.float64)
