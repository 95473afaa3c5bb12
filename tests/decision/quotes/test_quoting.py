"""A quote is what was measured times the volatility, and says what it rests on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from app.bars.series import raw_rows, raw_windows
from app.bars.walks import Walk, simulate_bars, simulated_series
from app.decision.chain import BarWindow, ChainReading, PolicyChain
from app.decision.continuations import volatility
from app.decision.policies.optimal_stopping import OptimalStopping
from app.decision.policies.twap import Twap
from app.decision.quotes.asked import QuotedOrder
from app.decision.quotes.calibration import UNCALIBRATED, Calibration
from app.decision.quotes.quoting import quote
from app.domain.costs import FREE, Costs
from app.domain.order import Benchmark, Limits, Side, SizeMode
from app.domain.quote import Quote, QuoteBasis, QuoteWarning
from tests.builders import a_bar, an_instrument, an_order, an_order_state
from tests.decision.quotes.calibrations import a_calibration, a_table

VOLUME = 1_000.0
"""Of each bar, in base units; orders of the builders buy 10."""


def a_bar_window(**walk: Any) -> BarWindow:
    settings = {"volume": VOLUME, "volume_deviation": 0.0} | walk
    series = simulated_series("WALK", simulate_bars(np.random.default_rng(5), Walk(**settings), 1, 200), 0, 900)
    bars = raw_windows(raw_rows(series), OptimalStopping.lookback, np.array([len(series) - 1]))
    return BarWindow(bars=bars, newest=a_bar(price=f"{series.close[-1]:.2f}"))


WINDOW = a_bar_window()


def quoted(
    calibration: Calibration = UNCALIBRATED,
    *,
    window: BarWindow = WINDOW,
    reading: ChainReading | None = None,
    costs: Costs = FREE,
    risk_aversion: float = 1.0,
    step_seconds: int = 900,
    **order: Any,
) -> Quote:
    lots = an_instrument(lot_size=Decimal("0.0001"))
    state = an_order_state(an_order(**order), lots, last_price=window.last_price)
    asked = QuotedOrder(
        state=state, step_seconds=step_seconds, windows_unseen=0, risk_aversion=risk_aversion, costs=costs
    )
    return quote(reading or PolicyChain(OptimalStopping()).read(window), window, asked, calibration)


def test_a_calibrated_gain_is_the_measured_one_times_the_volatility_and_the_root_of_max_steps() -> None:
    answer = quoted(a_calibration(), min_steps=12, max_steps=24)

    unit = 1e4 * volatility(WINDOW) * 24**0.5
    assert answer.gain_bps.mean == pytest.approx(2.0 * unit)
    assert answer.gain_bps.quantile(0.05) == pytest.approx((2.0 - 0.9) * unit)
    assert answer.gain_bps.quantile(0.95) == pytest.approx((2.0 + 0.9) * unit)
    assert answer.warnings == ()
    assert answer.grounds.basis is QuoteBasis.CALIBRATION
    assert answer.grounds.calibrated_on is not None
    assert answer.grounds.calibrated_on.market == "crypto_15m"
    assert answer.grounds.volatility_bps == pytest.approx(1e4 * volatility(WINDOW))


def test_without_a_calibration_the_gain_is_that_of_simulated_walks() -> None:
    """The optimum of a stop from step 6 on, within 12, is worth 0.292 sigma."""
    answer = quoted(min_steps=6, max_steps=12, benchmark=Benchmark.TWAP)

    assert answer.gain_bps.mean == pytest.approx(0.292 * answer.grounds.volatility_bps, rel=0.2)
    assert answer.gain_bps.quantile(0.05) < answer.gain_bps.quantile(0.5) < answer.gain_bps.quantile(0.95)
    assert answer.grounds.basis is QuoteBasis.RANDOM_WALK
    assert answer.warnings == (QuoteWarning.NOT_CALIBRATED,)


def test_the_end_is_within_the_horizon_and_the_steps_make_the_whole_order() -> None:
    answer = quoted(min_steps=6, max_steps=12)

    assert sum(answer.end_probability) == pytest.approx(1.0)
    assert sum(answer.end_probability[:5]) == 0.0
    assert 6.0 <= answer.expected_end_step <= 12.0
    assert len(answer.fraction) == 12
    assert answer.filled_fraction == pytest.approx(1.0)


def test_an_order_that_may_not_stop_ends_at_its_last_step_and_follows_its_benchmark() -> None:
    answer = quoted(min_steps=12, max_steps=12, benchmark=Benchmark.TWAP)

    assert answer.expected_end_step == pytest.approx(12.0)
    assert answer.gain_bps.mean == pytest.approx(0.0, abs=0.1 * answer.grounds.volatility_bps)


def test_an_order_of_one_step_is_its_own_benchmark() -> None:
    answer = quoted(a_calibration(), min_steps=1, max_steps=1)

    assert (answer.gain_bps.mean, answer.gain_bps.std) == (pytest.approx(0.0), pytest.approx(0.0))
    assert answer.expected_end_step == 1.0
    assert answer.warnings == ()


@pytest.mark.parametrize("side", Side)
def test_the_convexity_of_a_fixed_notional_is_told_apart(side: Side) -> None:
    terms: dict[str, Any] = {"min_steps": 12, "max_steps": 12, "benchmark": Benchmark.TWAP, "side": side}
    fixed_quantity = quoted(a_calibration(), size=Decimal(10), **terms)
    fixed_notional = quoted(a_calibration(), size=Decimal(1000), size_mode=SizeMode.NOTIONAL, **terms)

    even = side.sign * 1e4 * volatility(WINDOW) ** 2 * 11 / 6
    assert fixed_quantity.convexity_gain_bps == 0.0
    assert fixed_notional.convexity_gain_bps == pytest.approx(even, rel=0.1)
    assert fixed_notional.pace_and_stop_gain_bps == pytest.approx(fixed_quantity.gain_bps.mean, abs=1e-9)


def test_the_impact_of_an_even_pace_follows_the_square_root_law() -> None:
    answer = quoted(
        costs=Costs(impact=2.0, half_spread_bps=0.7),
        reading=PolicyChain(Twap()).read(WINDOW),
        min_steps=10,
        max_steps=10,
        size=Decimal(100),
    )

    assert answer.impact_bps == pytest.approx(2.0 * answer.grounds.volatility_bps * (10 / VOLUME) ** 0.5, rel=1e-3)
    assert answer.cost_bps == pytest.approx(0.7 + (answer.impact_bps or 0.0))
    assert answer.participation == pytest.approx(0.01, rel=1e-3)
    assert answer.busiest_participation == pytest.approx(0.01, rel=1e-2)


@pytest.mark.parametrize(
    ("warning", "changes"),
    [
        (QuoteWarning.BAR_LENGTH_NOT_CALIBRATED, {"step_seconds": 1800}),
        (QuoteWarning.HORIZON_NOT_CALIBRATED, {"min_steps": 3, "max_steps": 3}),
        (QuoteWarning.RISK_AVERSION_NOT_CALIBRATED, {"risk_aversion": 9.0}),
        (QuoteWarning.SLICE_CAP_NOT_CALIBRATED, {"limits": Limits(max_slice_fraction=Decimal("0.1"))}),
        (QuoteWarning.PARTICIPATION_NOT_CALIBRATED, {"size": Decimal(1000)}),
        (QuoteWarning.LIMIT_PRICE_NOT_CALIBRATED, {"limits": Limits(limit_price=Decimal(200))}),
        (QuoteWarning.LIMIT_PRICE_NOT_CALIBRATED, {"limits": Limits(finish_price=Decimal(1))}),
    ],
)
def test_an_order_outside_what_was_measured_is_warned_of(warning: QuoteWarning, changes: dict[str, Any]) -> None:
    inside = quoted(a_calibration(), min_steps=6, max_steps=12)

    answer = quoted(a_calibration(), **({"min_steps": 6, "max_steps": 12} | changes))

    assert inside.warnings == ()
    assert warning in answer.warnings


def test_a_participation_limit_counts_as_the_slice_cap_that_it_is() -> None:
    """2 % of a bar of 1,000 is 20 of an order of 120 over 12 steps: twice an even slice."""
    free, capped = a_table(rows={(12, 12): 1.0}), a_table(rows={(12, 12): 0.0}, slice_cap_multiple=2.0)
    limits = Limits(max_participation_rate=Decimal("0.02"))

    answer = quoted(a_calibration(free, capped), min_steps=12, max_steps=12, size=Decimal(120), limits=limits)

    assert answer.gain_bps.mean == pytest.approx(0.0, abs=0.5)


def test_an_order_that_its_limits_cannot_finish_says_how_much_of_it_is_traded() -> None:
    limits = Limits(max_participation_rate=Decimal("0.01"))

    answer = quoted(a_calibration(), min_steps=6, max_steps=12, size=Decimal(1_200), limits=limits)

    assert answer.filled_fraction == pytest.approx(0.1, rel=0.02)
    assert QuoteWarning.MAY_NOT_FINISH in answer.warnings
    assert answer.expected_end_step == pytest.approx(12.0)


def test_a_market_without_volume_has_no_participation_and_an_unknown_impact() -> None:
    answer = quoted(a_calibration(), window=a_bar_window(volume=0.0), min_steps=6, max_steps=12)

    assert (answer.participation, answer.busiest_participation, answer.impact_bps) == (None, None, None)
    assert QuoteWarning.NO_VOLUME in answer.warnings


def test_a_price_that_stands_still_promises_nothing() -> None:
    answer = quoted(a_calibration(), window=a_bar_window(sigma=1e-30), min_steps=6, max_steps=12)

    assert answer.gain_bps.mean == pytest.approx(0.0)
    assert QuoteWarning.NO_VOLATILITY in answer.warnings


def test_where_the_model_cannot_read_the_market_its_calibration_does_not_count() -> None:
    chain = PolicyChain(OptimalStopping(), (Twap(),))

    answer = quoted(a_calibration(), reading=chain.read_without_model(WINDOW, "insufficient_history"), min_steps=6)

    assert answer.grounds.basis is QuoteBasis.RANDOM_WALK
    assert answer.warnings[0] is QuoteWarning.MODEL_UNAVAILABLE
