"""Orders rolled over real bars, and the exact expected utility of an order that stops at random.

The network gives a pace and a probability of stopping. The order is rolled along its path of going on; at every step
where it may stop, the gain of finishing from there at full permitted speed is computed too. With p_s the probability
of stopping at step s and survive_s = prod_{r<s} (1 - p_r), the expected utility is

    sum_s survive_s p_s u(gain_s)

with p = 1 at the last step and the utility u of models/objective/utility.py. It is smooth in all parameters and has no
sampling noise. Gains are minus the slippage against the order's benchmark and minus the costs, as a fraction of the
volatility per bar at the order's start.

Costs of slices beyond the market's price are those of app/domain/costs.py.

Shapes: S scenarios, B orders (per scenario), N steps, K state columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from app.bundles.inputs import STATE_COLUMNS
from app.domain.benchmark import slippage_bps
from app.domain.costs import FREE, VOLUME_FLOOR, Costs, square_root_impact
from app.domain.order import SCENARIOS
from app.domain.projection import STOP_THRESHOLD
from models.network.decision import DecisionNet
from models.network.order_view import OrderView
from models.network.packing import packed
from models.network.scenarios import notional_flags
from models.objective.paths import Paths
from models.objective.terms import Terms
from models.objective.utility import utility

BPS = 10_000.0
HEDGE_SCALE = 0.1
"""Beyond so many units of volatility the surcharge on the pace's risk grows no faster than the gain: with the utility's
own scale of 1 the hedge learns from few wild orders, and most are tracked less closely."""
DUST = 1e-6
"""A share of an order too small to count as a slice: float32 leaves such rests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutOutcome:
    """[S, B]: `utility` and `gain` in expectation over the random stop; `hedging` the penalty of a surcharge on the
    pace's risk; `hard_gain` and `steps` of the order that stops where the probability exceeds one half, as in
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
    return RolloutOutcome(
        utility=rolling.utility,
        hedging=rolling.hedging,
        gain=rolling.gain,
        hard_gain=rolling.hard_gain,
        steps=rolling.steps,
    )


class _Rolling:
    def __init__(self, net: DecisionNet, paths: Paths, terms: Terms, costs: Costs, hedge: Tensor | None) -> None:
        self.net, self.paths, self.terms, self.costs, self.hedge = net, paths, terms, costs, hedge
        dtype, scenarios = paths.price.dtype, len(SCENARIOS)
        self.sign = net.sign[:, None]  # [S, 1]
        self.is_vwap = net.is_vwap[:, None]
        self.by_notional = notional_flags().to(paths.price.device)[:, None]
        self.traded = paths.volume.cumsum(-1)
        self.benchmarks = _benchmarks(paths, self.traded, self.is_vwap)
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
        """Every order may stop before `step`; those that go on trade in it."""
        view = self._view(step)
        allocation, logit = self.net.propose(view, self.net.step_block(step))
        self._end(step, view.standing.leaves, logit)
        self._trade(step, allocation)

    def _end(self, step: int, leaves: Tensor, logit: Tensor) -> None:
        terms = self.terms
        alive = (terms.max_steps >= step).to(leaves.dtype)  # [B]
        last = (terms.max_steps == step).to(leaves.dtype)
        steps_to_finish = torch.ceil(leaves / terms.max_slice_fraction - 1e-4)
        may_stop = (step + steps_to_finish - 1.0 >= terms.min_steps) & (terms.max_steps > step)
        stop = torch.sigmoid(logit) * may_stop + last
        gain, end = self._finish(step, leaves)
        worth = utility(gain, terms.risk_aversion, torch.sqrt)
        weight = self.survive * stop * alive
        self.utility = self.utility + weight * worth
        if self.hedge is not None:
            usual = torch.sqrt(HEDGE_SCALE**2 + gain * gain) - HEDGE_SCALE
            self.hedging = self.hedging + weight.detach() * self.hedge * usual
        self.gain = self.gain + weight * gain
        self.survive = self.survive * (1.0 - stop)
        hard = self.running * alive * (stop > STOP_THRESHOLD).to(gain.dtype)
        self.hard_gain = self.hard_gain + (hard * gain).detach()
        self.steps = self.steps + hard * end
        self.running = self.running - hard

    def _trade(self, step: int, allocation: Tensor) -> None:
        spent = self._spent(allocation, self.paths.price[:, step - 1])
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
        columns = {
            "filled_fraction": self.filled,
            "price_return": paths.close[:, step - 1] / so_far - 1.0,
            "achieved_return": achieved / so_far - 1.0,
            "benchmark_volume": seen,
            "order_volume": terms.order_volume,
            "min_steps": terms.min_steps,
            "max_steps": terms.max_steps,
            "max_slice_fraction": terms.max_slice_fraction,
            "max_participation_rate": terms.max_participation_rate,
            "risk_aversion": terms.risk_aversion,
        }
        return OrderView.of(
            self.net.rule,
            state=packed(STATE_COLUMNS, {name: column.expand(shape) for name, column in columns.items()}),
            context=paths.context[:, step - 1].expand(*shape, -1),
            volume_forecast=paths.volume_forecast[:, step - 1].expand(*shape, -1),
            step=torch.full_like(self.filled, step),
            sign=self.sign,
            is_vwap=self.is_vwap,
        )

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


def _benchmarks(paths: Paths, traded: Tensor, is_vwap: Tensor) -> Tensor:
    """[S, B, N]: each scenario's benchmark from the first step to each later one. `traded` [B, N] is the volume so far;
    a VWAP of nothing is a TWAP."""
    counts = torch.arange(1, paths.price.shape[1] + 1, dtype=paths.price.dtype, device=paths.price.device)
    twap = paths.price.cumsum(-1) / counts
    vwap = torch.where(traded > 0, (paths.price * paths.volume).cumsum(-1) / traded.clamp(min=1e-12), twap)
    return torch.where(is_vwap[..., None], vwap, twap)
