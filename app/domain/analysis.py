"""What an order cost, held against what the market did: while it works, and for good once all of it is known.

Slippage is a cost where it is positive, gains are gains. `market` is what the market did in the order's windows, oldest
first, and in those that would have followed up to max_steps: a bar each, None where nothing is recorded of a window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.bar import Bar
from app.domain.benchmark import BenchmarkSums, slippage_bps
from app.domain.numbers import ZERO
from app.domain.order import Benchmark, SizeMode
from app.domain.state import OrderState

REVERSION_BARS = (1, 5, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstMarket:
    """The order's average price against the market's over `steps` windows of `steps_max`. `partial` where one of them
    was not seen, or not whole: the prices leave it out."""

    steps: int
    steps_max: int
    partial: bool
    vwap: Decimal | None
    twap: Decimal | None
    vwap_slippage_bps: Decimal | None
    twap_slippage_bps: Decimal | None

    def slippage_bps(self, benchmark: Benchmark) -> Decimal | None:
        return self.vwap_slippage_bps if benchmark is Benchmark.VWAP else self.twap_slippage_bps


@dataclass(frozen=True, slots=True, kw_only=True)
class GainParts:
    """What the gain against the order's benchmark is made of, in bps of the benchmark; the three add up to the gain.

    With p_1..p_n the prices of the windows up to the last, T their mean and H their harmonic mean: `stop_bps` is T less
    the average price of an even pace over max_steps that ends with window n too, for a buy; `convexity_bps` is T - H
    for a fixed notional and nothing for a quantity; `pace_bps` is the rest, what the order's own slices earned.
    """

    stop_bps: Decimal
    pace_bps: Decimal
    convexity_bps: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """Our quantity over the market's volume in the same windows, over all of them and in the busiest one."""

    overall: Decimal
    busiest: Decimal
    busiest_step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The costs of one order. Each figure is None where it is not known. `arrival_bps` is of what is filled at a known
    price; `shortfall_bps` counts what is not filled at `last_price`. `to_end` is the market over the order's own
    windows so far, `to_max_steps` over all that it might have had; their difference is `stop_earned_bps`, once the last
    of them has closed. `reversion_bps` says by how much the price went back so many bars after the last window: it is
    positive where a buy's price fell. `final`: nothing of all this will change."""

    final: bool
    last_price: Decimal | None
    arrival_bps: Decimal | None
    shortfall_bps: Decimal | None
    to_end: AgainstMarket
    to_max_steps: AgainstMarket
    stop_earned_bps: Decimal | None
    gain: GainParts | None
    participation: Participation | None
    reversion_bps: Mapping[int, Decimal | None]

    @property
    def partial(self) -> bool:
        return self.to_end.partial or self.to_max_steps.partial


def analyse(state: OrderState, market: Sequence[Bar | None], after: Sequence[Bar], newest: Bar | None) -> Analysis:
    """`after` are the feed's bars that follow the order's last closed window, as many as reversion asks for; `newest`
    is the feed's newest bar."""
    order, own = state.order, market[: _closed(state)]
    seen = [bar for bar in own if bar is not None]
    last = newest.close if newest and (state.status.live or not seen) else seen[-1].close if seen else None
    to_end = _against(state, state.sums, len(own))
    to_max = _against(state, _continued(state.sums, market[len(own) :]), len(market))
    full = state.awaits_bars is False and len(market) == order.horizon.max_steps
    ends = (to_end.slippage_bps(order.benchmark), to_max.slippage_bps(order.benchmark))
    return Analysis(
        final=full and len(after) >= max(REVERSION_BARS),
        last_price=last,
        arrival_bps=_bps(state, state.avg_price, state.arrival_price),
        shortfall_bps=_shortfall(state, last),
        to_end=to_end,
        to_max_steps=to_max,
        stop_earned_bps=ends[1] - ends[0] if full and ends[0] is not None and ends[1] is not None else None,
        gain=_parts(state, own, to_end),
        participation=_participation(state, own),
        reversion_bps=_reversion(state, own, after),
    )


def _closed(state: OrderState) -> int:
    return state.sums.steps + state.sums.unseen_steps


