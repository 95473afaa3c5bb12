"""The volume curve: what it expects, and how it paces."""

from __future__ import annotations

import numpy as np
import pytest

from app.decision.market import COLUMNS, Floats, Market
from app.decision.policies.volume_curve import VolumeCurve, forecast_volume
from app.decision.policies.volume_pacing import LOOKBACK
from app.domain.durations import DAY_SECONDS
from tests.market import BUY_TWAP, BUY_VWAP, some_rows


def a_window(volume: Floats, open_time: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    """[1, L, C] of flat bars at 100, padded in front."""
    rows = np.zeros((len(volume), len(COLUMNS)), dtype=np.float32)
    rows[:, :4] = 100.0
    rows[:, COLUMNS.index("volume")] = volume
    rows[:, COLUMNS.index("second_of_day")] = open_time % DAY_SECONDS
    window = np.zeros((1, LOOKBACK, len(COLUMNS)), dtype=np.float32)
    window[0, LOOKBACK - len(rows[-LOOKBACK:]) :] = rows[-LOOKBACK:]
    return window


def daily_shape(second_of_day: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    """A sawtooth between 100 and 200."""
    return (100.0 + 100.0 * (second_of_day % DAY_SECONDS) / DAY_SECONDS).astype(np.float32)


def test_a_daily_shape_is_foreseen() -> None:
    times = 900 * np.arange(LOOKBACK + 24)
    volume = daily_shape(times)

    forecast = forecast_volume(a_window(volume[:LOOKBACK], times[:LOOKBACK]), 24)

    trailing = volume[LOOKBACK - 96 : LOOKBACK].mean()
    ahead = volume[LOOKBACK:]
    np.testing.assert_allclose(forecast[0], (7 * ahead + 3 * trailing) / 10, rtol=0.06)


def test_sessions_need_no_calendar() -> None:
    """Bars of 5 minutes from 14:30 to 21:00 only: the window over the night is matched by position, not by clock."""
    day = 52_200 + 300 * np.arange(78)
    times = (DAY_SECONDS * np.arange(9)[:, None] + day).ravel()
    volume = np.tile(np.where(np.arange(78) < 6, 300.0, 100.0), 9).astype(np.float32)
    evening = len(times) - 78 - 3

    forecast = forecast_volume(a_window(volume[:evening], times[:evening]), 6)[0]

    assert (forecast[3:] > 1.4 * forecast[:3]).all()


def test_without_an_earlier_day_it_is_the_trailing_mean() -> None:
    forecast = forecast_volume(a_window(np.full(40, 50.0, np.float32), 900 * np.arange(40)), 12)

    assert forecast[0] == pytest.approx(np.full(12, 50.0))


def test_the_forecast_is_a_mean_and_not_a_median() -> None:
    random = np.random.default_rng(1)
    logs = random.standard_normal((300, LOOKBACK + 12))
    volume = np.exp(logs).astype(np.float32)
    times = 900 * np.arange(LOOKBACK)

    windows = np.concatenate([a_window(each[:LOOKBACK], times) for each in volume])
    forecast = forecast_volume(windows, 12)

    assert forecast.mean() == pytest.approx(volume[:, LOOKBACK:].mean(), rel=0.08)
    assert forecast.min() > 0.0


def test_a_busy_hour_raises_what_is_expected_next_most() -> None:
    times = 900 * np.arange(LOOKBACK)
    calm = np.full(LOOKBACK, 100.0, np.float32)
    busy = calm.copy()
    busy[-16:] = 300.0

    more = forecast_volume(a_window(busy, times), 12)[0] / forecast_volume(a_window(calm, times), 12)[0]

    assert (more > 1.2).all()
    assert (np.diff(more) < 0.0).all()


def test_volume_that_is_done_counts_in_the_share() -> None:
    market = Market(np.zeros((1, 0), np.float32), np.full((1, 24), 10.0, np.float32))
    rows = some_rows(scenario=BUY_VWAP, step=4, filled_fraction=0.5, benchmark_volume=90.0)

    proposal = VolumeCurve().propose(market, rows)

    assert proposal.allocation[0] == pytest.approx(100.0 / 180.0 - 0.5)


def test_a_twap_order_is_paced_evenly() -> None:
    market = Market(np.zeros((1, 0), np.float32), np.arange(1.0, 25.0, dtype=np.float32)[None])

    proposal = VolumeCurve().propose(market, some_rows(scenario=BUY_TWAP, step=3, filled_fraction=0.2))

    assert proposal.allocation[0] == pytest.approx(0.05)


def test_a_market_without_volume_is_paced_evenly_and_done_at_the_end() -> None:
    market = Market(np.zeros((1, 0), np.float32), np.zeros((1, 24), np.float32))
    rows = some_rows(12, scenario=BUY_VWAP, step=np.arange(1, 13))

    proposal = VolumeCurve().propose(market, rows)

    assert proposal.allocation == pytest.approx(np.arange(1, 13) / 12)
