"""Quotes are as much wider than what was measured as one stretch of time differs from the others."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain.order import Benchmark
from models.calibration.grid import OrderKind
from models.calibration.measuring import KindGains
from models.calibration.widening import widening

ORDERS = 4_000
KIND = OrderKind(benchmark=Benchmark.TWAP, risk_aversion=1.0, slice_cap_multiple=None, max_steps=4, min_steps=1)


def orders_of(gain: NDArray[np.float64]) -> dict[OrderKind, KindGains]:
    """One order a second."""
    return {KIND: KindGains(opened=np.arange(len(gain)), gain=gain)}


def noise() -> NDArray[np.float64]:
    return np.random.default_rng(0).standard_normal(ORDERS)


def test_where_all_times_are_alike_nothing_is_widened() -> None:
    assert widening(orders_of(noise()), orders_of(noise()[::-1])) == pytest.approx(1.0, abs=0.02)


def test_where_a_time_was_wilder_than_the_others_quotes_are_wider() -> None:
    gain = noise()
    gain[: ORDERS // 4] *= 2.0

    assert widening(orders_of(gain), {}) > 1.05


def test_where_earlier_years_were_wilder_quotes_are_as_wide_as_those_need() -> None:
    assert widening(orders_of(noise()), orders_of(1.5 * noise())) == pytest.approx(1.5, abs=0.03)


def test_where_earlier_years_were_calmer_quotes_stay_as_wide_as_they_were_measured() -> None:
    gain = noise()
    gain[: ORDERS // 4] *= 2.0

    assert widening(orders_of(gain), orders_of(0.5 * noise())) == 1.0


def test_orders_that_miss_nothing_and_few_orders_say_nothing() -> None:
    assert widening(orders_of(1e-9 * noise()), orders_of(noise())) == 1.0
    assert widening(orders_of(noise()[:40]), {}) == 1.0
    assert widening(orders_of(noise()), orders_of(9.0 * noise()[:40])) == pytest.approx(1.0, abs=0.02)
    assert widening({}, {}) == 1.0
