"""Quotes are as much wider than what was measured as one stretch of time differs from the others."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.calibration.measuring import KindGains
from models.calibration.widening import widening

ORDERS = 4_000


def orders_of(gain: NDArray[np.float64]) -> KindGains:
    """One order a second."""
    return KindGains(opened=np.arange(len(gain)), gain=gain)


def noise() -> NDArray[np.float64]:
    return np.random.default_rng(0).standard_normal(ORDERS)


def test_where_all_times_are_alike_nothing_is_widened() -> None:
    assert widening([orders_of(noise())]) == pytest.approx(1.0, abs=0.02)


def test_where_a_time_was_wilder_than_the_others_quotes_are_wider() -> None:
    gain = noise()
    gain[: ORDERS // 4] *= 2.0

    assert widening([orders_of(gain)]) > 1.05


def test_orders_that_miss_nothing_and_few_orders_say_nothing() -> None:
    assert widening([orders_of(1e-9 * noise())]) == 1.0
    assert widening([orders_of(noise()[:40])]) == 1.0
    assert widening([]) == 1.0