def _continued(sums: BenchmarkSums, market: Sequence[Bar | None]) -> BenchmarkSums:
    for bar in market:
        seen = bar is not None and not bar.synthetic
        sums = sums.add(bar) if bar is not None and seen else sums.expect(ZERO, ZERO)
    return sums


def _against(state: OrderState, sums: BenchmarkSums, steps: int) -> AgainstMarket:
    vwap, twap = sums.price(Benchmark.VWAP), sums.price(Benchmark.TWAP)
    return AgainstMarket(
        steps=steps,
        steps_max=state.order.horizon.max_steps,
        partial=sums.partial,
        vwap=vwap,
        twap=twap,
        vwap_slippage_bps=_bps(state, state.avg_price, vwap),
        twap_slippage_bps=_bps(state, state.avg_price, twap),
    )


def _bps(state: OrderState, achieved: Decimal | None, benchmark: Decimal | None) -> Decimal | None:
    if achieved is None or benchmark is None:
        return None
    return slippage_bps(state.order.side.sign, achieved, benchmark)


def _shortfall(state: OrderState, last: Decimal | None) -> Decimal | None:
    """Of the whole order: what is filled as it was, what is not at the last price. What is unpriced counts as neither:
    nobody knows what it cost."""
    size = state.order.size - min(state.unpriced, state.order.size)
    priced = min(state.filled - state.unpriced, size)
    filled, rest = _bps(state, state.avg_price, state.arrival_price), _bps(state, last, state.arrival_price)
    if not size or (priced and filled is None) or (priced < size and rest is None):
        return None
    return ((filled or ZERO) * priced + (rest or ZERO) * (size - priced)) / size


def _parts(state: OrderState, own: Sequence[Bar | None], to_end: AgainstMarket) -> GainParts | None:
    """None where a window was not seen, or something of the order has no price: the parts would be of other windows."""
    order, price = state.order, state.sums.price(state.order.benchmark)
    slippage = to_end.slippage_bps(order.benchmark)
    prices = [bar.price for bar in own if bar is not None]
    whole = prices and len(prices) == len(own) and not to_end.partial and not state.unpriced
    if not whole or price is None or slippage is None:
        return None
    mean, longest = sum(prices, ZERO) / len(prices), order.horizon.max_steps
    paced = (sum(prices[:-1], ZERO) + (longest - len(prices) + 1) * prices[-1]) / longest
    stop = order.side.sign * (mean - paced) / price * 10_000
    convexity = ZERO
    if order.size_mode is SizeMode.NOTIONAL:
        harmonic = len(prices) / sum((1 / each for each in prices), ZERO)
        convexity = order.side.sign * (mean - harmonic) / price * 10_000
    return GainParts(stop_bps=stop, pace_bps=-slippage - stop - convexity, convexity_bps=convexity)


def _participation(state: OrderState, own: Sequence[Bar | None]) -> Participation | None:
    """Over the windows that were seen and had volume. Where the order fixes a notional, what was traded of it in a
    window counts at the bar's price."""
    by_step: list[tuple[Decimal, int]] = []
    traded = volume = ZERO
    for step, bar in enumerate(own, 1):
        if bar is None or bar.synthetic or not bar.volume:
            continue
        size = state.executed[step - 1]
        quantity = size if state.order.size_mode is SizeMode.QUANTITY else size / bar.price
        by_step.append((quantity / bar.volume, step))
        traded, volume = traded + quantity, volume + bar.volume
    if not by_step:
        return None
    busiest, step = max(by_step, key=lambda each: (each[0], -each[1]))
    return Participation(overall=traded / volume, busiest=busiest, busiest_step=step)


def _reversion(state: OrderState, own: Sequence[Bar | None], after: Sequence[Bar]) -> dict[int, Decimal | None]:
    """None where nothing is recorded of the last window: an earlier close would tell of other bars."""
    last = own[-1] if own else None

    def back(bars: int) -> Decimal | None:
        if state.awaits_bars or last is None or len(after) < bars or after[bars - 1].synthetic:
            return None
        return slippage_bps(-state.order.side.sign, after[bars - 1].close, last.close)

    return {bars: back(bars) for bars in REVERSION_BARS}
