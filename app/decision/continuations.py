"""An order in many simulated continuations of its market: what foresight.py says of them is done here.

Shapes: P continuations.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.decision.chain import BarWindow, ChainReading
from app.decision.decide import decide_all
from app.decision.policies.raw_windows import SIGMA_BARS, trailing_sigma
from app.decision.projections import Rooms
from app.decision.rows import rows_of
from app.decision.scenarios import BY_QUANTITY, IS_VWAP, SIGN
from app.domain.benchmark import slippage_bps
from app.domain.numbers import ZERO
from app.domain.order_words import RiskAversions
from app.domain.slice import Slice
from app.domain.state import OrderState, room
from app.domain.steps_ahead import StepsAhead

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]

CONTINUATIONS_MAX, CONTINUATIONS_MIN = 256, 64
DECISIONS_MAX = 24_576
"""An order with more than 96 steps to come has fewer continuations, so that its schedule is soon there and nobody else
waits: with 96 of them, at 256 steps, a probability is off by 1.6 times as much as with 256."""
SEED = 20_250_106
"""Every order meets the same moves at every call: a schedule changes only where its order or its market does."""


def volatility(window: BarWindow) -> float:
    """Of the newest bars, per bar, as a fraction of the price."""
    return float(trailing_sigma(window.bars[:, -SIGMA_BARS - 1 :])[0])


def continuations(steps: int) -> int:
    """How many continuations an order with so many steps to come has: an even number, each with its mirror image."""
    return min(CONTINUATIONS_MAX, max(CONTINUATIONS_MIN, DECISIONS_MAX // max(1, steps) // 2 * 2))


class Continuations:
    """The order in each continuation, as arrays [P]. `done` counts lots that are asked for and not known to have
    failed; `quantity` and `notional` are what was traded, in base units and quote currency; `priced` is the sum of lots
    times their price; the sums are those of `BenchmarkSums`, and `benchmark` is that of the order's last step."""

    def __init__(
        self,
        reading: ChainReading,
        window: BarWindow,
        state: OrderState,
        risk_aversions: RiskAversions,
        steps: StepsAhead | None,
    ) -> None:
        self._reading, self._state, self._steps = reading, state, steps
        count = self._count = continuations(state.order.horizon.max_steps - state.step)
        self._room = room(state, window.last_price, ZERO, steps)
        self._row = rows_of([state], [0], window.last_price, risk_aversions, [steps])
        self._random = np.random.default_rng(SEED)
        self._sigma = volatility(window)
        self._lot, self._size = float(state.lot), float(state.order.size)
        scenario = state.order.scenario.index
        self._sign, self._is_vwap, self._by_quantity = SIGN[scenario], IS_VWAP[scenario], BY_QUANTITY[scenario]
        sums, nothing = state.sums.with_expected, np.zeros(count)
        self.steps_closed = sums.steps
        self.close = nothing + float(window.last_price)
        self.done = np.full(count, state.total - self._room.leaves)
        self.stopping = np.full(count, state.stopping)
        self.quantity, self.notional = nothing + float(state.filled_quantity), nothing + float(state.filled_notional)
        self.traded = nothing + float(state.filled) / self._lot
        self.priced = self.traded * self._avg_price()
        self.price_sum, self.notional_sum = nothing + float(sums.price_sum), nothing + float(sums.notional_sum)
        self.volume_sum = nothing + float(sums.volume_sum)
        self.benchmark = self._benchmark_price()

    @property
    def going(self) -> NDArray[np.bool_]:
        """Where something of the order is left to be asked for."""
        return self.done < self._state.total

    def pass_open_windows(self, windows_unseen: int) -> None:
        """Let the windows pass that lie before the first one without a slice. What is in flight from windows that have
        closed trades at once."""
        pieces = self._state.open_slices
        open_lots = [self._open_lots(piece) for piece in pieces]
        elsewhere = float(self._state.in_flight) / self._lot - sum(open_lots)
        self._trade(np.full(self._count, max(0.0, elsewhere)), self.close)
        for window in range(windows_unseen):
            index = window - (windows_unseen - len(pieces))
            self.pass_window(window, np.full(self._count, open_lots[index]) if index >= 0 else None)

    def decided(self, step: int, windows_unseen: int) -> Integers:
        """[P]: the lots that `step` asks for, none where the order has ended."""
        going = np.flatnonzero(self.going)
        nothing = np.zeros(len(going), dtype=np.int64)
        row = self._row.take(nothing)
        rows = replace(
            row,
            step=nothing + step,
            max_steps=np.maximum(row.max_steps, step),
            windows_unseen=nothing + windows_unseen,
            filled_fraction=self.done[going] * self._lot / self._size,
            last_price=self.close[going],
            benchmark_price=self._benchmark_price()[going],
            avg_price=self._avg_price()[going],
            benchmark_volume=self.volume_sum[going],
            order_volume=np.full(len(going), self._size) if self._by_quantity else self._size / self.close[going],
        )
        projections = decide_all(self._reading, rows, self._rooms(step, windows_unseen, going)).projections
        lots = np.zeros(self._count, dtype=np.int64)
        lots[going], self.stopping[going] = projections.lots, projections.stopping
        self.done += lots
        return lots

    def note_benchmark(self, going: NDArray[np.bool_]) -> None:
        """The benchmark covers the window that has passed, for the orders that were `going` on in it."""
        self.benchmark = np.where(going, self._benchmark_price(), self.benchmark)

    def gain_bps(self) -> Vector:
        """[P]: what is traded, against the benchmark so far; 0 where nothing is."""
        achieved = np.divide(self.priced, self.traded, out=self.benchmark.copy(), where=self.traded > 0.0)
        gain: Vector = -slippage_bps(self._sign, achieved, self.benchmark)
        return gain

    def pass_window(self, window: int, lots: NDArray[np.generic] | None) -> Integers:
        """One window of the market; with `lots` it is one of the order's, which trades them in it at the bar's price
        unless that is beyond its limit. [P]: the lots that are traded."""
        move, bend = (np.concatenate([half, -half]) for half in self._random.standard_normal((2, self._count // 2)))
        price = self.close * np.exp(self._sigma * (move / 2.0 + bend / np.sqrt(12.0)) - self._sigma**2 / 6.0)
        self.close = self.close * np.exp(self._sigma * move - self._sigma**2 / 2.0)
        if lots is None:
            return np.zeros(len(self.close), dtype=np.int64)
        failed = np.where(self._beyond_limit(price), lots, 0)
        self.done -= np.rint(failed).astype(np.int64)
        self._trade(lots - failed, price)
        volume = self._volume(window)
        self.steps_closed += 1
        self.price_sum += price
        self.notional_sum += price * volume
        self.volume_sum += volume
        kept: Integers = np.rint(lots - failed).astype(np.int64)
        return kept

    def _open_lots(self, piece: Slice) -> float:
        if piece.step == self._state.withheld:
            return 0.0
        executed = float(self._state.executed[piece.step - 1]) / self._lot
        return max(0.0, self._state.asked[piece.step - 1] - executed)

    def _trade(self, lots: NDArray[np.generic], price: Vector) -> None:
        count = lots.astype(np.float64)
        size = count * self._lot
        self.quantity = self.quantity + (size if self._by_quantity else size / price)
        self.notional = self.notional + (size * price if self._by_quantity else size)
        self.traded = self.traded + count
        self.priced = self.priced + count * price

    def _rooms(self, step: int, windows_unseen: int, going: Integers) -> Rooms:
        room = self._room
        return Rooms(
            step=step,
            total=room.total,
            slice_cap=room.slice_cap,
            min_steps=np.full(len(going), room.min_steps),
            max_steps=np.full(len(going), room.max_steps),
            leaves=self._state.total - self.done[going],
            stopping=self.stopping[going],
            min_slice=room.min_slice,
            market_cap=self._market_caps(windows_unseen)[going] if room.market_cap is not None else None,
            price_blocked=self._beyond_limit(self.close)[going],
            at_finish_price=self._at_finish_price()[going],
            avoided=self._steps is not None and self._steps.at(step) is not None,
            usable_after=None if self._steps is None else self._steps.usable_after(step),
            completing=room.completing,
        )

    def _market_caps(self, windows_unseen: int) -> Integers:
        volume = self._volume(windows_unseen) * float(self._state.order.limits.max_participation_rate or 1)
        size = np.full(self._count, volume) if self._by_quantity else volume * self.close
        caps: Integers = np.floor(np.minimum(size / self._lot, float(self._state.total))).astype(np.int64)
        return caps

    def _beyond_limit(self, price: Vector) -> NDArray[np.bool_]:
        limit = self._state.order.limits.limit_price
        if limit is None:
            return np.zeros(self._count, dtype=np.bool_)
        beyond: NDArray[np.bool_] = self._sign * (price - float(limit)) > 0.0
        return beyond

    def _at_finish_price(self) -> NDArray[np.bool_]:
        finish = self._state.order.limits.finish_price
        if finish is None:
            return np.zeros(self._count, dtype=np.bool_)
        there: NDArray[np.bool_] = self._sign * (self.close - float(finish)) <= 0.0
        return there

    def _volume(self, windows_unseen: int) -> float:
        return float(self._reading.expected_volume(windows_unseen) or ZERO)

    def _benchmark_price(self) -> Vector:
        if not self.steps_closed:
            return self.close
        twap = self.price_sum / self.steps_closed
        if not self._is_vwap:
            return twap
        return np.divide(self.notional_sum, self.volume_sum, out=twap, where=self.volume_sum > 0.0)

    def _avg_price(self) -> Vector:
        return np.divide(self.notional, self.quantity, out=self.close.copy(), where=self.quantity > 0.0)
