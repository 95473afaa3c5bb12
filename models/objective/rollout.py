"""Orders rolled over real bars, and the exact expected utility of an order that stops at random.

The network gives a pace and a probability of stopping. The order is rolled along its path of going on; at every step
where it may stop, the gain of finishing from there at full permitted speed is computed too. With p_s the probability
of stopping at step s and survive_s = prod_{r<s} (1 - p_r), the expected utility is

    sum_s survive_s p_s u(gain_s),    u(g) = g - risk_aversion (sqrt(1 + g^2) - 1),

with p = 1 at the last step. It is smooth in all parameters and has no sampling noise. Gains are minus the slippage
against the order's benchmark and minus the costs, as a fraction of the volatility per bar at the order's start.

What a slice costs beyond the market's price is said in app/domain/costs.py.

Shapes: S scenarios, B orders (per scenario), N steps, K state columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from app.domain.benchmark import slippage_bps
from app.domain.costs import FREE, VOLUME_FLOOR, Costs, square_root_impact
from app.domain.order import SCENARIOS, SizeMode
from app.domain.projection import STOP_THRESHOLD
from models.network.decision import DecisionNet
from models.network.order_view import OrderView

BPS = 10_000.0
HEDGE_SCALE = 0.1
"""Beyond so many units of volatility the surcharge on the pace's risk grows no faster than the gain: with the utility's
own scale of 1 the hedge learns from few wild orders, and most are tracked less closely."""
DUST = 1e-6
"""A share of an order too small to count as a slice: float32 leaves such rests."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What each order asks for, [B]: the same for all scenarios. `order_volume` is base units."""

    min_steps: Tensor
    max_steps: Tensor
    risk_aversion: Tensor
    max_slice_fraction: Tensor
    max_participation_rate: Tensor
    order_volume: Tensor

    def take(self, chosen: Tensor) -> Terms:
        return Terms(*(getattr(self, name)[chosen] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Paths:
    """What the market does after each order's start, [B, N]: `price` of each bar and `close` before each step, both
    over the close before the start; `volume` in base units; and each step's market reading, `context` [B, N, H] and
    `volume_forecast` [B, N, N]. `volatility` [B] is the gains' unit."""

    price: Tensor
    close: Tensor
    volume: Tensor
    context: Tensor
    volume_forecast: Tensor
    volatility: Tensor

    def take(self, chosen: Tensor) -> Paths:
        return Paths(*(getattr(self, name)[chosen] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class RolloutOutcome:
    """[S, B]: `utility` and `gain` in expectation over the random stop; `hedging` the penalty that a surcharge on the
    pace's risk adds; `hard_gain` and `steps` of the order that stops where the probability exceeds one half, as in
    deployment."""

    utility: Tensor
    hedging: Tensor
    gain: Tensor
    hard_gain: Tensor
    steps: Tensor


def roll(
    net: DecisionNet, paths: Paths, terms: Terms, costs: Costs = FREE, *, hedge: Tensor | None = None
) -> RolloutOutcome:
    """Run every order in all 8 scenarios.

    The stop decides the mean; before it the pace is nearly free, and is the hedge. `hedge` [B] is a surcharge on the
    risk aversion that only the pace feels: its gradient does not reach the stop's probabilities.
    """
    rolling = _Rolling(net, paths, terms, costs, hedge)
    for step in range(1, int(terms.max_steps.max()) + 1):
        rolling.advance(step)
    return RolloutOutcome(rolling.utility, rolling.hedging, rolling.gain, rolling.hard_gain, rolling.steps)


class _Rolling:
    def __init__(self, net: DecisionNet, paths: Paths, terms: Terms, costs: Costs, hedge: Tensor | None) -> None:
        self.net, self.paths, self.terms, self.costs, self.hedge = net, paths, terms, costs, hedge
        dtype, scenarios = paths.price.dtype, len(SCENARIOS)
        self.sign = net.sign[:, None]  # [S, 1]
        self.is_vwap = net.is_vwap[:, None]
        by_notional = [scenario.size_mode is SizeMode.NOTIONAL for scenario in SCENARIOS]
        self.by_notional = torch.tensor(by_notional, device=paths.price.device)[:, None]
        counts = torch.arange(1, paths.price.shape[1] + 1, dtype=dtype, device=paths.price.device)
        twap = paths.price.cumsum(-1) / counts
        traded = paths.volume.cumsum(-1)
        vwap = torch.where(traded > 0, (paths.price * paths.volume).cumsum(-1) / traded.clamp(min=1e-12), twap)
        self.benchmarks = torch.where(self.is_vwap[..., None], vwap, twap)  # [S, B, N]
        self.traded = traded
        market = torch.maximum(paths.volume, VOLUME_FLOOR * paths.volume.mean(-1, keepdim=True))  # [B, N]
        # Where a whole horizon trades nothing there is no impact to speak of.
        self.size = terms.order_volume[:, None] / torch.where(market > 0.0, market, math.inf)
        self.capped = bool((terms.max_slice_fraction < 1.0).any())
        zero = torch.zeros(scenarios, len(paths.price), dtype=dtype, device=paths.price.device)
        self.filled, self.paid = zero, zero  # paid: sum of a p for a quantity, of a / p for a notional
        self.impact = zero  # what the slices so far cost, in units of volatility
        self.survive = zero + 1.0
        self.utility, self.hedging, self.gain, self.hard_gain, self.steps = zero, zero, zero, zero, zero
        self.running = zero + 1.0  # 1 until the order stops for good, hard

    def advance(self, step: int) -> None:
        paths, terms = self.paths, self.terms
        alive = (terms.max_steps >= step).to(self.filled.dtype)  # [B]
        last = (terms.max_steps == step).to(self.filled.dtype)
        order = self._view(step)
        allocation, logit = self.net.propose(order, self.net.step_block(step))
        steps_to_finish = torch.ceil(order.leaves / terms.max_slice_fraction - 1e-4)
        may_stop = (step + steps_to_finish - 1.0 >= terms.min_steps) & (terms.max_steps > step)
        stop = torch.sigmoid(logit) * may_stop + last
        gain, end = self._finish(step, order.leaves)
        excess = torch.sqrt(1.0 + gain * gain) - 1.0
        weight = self.survive * stop * alive
        self.utility = self.utility + weight * (gain - terms.risk_aversion * excess)
        if self.hedge is not None:
            usual = torch.sqrt(HEDGE_SCALE**2 + gain * gain) - HEDGE_SCALE
            self.hedging = self.hedging + weight.detach() * self.hedge * usual
        self.gain = self.gain + weight * gain
        self.survive = self.survive * (1.0 - stop)
        hard = self.running * alive * (stop > STOP_THRESHOLD).to(gain.dtype)
        self.hard_gain = self.hard_gain + (hard * gain).detach()
        self.steps = self.steps + hard * end
        self.running = self.running - hard
        spent = self._spent(allocation, paths.price[:, step - 1])
        self.impact = self.impact + self._impact(allocation, step)
        self.filled, self.paid = self.filled + allocation, self.paid + spent

    def _view(self, step: int) -> OrderView:
        paths, terms = self.paths, self.terms
        shape = self.filled.shape
        if step == 1:
            so_far = paths.close[:, 0].expand(shape)
            seen = torch.zeros_like(self.filled)
        else:
            so_far = self.benchmarks[..., step - 2]
            seen = self.traded[:, step - 2].expand(shape)
        achieved = torch.where(self.filled > 0.0, self._average(self.filled, self.paid), paths.close[:, step - 1])
        columns = (
            self.filled,
            paths.close[:, step - 1] / so_far - 1.0,
            achieved / so_far - 1.0,
            seen,
            terms.order_volume,
            terms.min_steps,
            terms.max_steps,
            terms.max_slice_fraction,
            terms.max_participation_rate,
            terms.risk_aversion,
        )
        state = torch.stack([column.expand(shape) for column in columns], dim=-1)
        context = paths.context[:, step - 1].expand(*shape, -1)
        forecast = paths.volume_forecast[:, step - 1].expand(*shape, -1)
        at = torch.full_like(self.filled, step)
        return OrderView(self.net.rule, context, forecast, state, at, self.sign, self.is_vwap)

    def _spent(self, allocation: Tensor, price: Tensor) -> Tensor:
        return torch.where(self.by_notional, allocation / price, allocation * price)

    def _average(self, filled: Tensor, paid: Tensor) -> Tensor:
        safe = torch.where(filled > 0.0, paid, 1.0)
        return torch.where(self.by_notional, filled / safe, safe / filled.clamp(min=1e-9))

    def _finish(self, step: int, leaves: Tensor) -> tuple[Tensor, Tensor]:
        """The gain of finishing from `step` on at full permitted speed, and the step at which that ends, [S, B]."""
        price = self.paths.price
        if not self.capped:
            total = self.paid + self._spent(leaves, price[:, step - 1])
            impact = self.impact + self._impact(leaves, step)
            return self._gain(total, self.benchmarks[..., step - 1], impact), torch.full_like(leaves, step)
        cap = self.terms.max_slice_fraction
        total, rest, impact = self.paid, leaves, self.impact
        benchmark = self.benchmarks[..., step - 1]
        end = torch.full_like(leaves, step)
        for later in range(step, price.shape[1] + 1):
            piece = torch.minimum(rest, cap)
            total = total + self._spent(piece, price[:, later - 1])
            impact = impact + self._impact(piece, later)
            # The end jumps by a whole bar as the rest passes a multiple of the cap. The value is exact; the gradient
            # is that of a benchmark that moves along with the last piece's share of a full one.
            share = (piece / cap).clamp(0.0, 1.0)
            reached = (piece > DUST).to(piece.dtype)
            moving = share - share.detach() + reached
            if later > step:
                benchmark = benchmark + moving * (self.benchmarks[..., later - 1] - benchmark)
                end = torch.where(reached > 0.0, torch.full_like(end, later), end)
            rest = rest - piece
        return self._gain(total, benchmark, impact), end

    def _impact(self, piece: Tensor, step: int) -> Tensor:
        if not self.costs.impact:
            return torch.zeros_like(piece)
        # The tiny share keeps the gradient of the square root finite where nothing is traded.
        share = piece * self.size[:, step - 1] + 1e-12
        cost: Tensor = piece * square_root_impact(self.costs.impact, 1.0, share, 1.0)
        return cost

    def _gain(self, total: Tensor, benchmark: Tensor, impact: Tensor) -> Tensor:
        achieved = torch.where(self.by_notional, 1.0 / total, total)
        unit = BPS * self.paths.volatility
        return -(slippage_bps(self.sign, achieved, benchmark) + self.costs.half_spread_bps) / unit - impact
