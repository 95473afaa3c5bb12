"""The simulator makes the bars that the optimum was computed for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.bars.walks import Walk, simulate_bars
from tests.market import a_walk

SIGMA = 0.002


def test_a_bar_s_price_is_the_average_of_a_brownian_path() -> None:
    bars = simulate_bars(np.random.default_rng(0), Walk(sigma=SIGMA), 50, 2000)

    move = np.log(bars.close / bars.open) / SIGMA
    average = np.log(bars.notional / bars.volume / bars.open) / SIGMA
    slope = (move * average).mean() / (move**2).mean()
    rest = average - move / 2
    assert move.std() == pytest.approx(1.0, rel=0.02)
    assert slope == pytest.approx(0.5, abs=0.01)
    assert rest.var() == pytest.approx(1 / 12, rel=0.02)
    assert np.corrcoef(rest.ravel(), move.ravel())[0, 1] == pytest.approx(0.0, abs=0.02)


def test_the_range_holds_every_price() -> None:
    bars = simulate_bars(np.random.default_rng(1), Walk(), 3, 1000)

    for price in (bars.open, bars.close, bars.notional / bars.volume):
        assert (bars.low <= price).all()
        assert (price <= bars.high).all()


def test_the_range_is_as_wide_as_a_brownian_path_s() -> None:
    """The mean range of a Brownian path over a unit of time is sqrt(8 / pi) = 1.596 (Feller 1951)."""
    bars = simulate_bars(np.random.default_rng(2), Walk(sigma=SIGMA), 20, 1000)

    assert (np.log(bars.high / bars.low) / SIGMA).mean() == pytest.approx(1.596, rel=0.02)


def test_bars_follow_one_another_without_a_jump() -> None:
    bars = simulate_bars(np.random.default_rng(3), Walk(), 2, 100)

    assert bars.open[:, 1:] == pytest.approx(bars.close[:, :-1])


def test_volume_has_its_mean_and_its_daily_profile() -> None:
    bars = simulate_bars(np.random.default_rng(4), Walk(volume=1000.0, daily_swing=0.5), 20, 960)

    by_time_of_day = bars.volume.reshape(20, 10, 96).mean(axis=(0, 1))
    assert bars.volume.mean() == pytest.approx(1000.0, rel=0.02)
    assert by_time_of_day[40:56].mean() > 2 * by_time_of_day[[*range(8), *range(88, 96)]].mean()


def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    first, again = a_walk(tmp_path, name="A-1.parquet", seed=7), a_walk(tmp_path, name="A-2.parquet", seed=7)

    np.testing.assert_array_equal(first.close, again.close)
    np.testing.assert_array_equal(first.price, again.price)


def test_volume_goes_with_the_moves_where_asked_for() -> None:
    plain, busy = (
        simulate_bars(np.random.default_rng(5), Walk(sigma=SIGMA, volume_per_move=rise), 20, 500) for rise in (0.0, 1.0)
    )
    moves = np.abs(np.log(busy.close / busy.open)).ravel()

    assert (plain.close == busy.close).all()
    assert abs(np.corrcoef(moves, np.log(plain.volume).ravel())[0, 1]) < 0.05
    assert np.corrcoef(moves, np.log(busy.volume).ravel())[0, 1] > 0.5
    assert np.allclose(busy.notional / busy.volume, plain.notional / plain.volume)
