"""Many orders side by side as arrays [B]: the vectorised twin of app/domain/state.py."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from app.backtest.setup import TOTAL_LOTS, Setup
from app.bars.series import Series
from app.decision.policies.raw_windows import SIGMA_BARS, sigma_of_closes
from app.decision.policy import Rows
from app.decision.projections import Rooms
from app.decision.scenarios import BY_QUANTITY, IS_VWAP, SIGN
from app.domain.costs import VOLUME_FLOOR, square_root_impact

Integers = NDArray[np.int64]
Vector = NDArray[np.float64]

LEVEL_BARS = 96
STARTS_PER_PART = 16_384


class OrderBatch:
    """Orders that all stand before the same step, each at its own bar of the series.

    `start` is the bar of the order's first window. `leaves` is in lots of what the order fixes. `quantity` and
    `notional` are what was traded, in lots' worth of each, costs included. `sigma` is the volatility at the start.
    """

    def __init__(
        self,
        series: Series,
        setup: Setup,
        *,
        start: Integers,
        scenario: Integers,
        min_steps: Integers,
        max_steps: Integers,
    ) -> None:
        count = len(start)
        self.series, self.setup = series, setup
        self.price = series.price
        self.start, self.scenario = start, scenario
        self.min_steps, self.max_steps = np.minimum(min_steps, max_steps), max_steps
        self.steps_used = np.zeros(count, dtype=np.int64)
        self.leaves = np.full(count, TOTAL_LOTS, dtype=np.int64)
        self.stopping = np.zeros(count, dtype=np.bool_)
        self.quantity, self.notional = np.zeros(count), np.zeros(count)
        self.price_sum, self.notional_sum, self.volume_sum = np.zeros(count), np.zeros(count), np.zeros(count)
        self.order_volume = setup.order_share * max_steps * trailing_mean(series.volume, start)
        self.volume_floor = VOLUME_FLOOR * _horizon_mean(series.volume, start, max_steps)
        self.sigma = order_sigma(series, start)

    def benchmark_price(self, orders: Integers) -> Vector:
        """[B]: the twin of `BenchmarkSums.price`; NaN before the first window has closed."""
        steps, volume = self.steps_used[orders], self.volume_sum[orders]
        twap = np.divide(self.price_sum[orders], steps, out=np.full(len(orders), np.nan), where=steps > 0)
        by_volume = IS_VWAP[self.scenario[orders]] & (volume > 0.0)
        price: Vector = np.divide(self.notional_sum[orders], volume, out=twap, where=by_volume)
        return price

    def avg_price(self, orders: Integers) -> Vector:
        """[B]: an arithmetic mean for quantities, a harmonic one for notionals; NaN before the first fill."""
        quantity = self.quantity[orders]
        price: Vector = np.divide(
            self.notional[orders], quantity, out=np.full(len(orders), np.nan), where=quantity > 0.0
        )
        return price

    def rows(self, step: int, live: Integers, market_of_bar: Integers) -> Rows:
        """What a policy sees of the `live` orders before `step`; `market_of_bar` as in `Observed`."""
        newest = self.start[live] + step - 2
        last_price = self.series.close[newest]
        benchmark, achieved = self.benchmark_price(live), self.avg_price(live)
        ones = np.ones(len(live))
        return Rows(
            market=market_of_bar[newest],
            scenario=self.scenario[live],
            step=np.full(len(live), step),
            windows_unseen=np.zeros(len(live), dtype=np.int64),
            min_steps=self.min_steps[live],
            max_steps=self.max_steps[live],
            filled_fraction=1.0 - self.leaves[live] / TOTAL_LOTS,
            last_price=last_price,
            benchmark_price=np.where(np.isnan(benchmark), last_price, benchmark),
            avg_price=np.where(np.isnan(achieved), last_price, achieved),
            benchmark_volume=self.volume_sum[live],
            order_volume=self.order_volume[live],
            max_slice_fraction=ones * float(self.setup.max_slice_fraction),
            max_participation_rate=ones,
            risk_aversion=ones * self.setup.risk_aversion,
        )

    def rooms(self, step: int, live: Integers) -> Rooms:
        """What `step` permits each of the `live` orders."""
        return Rooms(
            step=step,
            max_steps=self.max_steps[live],
            total=TOTAL_LOTS,
            slice_cap=self.setup.slice_cap,
            min_steps=self.min_steps[live],
            leaves=self.leaves[live],
            stopping=self.stopping[live],
        )

    def trade(self, step: int, live: Integers, lots: Integers) -> None:
        """Fill each slice at the VWAP of its bar and its costs, and close the window, as `close_window` does."""
        bar = self.start[live] + step - 1
        price, volume = self.price[bar], self.series.volume[bar]
        paid = price * (1.0 + SIGN[self.scenario[live]] * self._cost(live, lots, volume))
        by_quantity = BY_QUANTITY[self.scenario[live]]
        self.quantity[live] += np.where(by_quantity, lots, lots / paid)
        self.notional[live] += np.where(by_quantity, lots * paid, lots)
        self.leaves[live] -= lots
        self.price_sum[live] += price
        self.notional_sum[live] += price * volume
        self.volume_sum[live] += volume
        self.steps_used[live] = step

    def _cost(self, live: Integers, lots: Integers, volume: Vector) -> Vector:
        """[B]: the cost per unit as a fraction of the price, without impact where a whole horizon trades nothing."""
        costs = self.setup.costs
        traded = np.maximum(volume, self.volume_floor[live])
        quantity = lots / TOTAL_LOTS * self.order_volume[live]
        impact = square_root_impact(costs.impact, self.sigma[live], quantity, np.where(traded > 0.0, traded, np.inf))
        cost: Vector = costs.half_spread_bps / 1e4 + impact
        return cost


def order_sigma(series: Series, start: Integers) -> Vector:
    """[B]: the volatility per bar known at each start, as a fraction of the price."""
    starts, inverse = np.unique(start, return_inverse=True)
    padded = np.concatenate([np.zeros(SIGMA_BARS + 1), series.close])
    closes = sliding_window_view(padded, SIGMA_BARS + 1)
    edges = range(STARTS_PER_PART, len(starts), STARTS_PER_PART)
    parts = [sigma_of_closes(closes[part]) for part in np.split(starts, edges)]
    sigma: Vector = np.concatenate(parts)[inverse.reshape(-1)]
    return sigma


def _horizon_mean(volume: Vector, start: Integers, steps: Integers) -> Vector:
    """[B]: the mean volume of the `steps` bars from each start on."""
    total = np.concatenate([[0.0], np.cumsum(volume)])
    mean: Vector = (total[start + steps] - total[start]) / steps
    return mean


def trailing_mean(volume: Vector, start: Integers) -> Vector:
    """[B]: the mean volume of the bars before each start, at most `LEVEL_BARS` of them; `start` is at least 1."""
    total = np.concatenate([[0.0], np.cumsum(volume)])
    first = np.maximum(start - LEVEL_BARS, 0)
    mean: Vector = (total[start] - total[first]) / (start - first)
    return mean
