"""One batch of orders on their contexts, as numbers without units, and what the network's outputs make of them.

Shapes: B orders, H context width, N steps, K state columns, I inputs. `...` is any batch.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from app.bundles.inputs import STATE_COLUMNS
from models.network.context import (
    FIXED_FIGURES,
    FORCED_TILTS,
    FREE_TILTS,
    OUTLOOK_GAIN,
    SIGNED_FIGURES,
    TILTS,
    TRUST_FIGURE,
    walk_deviation,
)
from models.network.martingale import MartingaleRule
from models.settings.sizes import OUTLOOKS

OUTPUTS = 3  # a shift of the pace, the haste under a cap, and a shift of the stop's logit
ORDER_INPUTS = 25
SHARE_MIN = 1e-3
STOP_SLOPE, BEYOND_MAX = 8.0, 3.0
"""How fast a fresh network's stop turns from no to yes round the threshold, per unit of volatility."""
BET, BET_FEAR = 2.0, 0.1
"""The bet with the pace, before anything is learned: per unit of the edge, the less the more the order fears spread. At
the default it is half of what utility asks for on crypto bars of 15 minutes, and about that on longer ones."""
VWAP_PATIENCE = 0.9
"""The threshold of a small VWAP order without a cap on a market, over the optimum for a random walk whose volume is
steady. On bars from July to December 2024, nothing learned, at min_steps 1 and without risk aversion, that earns 0.006
sigma more at 90 minutes, 0.004 on an hour, 0.003 at 240 minutes, 0.002 at 15, 0.001 on daily equities and 0.001 less on
those of 5 minutes. Orders of 1 % of the volume and orders under a cap lose by it: to end early costs them more."""
SMALL, LARGE = 1e-4, 1e-2
"""The shares of the volume left from which on the size of an order matters, and from which on impact costs it more than
a hedge against busy bars is worth: an uneven pace pays the most for its largest slices."""


