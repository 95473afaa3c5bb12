"""The stopping rule on a clock of volume."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.decision.market import Market
from app.decision.policies.optimal_stopping import OptimalStopping
from app.decision.policies.stopping_rule import stopping_rules
from app.decision.policies.volume_aware_stopping import VolumeAwareStopping
from app.decision.policies.volume_curve import VolumeCurve
from tests.market import BUY_TWAP, BUY_VWAP, some_rows

SIGMA = 0.002


def a_market(*volumes: float) -> Market:
    """The forecast is 10 in each step, the first ones as given."""
    forecast = np.full((1, 24), 10.0, dtype=np.float32)
    forecast[0, : len(volumes)] = volumes
    return Market(np.array([[SIGMA]], dtype=np.float32), forecast)


def proposed(policy: Any, market: Market, **changes: Any) -> tuple[list[float], list[float]]:
    proposal = policy.propose(market, some_rows(**changes))
    return proposal.allocation.tolist(), proposal.stop_probability.tolist()


@pytest.mark.parametrize("min_steps", [1, 6, 12])
@pytest.mark.parametrize("benchmark_price", [99.7, 100.0, 100.1])
def test_with_even_volume_it_is_the_rule_by_steps(min_steps: int, benchmark_price: float) -> None:
    for step in range(1, 13):
        changes: dict[str, Any] = {"scenario": BUY_VWAP, "step": step, "min_steps": min_steps}
        changes |= {"benchmark_price": benchmark_price, "benchmark_volume": 10.0 * (step - 1)}

        by_volume = proposed(VolumeAwareStopping(), a_market(), **changes)
        by_steps = proposed(OptimalStopping(), a_market(), **changes)

        assert by_volume[0] == pytest.approx(by_steps[0], abs=1e-6)
        assert by_volume[1] == by_steps[1]


def test_twap_orders_keep_to_steps() -> None:
    changes: dict[str, Any] = {"scenario": BUY_TWAP, "step": 5, "benchmark_volume": 400.0, "benchmark_price": 100.2}

    assert proposed(VolumeAwareStopping(), a_market(), **changes) == proposed(OptimalStopping(), a_market(), **changes)


def test_the_more_volume_is_behind_the_lower_the_threshold() -> None:
    """A gain that is kept open early is taken once most of the volume has traded."""
    changes: dict[str, Any] = {"scenario": BUY_VWAP, "step": 5, "benchmark_price": 100.0 * (1 + 0.55 * SIGMA)}

    early = proposed(VolumeAwareStopping(), a_market(), benchmark_volume=10.0, **changes)
    late = proposed(VolumeAwareStopping(), a_market(), benchmark_volume=900.0, **changes)

    assert (early[1], late[1]) == ([0.0], [1.0])


def test_a_forced_end_is_paced_as_the_volume_curve_does() -> None:
    changes: dict[str, Any] = {"scenario": BUY_VWAP, "min_steps": 12, "step": 4, "filled_fraction": 0.2}
    changes |= {"benchmark_volume": 70.0, "benchmark_price": 100.3}

    aware = proposed(VolumeAwareStopping(), a_market(30.0, 5.0), **changes)
    curve = proposed(VolumeCurve(), a_market(30.0, 5.0), **changes)

    assert aware[0] == pytest.approx(curve[0], abs=1e-6)


def test_min_steps_are_kept_whatever_the_volume() -> None:
    changes: dict[str, Any] = {"scenario": BUY_VWAP, "min_steps": 8, "benchmark_price": 110.0}

    _, stops = proposed(
        VolumeAwareStopping(), a_market(), count=8, step=np.arange(1, 9), benchmark_volume=9e3, **changes
    )

    assert stops == [0.0] * 7 + [1.0]


def test_a_slice_cap_puts_off_the_end_until_one_slice_finishes() -> None:
    changes: dict[str, Any] = {"scenario": BUY_VWAP, "benchmark_price": 110.0, "max_slice_fraction": 0.25, "step": 6}

    _, stops = proposed(VolumeAwareStopping(), a_market(), count=2, filled_fraction=[0.7, 0.8], **changes)

    assert stops == [0.0, 1.0]


def test_between_whole_bars_the_pace_is_a_straight_line() -> None:
    min_steps, y = np.full(3, 6), np.zeros(3)

    before, between, after = stopping_rules(12).target(min_steps, np.array([3.0, 3.5, 4.0]), y)

    assert between == pytest.approx((before + after) / 2.0)


@pytest.mark.parametrize("max_steps", [1, 2, 3])
def test_short_horizons_have_an_answer(max_steps: int) -> None:
    for step in range(1, max_steps + 1):
        changes: dict[str, Any] = {"max_steps": max_steps, "step": step, "benchmark_volume": 10.0 * (step - 1)}

        allocation, stops = proposed(VolumeAwareStopping(), a_market(), scenario=BUY_VWAP, **changes)

        assert np.isfinite([*allocation, *stops]).all()
