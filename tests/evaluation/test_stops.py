"""What stopping would have earned, read from a path that never stops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import TOTAL_LOTS, Setup
from app.bars.series import Series
from app.domain.order import SCENARIOS, SizeMode
from models.evaluation.backtest_run import scenarios_of
from models.evaluation.stops import NeverStopping, finishing_gains, gain_of_going_on, stop_decisions
from tests.evaluation.stand_in import StandIn
from tests.market import a_walk


def a_setup() -> Setup:
    scenarios = tuple(SCENARIOS[index] for index in scenarios_of(SizeMode.QUANTITY))
    return Setup(min_steps=(1, 6), max_steps=12, every=30, risk_aversion=0.0, scenarios=scenarios)


@pytest.fixture(name="series")
def a_series(tmp_path: Path) -> Series:
    return a_walk(tmp_path, bars=1200, seed=8)


def never_stopped(series: Series) -> Outcome:
    return run_series(series, NeverStopping(StandIn()), a_setup(), trace=True)


def test_half_a_probability_never_stops(series: Series) -> None:
    assert (never_stopped(series).steps_used == 12).all()


def test_the_first_stop_on_the_path_earns_what_the_order_earns_in_earnest(series: Series) -> None:
    outcome, real = never_stopped(series), run_series(series, StandIn(), a_setup())

    gain = finishing_gains(series, outcome, 12)

    last_step = (np.arange(len(gain)), real.steps_used - 1)
    np.testing.assert_allclose(gain[last_step], -real.slippage_bps, atol=1e-4)


def test_finishing_at_the_last_step_is_the_whole_schedule(series: Series) -> None:
    outcome = never_stopped(series)

    gain = finishing_gains(series, outcome, 12)

    np.testing.assert_allclose(gain[:, -1], -outcome.slippage_bps, atol=1e-6)


def test_going_on_earns_the_next_stop_or_the_end() -> None:
    gain = np.array([[1.0, 2.0, 3.0, 4.0]])
    stops = np.array([[False, False, True, False]])

    following, reached = gain_of_going_on(gain, stops, np.array([4]))

    assert following.tolist() == [[3.0, 3.0, 4.0, 4.0]]
    assert reached.tolist() == [[True, True, True, False]]


def test_a_pace_that_is_done_early_ends_there() -> None:
    gain = np.array([[1.0, 2.0, 3.0, 4.0]])

    following, _ = gain_of_going_on(gain, np.zeros((1, 4), dtype=np.bool_), np.array([3]))

    assert following[0, :2].tolist() == [3.0, 3.0]


def test_decisions_begin_at_min_steps_and_leave_out_the_last(series: Series) -> None:
    outcome = never_stopped(series)

    found = stop_decisions(series, outcome, a_setup())

    assert (found["step"] >= found["min_steps"]).all()
    assert found["step"].max() == 11
    assert len(found["step"]) == sum(12 - steps for steps in outcome.min_steps.tolist())
    assert outcome.trace is not None
    assert (outcome.trace.lots.sum(axis=1) == TOTAL_LOTS).all()


def test_stopping_pays_where_the_rule_is_sure_and_costs_where_it_is_sure_not_to(series: Series) -> None:
    found = stop_decisions(series, never_stopped(series), a_setup())

    sure, sure_not = found["probability"] > 0.9, found["probability"] < 0.1
    assert found["advantage_sigma"][sure].mean() > 0.05
    assert found["advantage_sigma"][sure_not].mean() < -0.1
