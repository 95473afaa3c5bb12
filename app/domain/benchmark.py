"""The prices an order is held against, and the sign of the difference.

The formulas take `Decimal` in the service and float64 arrays in the backtest and in training: they exist once.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from app.domain.bar import Bar
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
    """Both benchmarks over the windows seen so far.

    TWAP is the plain mean of the bars' prices (`Bar.price`), VWAP their mean weighted by volume; VWAP is TWAP while
    nothing has traded. `partial` tells that a synthetic bar is among them: the figure is then not the market's alone.
    """

    steps: int = 0
    price_sum: Decimal = ZERO
    notional_sum: Decimal = ZERO
    volume_sum: Decimal = ZERO
    partial: bool = False

    def add(self, bar: Bar) -> BenchmarkSums:
        return BenchmarkSums(
            steps=self.steps + 1,
            price_sum=self.price_sum + bar.price,
            notional_sum=self.notional_sum + bar.price * bar.volume,
            volume_sum=self.volume_sum + bar.volume,
            partial=self.partial or bar.synthetic,
        )

    def price(self, benchmark: Benchmark) -> Decimal | None:
        """None before the first window has closed."""
        if self.steps == 0:
            return None
        if benchmark is Benchmark.VWAP and self.volume_sum > ZERO:
            return self.notional_sum / self.volume_sum
        return self.price_sum / self.steps