class OrderView:
    """One batch of orders on their contexts, as numbers without units."""

    def __init__(
        self,
        rule: MartingaleRule,
        context: Tensor,
        volume_forecast: Tensor,
        state: Tensor,
        step: Tensor,
        sign: Tensor,
        is_vwap: Tensor,
    ) -> None:
        column = dict(zip(STATE_COLUMNS, state.unbind(-1), strict=True))
        self.column, self.context, self.step, self.sign = column, context, step, sign
        self.volatility = torch.exp(context[..., 0])
        self.filled = column["filled_fraction"]
        self.leaves = (1.0 - self.filled).clamp(min=0.0)
        self.steps_left = (column["max_steps"] - step + 1.0).clamp(min=1.0)
        self.to_min = (column["min_steps"] - step).clamp(min=0.0)
        self.is_vwap = is_vwap
        self.forced = (self.to_min / (self.steps_left - 1.0).clamp(min=1.0)).clamp(max=1.0)  # share of the rest
        self._expect(volume_forecast)
        self._limit()
        self._foresee()
        self._aim(rule)

    def _expect(self, volume_forecast: Tensor) -> None:
        """Volumes, and the share of the benchmark that will be done by the end of the step, as a hedge sees it."""
        ahead = torch.arange(volume_forecast.shape[-1], dtype=self.context.dtype, device=self.context.device)
        self.next_volume = volume_forecast[..., 0]
        self.volume_left = (volume_forecast * (ahead < self.steps_left[..., None])).sum(-1)
        self.volume_to_min = (volume_forecast * (ahead < self.to_min[..., None] + 1.0)).sum(-1)
        seen = self.column["benchmark_volume"]
        self.volume_total = (seen + self.volume_left).clamp(min=1e-12)
        self.size = self.column["order_volume"] / self.volume_left.clamp(min=1e-12)
        self.small = SMALL / (self.size + SMALL)  # 1 where the order's size does not matter
        free_tilts, forced_tilts = self.context[..., FREE_TILTS], self.context[..., FORCED_TILTS]
        log_tilts = free_tilts + self.forced[..., None] * (forced_tilts - free_tilts)
        tilts = torch.exp(log_tilts / (1.0 + self.size / LARGE)[..., None])
        hedged = tilts[..., torch.arange(volume_forecast.shape[-1]).clamp(max=len(TILTS) - 1)] * volume_forecast
        following = seen + hedged[..., 0]
        by_volume = following / (seen + (hedged * (ahead < self.steps_left[..., None])).sum(-1)).clamp(min=1e-12)
        self.even = self.step / self.column["max_steps"]
        self.share = torch.where(self.is_vwap, by_volume, self.even)

    def _limit(self) -> None:
        column, slice_cap = self.column, self.column["max_slice_fraction"]
        permitted = column["max_participation_rate"] * self.next_volume / column["order_volume"].clamp(min=1e-12)
        limited = column["max_participation_rate"] < 1.0
        self.cap = torch.where(limited, torch.minimum(slice_cap, permitted), slice_cap)

    def _foresee(self) -> None:
        """What trading in the next bar is expected to gain over trading evenly in all that are left, in units of
        volatility: the outlooks of the nearest spans, on straight lines between them."""
        if self.context.shape[-1] == FIXED_FIGURES:
            self.edge = torch.zeros_like(self.leaves)
            return
        spans = torch.tensor(OUTLOOKS, dtype=self.context.dtype, device=self.context.device)
        outlook = self.context[..., FIXED_FIGURES : FIXED_FIGURES + len(OUTLOOKS)] / OUTLOOK_GAIN
        mean = outlook * walk_deviation(spans)  # of the next bars' prices over the last close
        left = self.steps_left.clamp(1.0, float(OUTLOOKS[-1]))
        far = torch.zeros_like(left)
        for near, (low, high) in enumerate(pairwise(OUTLOOKS)):
            part = ((left - low) / (high - low)).clamp(0.0, 1.0)
            far = far + part * (mean[..., near + 1] - mean[..., near])
        self.edge = self.sign * far  # the next bar's own mean is where the lines begin

    def _aim(self, rule: MartingaleRule) -> None:
        """Where the optimum for a random walk would stand: `beyond` its threshold, aiming at `target`; and `ahead`, the
        target of an order that keeps so little back that it can always finish in one slice."""
        column = self.column
        self.y = -self.sign * column["price_return"] / self.volatility
        slices = torch.ceil(1.0 / column["max_slice_fraction"].clamp(min=1e-3) - 1e-4)
        rows = rule.rows(torch.maximum(column["min_steps"], slices), column["max_steps"], self.step)
        free = self.is_vwap & (column["max_slice_fraction"] >= 1.0)
        patience = 1.0 - free * (1.0 - VWAP_PATIENCE) * self.context[..., TRUST_FIGURE] * self.small
        self.beyond = self.y - patience * rule.threshold(rows)
        self.target = (self.share + rule.target(rows, self.y) - self.even).clamp(0.0, 1.0)
        self.ahead = torch.maximum(self.target, torch.minimum(self.filled + 1.02 * self.cap, 1.0 - 0.98 * self.cap))

    def inputs(self) -> Tensor:
        """[..., I]: the order's own figures, then the learned part of the context."""
        column, steps = self.column, 12.0
        risk = column["risk_aversion"]
        y = torch.asinh(self.y)
        figures = (
            y,
            torch.asinh(self.sign * column["achieved_return"] / self.volatility),
            y.abs() - 0.7,
            torch.asinh(self.beyond),
            self.filled,
            self.share,
            self.share - self.filled,
            self.target - self.filled,
            self.ahead - self.filled,
            self.step / steps,
            self.steps_left / steps,
            1.0 / self.steps_left,
            self.to_min / steps,
            (self.to_min == 0.0).to(self.context.dtype),
            column["benchmark_volume"] / self.volume_total,
            self.next_volume / self.volume_total,
            (column["benchmark_volume"] + self.volume_to_min) / self.volume_total,
            torch.log(self.size.clamp(1e-7, 1e3) + 1e-4) / 4.0 + 1.0,
            self.cap,
            (self.leaves / self.cap.clamp(min=1e-3)).clamp(max=24.0) / steps,
            torch.log(risk + 0.03) / 2.0,
            risk / (1.0 + risk),
            torch.exp(-20.0 * risk),
            torch.log1p(self.volume_left / torch.exp(self.context[..., 1])) - 1.5,
            OUTLOOK_GAIN * self.edge,
        )
        learned = self.context[..., FIXED_FIGURES:]
        signed = learned[..., :SIGNED_FIGURES] * self.sign[..., None]
        return torch.cat([torch.stack(figures, dim=-1), signed, learned[..., SIGNED_FIGURES:]], dim=-1)

    def answer(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs [..., 3] -> allocation and stop logit.

        The base curve lies between `target` and `ahead`, nearer to `ahead` without risk aversion, since holding little
        back costs spread and no mean. Its share of what is left is shifted in the logit, the less the more they fear
        spread: what is learned of the pace bought a smaller deviation from VWAP with more spread on bars not trained
        on. A TWAP order's counts the less, too, the more of its steps are forced: one that may not stop trades evenly,
        whatever its size. All is traded in the last step, and as much as the cap asks for before.

        What is learned counts where there is something to learn. Small TWAP orders without a cap act by the optimum for
        a random walk and by the outlook alone: all else has cost them spread on bars not trained on. With a cap and
        without risk aversion their pace is not shifted by what is learned either, as that has cost them mean on such
        bars; nor is their stop where the window is no market's.
        """
        shift, haste, logit = outputs.unbind(-1)
        risk = self.column["risk_aversion"]
        haste = haste + 4.0 * torch.exp(-10.0 * risk) - 1.0 - 2.0 * risk / (1.0 + risk)
        full = (1.2 * torch.sigmoid(haste) - 0.1).clamp(
            0.0, 1.0
        )  # both ends can be reached: a rest of a lot costs a bar
        base = self.target + full * (self.ahead - self.target)
        fearless = torch.exp(-20.0 * risk)
        walk = fearless * (1.0 - self.context[..., TRUST_FIGURE])
        shift, logit = self._learned(fearless) * shift, self._learned(walk) * logit
        shift = shift * torch.where(self.is_vwap, 1.0, 1.0 - self.forced)
        shift = shift / (1.0 + risk) + BET * self.edge / (BET_FEAR + risk)
        share = ((base - self.filled) / self.leaves.clamp(min=1e-6)).clamp(SHARE_MIN, 1.0 - SHARE_MIN)
        moved = torch.sigmoid(torch.log(share / (1.0 - share)) + shift)
        wanted = self.leaves * torch.where(self.steps_left <= 1.0, 1.0, moved)
        needed = self.leaves - (self.steps_left - 1.0) * self.column["max_slice_fraction"]
        allocation = torch.minimum(torch.maximum(wanted, needed), torch.minimum(self.cap, self.leaves))
        return allocation, STOP_SLOPE * (self.beyond + self.edge).clamp(-BEYOND_MAX, BEYOND_MAX) + logit

    def _learned(self, known_under_cap: Tensor) -> Tensor:
        """How much of what is learned counts: of small TWAP orders nothing, or with a cap what is not known of them."""
        known = ~self.is_vwap * torch.where(self.column["max_slice_fraction"] < 1.0, known_under_cap, 1.0)
        return 1.0 - known * self.small
