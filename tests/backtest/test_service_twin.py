"""The orders of the backtest and of the service agree: same bars, same policy, same fills."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from app.backtest.run_series import run_series
from app.backtest.setup import Setup
from app.bars.series import Series
from app.decision.chain import ChainReading, Reading
from app.decision.decide import decide
from app.decision.market import Market
from app.decision.policies.registry import BASELINES, baseline
from app.decision.policy import Policy
from app.domain.bar import Bar
from app.domain.lifecycle import Status
from app.domain.order import SCENARIOS, Limits, Scenario, SizeMode
from app.domain.slice import Window
from app.domain.state import OrderState, room
from app.domain.transitions import close_window, take
from tests.builders import a_decided, an_instrument, an_order, an_order_state
from tests.market import a_walk, raw_window, some_rows

START_BAR = 100


def bars_of(series: Series) -> list[Bar]:
    """The domain's bars; floats become the decimals that they are."""
    length = timedelta(seconds=series.bar_seconds)
    opens = [datetime.fromtimestamp(seconds, UTC) for seconds in series.open_time.tolist()]
    names = ("open", "high", "low", "close", "volume", "notional")
    columns = [[Decimal(value) for value in getattr(series, name).tolist()] for name in names]
    return [
        Bar(
            open_time=opened,
            close_time=opened + length,
            open=first,
            high=high,
            low=low,
            close=last,
            volume=volume,
            notional=notional,
        )
        for opened, first, high, low, last, volume, notional in zip(opens, *columns, strict=True)
    ]


def served(
    bars: list[Bar],
    policy: Policy,
    observed: Callable[[int], Market],
    scenario: Scenario,
    min_steps: int,
    cap: Decimal,
) -> OrderState:
    """The order as the service works it: one decision per closed bar, one fill per window. `observed` is the market as
    the policy reads it at a bar, which is the same for all orders."""
    by_quantity = scenario.size_mode is SizeMode.QUANTITY
    order = an_order(
        side=scenario.side,
        benchmark=scenario.benchmark,
        size_mode=scenario.size_mode,
        size=Decimal(100) if by_quantity else Decimal(10_000),
        min_steps=min_steps,
        limits=Limits(max_slice_fraction=cap),
    )
    fine = an_instrument(lot_size=Decimal("1E-7"), notional_step=Decimal("1E-5"))
    state = an_order_state(order, fine, last_price=bars[START_BAR - 1].close)
    while state.status in (Status.ACCEPTED, Status.WORKING):
        newest = START_BAR + state.step - 1
        last = bars[newest].close
        rows = some_rows(
            scenario=scenario,
            step=state.step + 1,
            min_steps=min_steps,
            filled_fraction=float(state.filled / order.size),
            last_price=float(last),
            benchmark_price=float(state.sums.price(scenario.benchmark) or last),
            benchmark_volume=float(state.sums.volume_sum),
            max_slice_fraction=float(cap),
        )
        (decision,) = decide(ChainReading(Reading(policy, observed(newest))), rows, [room(state, last, None)])
        window = Window(bars[newest + 1].open_time, bars[newest + 1].close_time)
        state = take(state, decision.projection, window, a_decided(), last)
        state = close_window(state, bars[newest + 1])
    return state


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("cap", ["1", "0.25"])
def test_an_order_ends_as_it_would_in_the_service(name: str, cap: str, tmp_path: Path) -> None:
    series = a_walk(tmp_path, bars=120, seed=5)
    policy = baseline(name)
    setup = Setup(min_steps=(1, 9), max_steps=12, every=100, risk_aversion=0.0, max_slice_fraction=Decimal(cap))

    outcome = run_series(series, policy, setup)

    bars = bars_of(series)

    @cache
    def observed(newest: int) -> Market:
        return policy.observe(raw_window(bars[: newest + 1], policy.lookback)[None], setup.max_steps)

    assert np.unique(outcome.start).tolist() == [START_BAR]
    for index, scenario in enumerate(outcome.scenario.tolist()):
        twin = served(bars, policy, observed, SCENARIOS[scenario], int(outcome.min_steps[index]), Decimal(cap))
        assert twin.step == outcome.steps_used[index]
        assert float(twin.avg_price or 0) == pytest.approx(outcome.avg_price[index], rel=1e-7)
        assert float(twin.slippage_bps or 0) == pytest.approx(outcome.slippage_bps[index], abs=1e-3)
