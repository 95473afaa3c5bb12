"""The prices an order is held against, and the sign of the difference.

The formulas take `Decimal` in the service and float64 arrays in the backtest and in training: they exist once.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from app.domain.bar import Bar
from app.domain.evolve import evolve
from app.domain.numbers import ZERO
from app.domain.order import Benchmark


class Arithmetic(Protocol):
    """A Decimal, a float, an array or a tensor."""

    def __sub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...


Number = TypeVar("Number", bound=Arithmetic)


def slippage_bps(sign: Any, achieved: Number, benchmark: Number) -> Number:
    """sign * (achieved / benchmark - 1) * 1e4, with sign +1 for a buy and -1 for a sell; positive is a cost."""
    result: Number = (achieved - benchmark) / benchmark * 10_000 * sign
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkSums:
    """Both benchmarks over the windows so far whose bars were seen, and what was expected of the windows that were not.

    TWAP is the plain mean of the bars' prices (`Bar.price`), VWAP their mean weighted by volume; VWAP is TWAP while
    nothing has traded. `partial` tells that a window, or a part of one, was not seen: the prices leave it out. The
    fields that begin with `unseen` are of such windows alone: how many they are, and what was expected of them.
    """

    steps: int = 0
    price_sum: Decimal = ZERO
    notional_sum: Decimal = ZERO
    volume_sum: Decimal = ZERO
    partial: bool = False
    unseen_steps: int = 0
    unseen_price_sum: Decimal = ZERO
    unseen_notional_sum: Decimal = ZERO
    unseen_volume_sum: Decimal = ZERO

    def add(self, bar: Bar) -> BenchmarkSums:
        """A window has closed, and `bar` is what the market did in it."""
        price = bar.price
        return evolve(
            self,
            steps=self.steps + 1,
            price_sum=self.price_sum + price,
            notional_sum=self.notional_sum + price * bar.volume,
            volume_sum=self.volume_sum + bar.volume,
            partial=self.partial or bar.partial,
        )

    def expect(self, price: Decimal, volume: Decimal) -> BenchmarkSums:
        """A window has passed unseen; the market was expected to trade `volume` (base units) in it at `price`."""
        return evolve(
            self,
            partial=True,
            unseen_steps=self.unseen_steps + 1,
            unseen_price_sum=self.unseen_price_sum + price,
            unseen_notional_sum=self.unseen_notional_sum + price * volume,
            unseen_volume_sum=self.unseen_volume_sum + volume,
        )

    @property
    def with_expected(self) -> BenchmarkSums:
        """The sums as if every unseen window had been seen to do what was expected: what a decision goes by."""
        if not self.unseen_steps:
            return self
        return BenchmarkSums(
            steps=self.steps + self.unseen_steps,
            price_sum=self.price_sum + self.unseen_price_sum,
            notional_sum=self.notional_sum + self.unseen_notional_sum,
            volume_sum=self.volume_sum + self.unseen_volume_sum,
            partial=self.partial,
        )

    def price(self, benchmark: Benchmark) -> Decimal | None:
        """Over the windows that were seen; None where there is none."""
        if self.steps == 0:
            return None
        if benchmark is Benchmark.VWAP and self.volume_sum > ZERO:
            return self.notional_sum / self.volume_sum
        return self.price_sum / self.steps
