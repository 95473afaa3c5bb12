"""The tails of quotes are those of all the time until the calibration's end, the years before it too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain.order import Benchmark
from app.domain.quote import Tails
from models.calibration.grid import OrderKind
from models.calibration.measuring import KindGains
from models.calibration.tails import tails_of

ORDERS = 4_000
KIND = OrderKind(benchmark=Benchmark.TWAP, risk_aversion=1.0, slice_cap_multiple=None, max_steps=4, min_steps=1)


def orders_of(gain: NDArray[np.float64], every: int = 1) -> dict[OrderKind, KindGains]:
    """One order in so many seconds."""
    return {KIND: KindGains(opened=every * np.arange(len(gain)), gain=gain)}


def noise() -> NDArray[np.float64]:
    return np.random.default_rng(0).standard_normal(ORDERS)


def are(tails: Tails, below: float, above: float) -> bool:
    return (tails.below, tails.above) == pytest.approx((below, above), abs=0.03)


def test_where_all_times_are_alike_tails_are_as_they_were_measured() -> None:
    assert are(tails_of(orders_of(noise()), orders_of(noise()[::-1]))[KIND], 1.0, 1.0)


def test_each_day_of_earlier_years_counts_as_one_of_the_measured_time() -> None:
    """Orders of a hundred times the time decide nearly alone, however many there are."""
    assert are(tails_of(orders_of(noise()), orders_of(1.5 * noise(), every=100))[KIND], 1.5, 1.5)
    assert are(tails_of(orders_of(noise()), orders_of(0.5 * noise(), every=100))[KIND], 0.5, 0.5)
    assert are(tails_of(orders_of(noise(), every=100), orders_of(0.5 * noise()))[KIND], 1.0, 1.0)


def test_each_tail_goes_by_its_own_side() -> None:
    gain = np.where(noise() > 0.0, 2.0, 1.0) * noise()

    assert are(tails_of(orders_of(noise()), orders_of(gain, every=100))[KIND], 1.0, 2.0)


def test_a_kind_without_earlier_orders_goes_by_the_one_that_ends_nearest() -> None:
    capped, other = replace(KIND, slice_cap_multiple=2.0, min_steps=2), replace(KIND, max_steps=8)
    measured = {kind: orders_of(noise())[KIND] for kind in (KIND, capped, other)}

    found = tails_of(measured, orders_of(1.5 * noise(), every=100))

    assert found[capped] == found[KIND]
    assert found[other] == Tails()


def test_orders_that_miss_nothing_and_few_orders_say_nothing() -> None:
    assert tails_of(orders_of(1e-9 * noise()), orders_of(noise())) == {KIND: Tails()}
    assert tails_of(orders_of(noise()), orders_of(9.0 * noise()[:40])) == {KIND: Tails()}
    assert tails_of(orders_of(noise()), {}) == {KIND: Tails()}
    assert tails_of({}, {}) == {}
