"""What trading costs: the formula, who pays it, and that training charges the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.backtest.order_batch import order_sigma
from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import Setup
from app.bars.series import Series, raw_rows, raw_windows
from app.decision.policies.raw_windows import SIGMA_BARS, trailing_sigma
from app.decision.policies.registry import baseline
from app.domain.costs import VOLUME_FLOOR, Costs, square_root_impact
from app.domain.errors import InvalidInput
from app.domain.order import SCENARIOS
from tests.market import a_walk


def run(series: Series, policy: str = "twap", **changes: Any) -> Outcome:
    setup = Setup(min_steps=(6,), max_steps=12, every=50, risk_aversion=0.0)
    return run_series(series, baseline(policy), replace(setup, **changes))


def emptied(series: Series, bars: slice) -> Series:
    """Those bars trade nothing."""
    volume = series.volume.copy()
    volume[bars] = 0.0
    return replace(series, volume=volume, notional=volume * series.price)


def test_the_impact_of_a_slice_grows_with_the_root_of_its_share() -> None:
    cost = square_root_impact(0.5, 0.002, np.array([1.0, 4.0]), 100.0)

    assert cost == pytest.approx([0.0001, 0.0002])


@pytest.mark.parametrize("policy", ["twap", "optimal_stopping"])
def test_half_a_spread_costs_every_order_just_that(policy: str, tmp_path: Path) -> None:
    series = a_walk(tmp_path)

    extra = run(series, policy, costs=Costs(half_spread_bps=3.0)).slippage_bps - run(series, policy).slippage_bps

    assert extra == pytest.approx(np.full(len(extra), 3.0), rel=0.02)


def test_an_even_schedule_pays_the_mean_of_its_slices_impacts(tmp_path: Path) -> None:
    series = a_walk(tmp_path)
    changes: dict[str, Any] = {"order_share": 0.05, "scenarios": SCENARIOS[:1]}

    free, paid = run(series, **changes), run(series, **changes, costs=Costs(impact=0.8))

    bars = free.start[:, None] + np.arange(12)
    trailing = np.array([series.volume[max(0, at - 96) : at].mean() for at in free.start])
    per_slice = 0.8 * free.sigma[:, None] * np.sqrt(0.05 * trailing[:, None] / series.volume[bars])
    expected = (series.price[bars] * per_slice).mean(axis=1) / free.benchmark_price * 1e4
    assert paid.slippage_bps - free.slippage_bps == pytest.approx(expected, rel=1e-4)


def test_orders_too_small_to_move_the_market_pay_next_to_nothing(tmp_path: Path) -> None:
    series = a_walk(tmp_path)

    extra = run(series, costs=Costs(impact=1.0)).slippage_bps - run(series).slippage_bps

    assert extra.max() < 0.1


def test_an_empty_bar_counts_as_the_floor(tmp_path: Path) -> None:
    series = emptied(a_walk(tmp_path, volume_deviation=0.0), slice(100, 112, 2))

    changes: dict[str, Any] = {"order_share": 0.01, "scenarios": SCENARIOS[:1], "every": 100, "end": 900 * 101}
    extra = run(series, **changes, costs=Costs(impact=1.0)).slippage_bps - run(series, **changes).slippage_bps

    sigma, mean = order_sigma(series, np.array([100]))[0], series.volume[100:112].mean()
    slice_ = 0.01 * 1000.0
    impacts = [np.sqrt(slice_ / (VOLUME_FLOOR * mean)), np.sqrt(slice_ / 1000.0)]
    assert extra == pytest.approx([np.mean(impacts) * sigma * 1e4], rel=1e-2)


def test_a_horizon_without_any_volume_has_a_finite_cost(tmp_path: Path) -> None:
    series = emptied(a_walk(tmp_path), slice(100, 112))

    outcome = run(series, costs=Costs(impact=1.0), order_share=0.01)

    assert np.isfinite(outcome.slippage_bps).all()


def test_costs_change_no_decision_of_a_baseline(tmp_path: Path) -> None:
    series = a_walk(tmp_path)

    free, paid = (run(series, "volume_aware_stopping", costs=Costs(impact=factor)) for factor in (0.0, 1.0))

    np.testing.assert_array_equal(free.steps_used, paid.steps_used)


def test_sigma_is_what_a_policy_reads_from_its_window(tmp_path: Path) -> None:
    series = a_walk(tmp_path)
    starts = np.array([1, 2, 50, 97, 300, 300])

    sigma = order_sigma(series, starts)

    windows = raw_windows(raw_rows(series), SIGMA_BARS + 1, starts - 1)
    assert sigma == pytest.approx(trailing_sigma(windows), rel=1e-3)
    assert sigma[0] == 0.0


def test_training_charges_the_same_impact() -> None:
    torch = pytest.importorskip("torch")
    full_speed = pytest.importorskip("models.objective.full_speed")
    share, size, factor = 0.25, 0.04, 0.7  # of the order; order over the bar's volume

    charged = full_speed.impact_of(torch.tensor([share]), torch.tensor([size]), Costs(impact=factor))

    assert charged.item() == pytest.approx(share * square_root_impact(factor, 1.0, share * size, 1.0), rel=1e-4)
    assert full_speed.VOLUME_FLOOR == VOLUME_FLOOR


@pytest.mark.parametrize("wrong", [{"impact": -1.0}, {"half_spread_bps": float("nan")}])
def test_costs_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Costs(**wrong)

    assert refusal.value.code == "bad_cost"


def test_an_order_without_a_size_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        Setup(min_steps=(1,), max_steps=12, every=12, risk_aversion=0.0, order_share=0.0)

    assert refusal.value.code == "bad_order_size"
