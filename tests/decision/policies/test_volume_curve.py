"""The volume curve: what it expects, and how it paces."""

from __future__ import annotations

from typing import Any

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


@pytest.mark.parametrize("steps_ahead", [96, 200])
def test_a_day_ahead_and_more_has_the_volume_of_its_own_time_of_day(steps_ahead: int) -> None:
    """Each step is the mean over the earlier days that reach so far, and 3 days' worth of the trailing mean."""
    times = 900 * np.arange(LOOKBACK + steps_ahead)
    volume = daily_shape(times)

    forecast = forecast_volume(a_window(volume[:LOOKBACK], times[:LOOKBACK]), steps_ahead)

    days = 7 - (np.arange(steps_ahead) // 96)
    trailing, ahead = volume[LOOKBACK - 96 : LOOKBACK].mean(), volume[LOOKBACK:]
    np.testing.assert_allclose(forecast[0], (days * ahead + 3 * trailing) / (days + 3), rtol=0.06)


def test_a_session_ahead_of_its_open_has_its_own_open_and_close() -> None:
    """Bars of 5 minutes from 14:30 to 21:00; the newest one is the last of a session."""
    times = (DAY_SECONDS * np.arange(9)[:, None] + 52_200 + 300 * np.arange(78)).ravel()
    shape = 100.0 + 200.0 * np.abs(np.linspace(-1.0, 1.0, 78))
    volume = np.tile(shape, 9).astype(np.float32)

    forecast = forecast_volume(a_window(volume, times), 78)[0]

    assert np.corrcoef(forecast, shape)[0, 1] > 0.999


def test_every_window_is_foreseen_as_a_plain_mean_over_earlier_days() -> None:
    """Windows of other lengths and times side by side, with bars that do not exist, against loops."""
    random, steps = np.random.default_rng(5), 30
    times = 3600 * np.arange(200)
    windows = np.concatenate(
        [a_window(random.uniform(1.0, 9.0, 200).astype(np.float32)[:bars], times[:bars]) for bars in (200, 131, 60)]
    )
    windows[0, -50:-40] = 0.0

    forecast = forecast_volume(windows, steps)

    for window, found in zip(windows, forecast, strict=True):
        known, volume = window[:, COLUMNS.index("close")] > 0, window[:, COLUMNS.index("volume")].astype(np.float64)
        clock = window[:, COLUMNS.index("second_of_day")]
        level = volume[-96:].sum() / known[-96:].sum()
        same = [bar for bar in range(LOOKBACK - 1) if known[bar] and clock[bar] == clock[-1]]

        def usual(ahead: int, known: Any = known, volume: Any = volume, same: Any = same, level: Any = level) -> float:
            later = [bar + ahead for bar in same if 0 <= bar + ahead < LOOKBACK and known[bar + ahead]]
            return float((volume[later].sum() + 3.0 * level) / (len(later) + 3.0))

        recent = [ahead for ahead in range(-15, 1) if known[LOOKBACK - 1 + ahead]]
        busy = sum(volume[LOOKBACK - 1 + ahead] for ahead in recent) / sum(usual(ahead) for ahead in recent)
        moved = [usual(ahead) * (1.0 + 0.6 * ahead**-0.25 * (min(busy, 4.0) - 1.0)) for ahead in range(1, steps + 1)]
        assert found == pytest.approx(moved)


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


def test_beyond_what_is_foreseen_the_last_step_stands_for_all() -> None:
    market = Market(np.zeros((1, 0), np.float32), np.array([[30.0, 20.0, 10.0]], np.float32))
    rows = some_rows(3, scenario=BUY_VWAP, step=[1, 1, 9], max_steps=[3, 12, 12], windows_unseen=[0, 0, 2])

    proposal = VolumeCurve().propose(market, rows)

    assert proposal.allocation == pytest.approx([30 / 60, 30 / (60 + 9 * 10), 10 / 40])
