"""Orders rolled over real bars, and the exact expected utility of an order that stops at random.

The network gives a pace and a probability of stopping. The order is rolled along its path of going on; at every step
where it may stop, the gain of finishing from there at full permitted speed is computed too. With p_s the probability
of stopping at step s and survive_s = prod_{r<s} (1 - p_r), the expected utility is

    sum_s survive_s p_s u(gain_s)

with p = 1 at the last step and the utility u of models/objective/utility.py. It is smooth in all parameters and has no
sampling noise. Gains are minus the slippage against the order's benchmark and minus the costs, as a fraction of the
volatility per bar at the order's start and of sqrt(N / 12): so gains of all lengths are alike, and those of 12 steps
are in plain volatilities.

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
from app.domain.costs import FREE, Costs
from app.domain.order import SCENARIOS
from app.domain.projection import STOP_THRESHOLD
from models.network.decision import DecisionNet, place_of
from models.network.expectation import STEPS_USUAL, foreseen, standing
from models.network.order_view import OrderView
from models.network.packing import packed
from models.network.scenarios import notional_flags
from models.objective.full_speed import Finish, FullSpeed
from models.objective.paths import Paths
from models.objective.terms import Terms
from models.objective.utility import utility

BPS = 10_000.0
HEDGE_SCALE = 0.1
"""Beyond so many units of volatility the surcharge on the pace's risk grows no faster than the gain: with the utility's
own scale of 1 the hedge learns from few wild orders, and most are tracked less closely."""


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
    """Run every order in all 8 scenarios, over as many steps as the paths have.

    The stop decides the mean; before it the pace is nearly free, and is the hedge. `hedge` [B] is a surcharge on the
    risk aversion that only the pace feels: its gradient does not reach the stop's probabilities.
    """
    rolling = _Rolling(net, paths, terms, costs, hedge)
    for step in range(1, paths.price.shape[1] + 1):
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
        self.blocks = net.blocks()
        self.longest = paths.price.shape[1]
        self.scale = math.sqrt(self.longest / STEPS_USUAL)
        self.sign = net.sign[:, None]  # [S, 1]
        self.is_vwap = net.is_vwap[:, None]
        self.by_notional = notional_flags().to(paths.price.device)[:, None]
        self.traded = paths.volume.cumsum(-1)
        self.benchmarks = _benchmarks(paths, self.traded, self.is_vwap)
        self.speed = FullSpeed.of(paths, terms, costs, self.by_notional)
        shape = len(SCENARIOS), len(paths.price)
        zero = torch.zeros(shape, dtype=paths.price.dtype, device=paths.price.device)
        self.filled = zero
        self.paid = zero  # the sum of a p for a quantity, of a / p for a notional, less the sum of a
        self.impact = zero  # what the slices so far cost, in units of volatility
        self.survive = zero + 1.0
        self.utility, self.hedging, self.gain, self.hard_gain, self.steps = zero, zero, zero, zero, zero
        self.running = zero + 1.0  # 1 until the order stops for good, hard

    def advance(self, step: int) -> None:
        """Every order may stop before `step`; those that go on trade in it."""
        view = self._view(step)
        place = int(place_of(torch.tensor(float(step)), torch.tensor(float(self.longest)), self.net.places))
        allocation, logit = self.net.propose(view, self.blocks[place])
        self._end(step, view.standing.leaves, logit)
        self._trade(step, allocation)

    def _end(self, step: int, leaves: Tensor, logit: Tensor) -> None:
        terms = self.terms
        finish = self.speed.finish(step, leaves)
        end = finish.end.to(leaves.dtype)
        may_stop = end >= terms.min_steps
        stop = torch.sigmoid(logit) * may_stop if step < self.longest else torch.ones_like(leaves)
        gain = self._gain(self.filled + leaves, self.paid + finish.paid, self._benchmark(step, finish), finish.impact)
        worth = utility(gain, terms.risk_aversion, torch.sqrt)
        weight = self.survive * stop
        self.utility = self.utility + weight * worth
        if self.hedge is not None:
            usual = torch.sqrt(HEDGE_SCALE**2 + gain * gain) - HEDGE_SCALE
            self.hedging = self.hedging + weight.detach() * self.hedge * usual
        self.gain = self.gain + weight * gain
        self.survive = self.survive * (1.0 - stop)
        hard = self.running * (stop > STOP_THRESHOLD).to(gain.dtype)
        self.hard_gain = self.hard_gain + (hard * gain).detach()
        self.steps = self.steps + hard * end
        self.running = self.running - hard

    def _benchmark(self, step: int, finish: Finish) -> Tensor:
        """[S, B]: at the end of a finish. The end jumps by a whole bar as the rest passes what a bar permits. The value
        is exact; the gradient is that of a benchmark that moves along with the last piece's share of a full one."""
        if not self.speed.limited:
            return self.benchmarks[..., step - 1]
        at_end, before = (
            self.benchmarks.gather(-1, (finish.end - ended).clamp(min=1)[..., None] - 1)[..., 0] for ended in (0, 1)
        )
        moving = finish.last_share - finish.last_share.detach() + 1.0
        return torch.where(finish.end > step, before + moving * (at_end - before), at_end)

    def _trade(self, step: int, allocation: Tensor) -> None:
        if self.speed.limited and step < self.longest:
            allocation = torch.minimum(allocation, self.speed.permitted[:, step - 1])
        self.impact = self.impact + self.speed.impact_at(allocation, step)
        self.paid = self.paid + allocation * self.speed.price_over[..., step - 1]
        self.filled = self.filled + allocation

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
            "max_steps": torch.full_like(terms.min_steps, self.longest),
            "max_slice_fraction": terms.max_slice_fraction,
            "max_participation_rate": terms.max_participation_rate,
            "risk_aversion": terms.risk_aversion,
        }
        orders = standing(
            context=paths.context[:, step - 1].expand(*shape, -1),
            state=packed(STATE_COLUMNS, {name: column.expand(shape) for name, column in columns.items()}),
            step=torch.full_like(self.filled, step),
            sign=self.sign,
            is_vwap=self.is_vwap,
        )
        # Volumes are the same for all scenarios.
        volume = foreseen(paths.volume_forecast[:, step - 1], orders.steps_left[0], orders.to_min[0])
        return OrderView.seeing(self.net.rule, orders, volume)

    def _average(self, filled: Tensor, paid: Tensor) -> Tensor:
        """[S, B]: the price achieved, from what was paid for what was filled."""
        safe = torch.where(filled > 0.0, filled + paid, 1.0)
        return torch.where(self.by_notional, filled / safe, safe / filled.clamp(min=1e-9))

    def _gain(self, filled: Tensor, paid: Tensor, benchmark: Tensor, impact: Tensor) -> Tensor:
        slippage = slippage_bps(self.sign, self._average(filled, paid), benchmark)
        paid_bps = (slippage + self.costs.half_spread_bps) / (BPS * self.paths.volatility)
        return -(paid_bps + self.impact + impact) / self.scale


def _benchmarks(paths: Paths, traded: Tensor, is_vwap: Tensor) -> Tensor:
    """[S, B, N]: each scenario's benchmark from the first step to each later one. `traded` [B, N] is the volume so far;
    a VWAP of nothing is a TWAP."""
    counts = torch.arange(1, paths.price.shape[1] + 1, dtype=paths.price.dtype, device=paths.price.device)
    twap = paths.price.cumsum(-1) / counts
    vwap = torch.where(traded > 0, (paths.price * paths.volume).cumsum(-1) / traded.clamp(min=1e-12), twap)
    return torch.where(is_vwap[..., None], vwap, twap)
