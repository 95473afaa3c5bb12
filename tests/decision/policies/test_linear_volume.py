"""The linear volume forecast: what it learns from its window, and that it is a mean."""

from __future__ import annotations

import numpy as np
import pytest

from app.decision.market import COLUMNS, Floats
from app.decision.policies.linear_volume import LinearVolume, forecast_by_regression
from app.decision.policies.volume_pacing import LOOKBACK
from app.domain.durations import DAY_SECONDS
from tests.market import BUY_VWAP, some_rows

VOLUME, CLOSE, CLOCK = (COLUMNS.index(name) for name in ("volume", "close", "second_of_day"))


def windows_of(volume: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Floats:
    """[G, L, C] from volumes [G, L] of 15 minute bars; earlier history is missing."""
    count, bars = volume.shape
    windows = np.zeros((count, LOOKBACK, len(COLUMNS)), dtype=np.float32)
    windows[:, LOOKBACK - bars :, CLOSE] = 100.0
    windows[:, LOOKBACK - bars :, VOLUME] = volume
    windows[:, LOOKBACK - bars :, CLOCK] = 900 * np.arange(bars) % DAY_SECONDS
    return windows


def autoregressive(
    random: np.random.Generator, count: int, bars: int, persistence: float
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Log volumes of unit variance around 0."""
    logs = np.zeros((count, bars))
    logs[:, 0] = random.standard_normal(count)
    for bar in range(1, bars):
        noise = np.sqrt(1.0 - persistence**2) * random.standard_normal(count)
        logs[:, bar] = persistence * logs[:, bar - 1] + noise
    return logs


def test_the_forecast_is_a_mean_at_every_step_ahead() -> None:
    logs = autoregressive(np.random.default_rng(1), 600, LOOKBACK + 24, 0.8)
    volume = 1000.0 * np.exp(logs)

    forecast = forecast_by_regression(windows_of(volume[:, :LOOKBACK]), 24)

    came = volume[:, LOOKBACK:].mean(axis=0)
    assert forecast.mean(axis=0) == pytest.approx(came, rel=0.2)
    assert forecast.mean() == pytest.approx(came.mean(), rel=0.06)


def test_the_persistence_of_the_market_at_hand_is_learned() -> None:
    """A busy bar says much about the next one where volume persists, and nothing where it does not."""
    rises = []
    for persistence in (0.9, 0.0):
        logs = autoregressive(np.random.default_rng(2), 40, LOOKBACK, persistence)
        logs[:, -1] = 0.0
        calm = forecast_by_regression(windows_of(1000.0 * np.exp(logs)), 12)
        logs[:, -1] = 2.0
        busy = forecast_by_regression(windows_of(1000.0 * np.exp(logs)), 12)
        rises.append(float(np.median(busy[:, 0] / calm[:, 0])))

    assert rises[0] > 2.0
    assert rises[1] == pytest.approx(1.0, abs=0.15)


def test_a_daily_shape_is_foreseen() -> None:
    shape = 100.0 * (1.5 + np.sin(2.0 * np.pi * np.arange(LOOKBACK + 24) / 96.0))

    forecast = forecast_by_regression(windows_of(shape[None, :LOOKBACK]), 24)

    ahead = shape[LOOKBACK:]
    assert np.corrcoef(forecast[0], ahead)[0, 1] > 0.99
    assert forecast[0] == pytest.approx(ahead, rel=0.2)


@pytest.mark.parametrize("bars", [0, 1, 2, 20])
def test_a_short_history_gives_its_mean(bars: int) -> None:
    forecast = forecast_by_regression(windows_of(np.full((1, bars), 50.0)), 12)

    assert forecast[0] == pytest.approx(np.full(12, 50.0 if bars else 0.0))


def test_bars_without_volume_leave_it_finite() -> None:
    volume = np.random.default_rng(3).lognormal(5.0, 1.0, (4, LOOKBACK))
    volume[:, ::3] = 0.0

    forecast = forecast_by_regression(windows_of(volume), 12)

    assert np.isfinite(forecast).all()
    assert (forecast > 0.0).all()


def test_the_expected_share_of_volume_is_tracked() -> None:
    policy = LinearVolume()
    market = policy.observe(windows_of(np.full((1, 300), 10.0)), 12)

    proposal = policy.propose(market, some_rows(scenario=BUY_VWAP, step=4, filled_fraction=0.5, benchmark_volume=90.0))

    assert proposal.allocation[0] == pytest.approx(100.0 / 180.0 - 0.5, rel=1e-4)
