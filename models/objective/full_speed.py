"""Orders that finish now: all that is left, as fast as the limits permit. Whatever the step and the rest, the prices
paid are differences of running sums, so that a long order costs no more than a short one.

Shapes: S scenarios, B orders (per scenario), N steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from app.domain.costs import VOLUME_FLOOR, Costs, square_root_impact
from models.objective.paths import Paths
from models.objective.terms import Terms

DUST = 1e-6
"""A share of an order too small to count as a slice: float32 leaves such rests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """[S, B]: the step `end` with which a finish ends, what is `paid` (see FullSpeed) and what `impact` costs, and how
    much the last piece is of what its bar permits."""

    end: Tensor
    paid: Tensor
    impact: Tensor
    last_share: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class FullSpeed:
    """`permitted` [B, N] is the most that each step may trade, as a share of the order. `price_over` [S, B, N] is what
    a whole order pays beyond 1: the price for a quantity and its inverse for a notional, less 1. The running sums [..,
    N + 1], from 0 on, are of steps traded at full speed; only orders that are `limited` have them. `size` [B, N] is the
    order over each bar's volume."""

    limited: bool
    permitted: Tensor
    permitted_sum: Tensor
    price_over: Tensor
    paid_sum: Tensor
    impact_sum: Tensor
    size: Tensor
    costs: Costs

    @classmethod
    def of(cls, paths: Paths, terms: Terms, costs: Costs, by_notional: Tensor) -> FullSpeed:
        """`by_notional` [S, 1] is true where the order fixes its notional."""
        rate = terms.max_participation_rate[:, None]
        by_volume = torch.where(rate < 1.0, rate * paths.volume / terms.order_volume[:, None], 1.0)
        permitted = torch.minimum(by_volume, terms.max_slice_fraction[:, None])
        market = torch.maximum(paths.volume, VOLUME_FLOOR * paths.volume.mean(-1, keepdim=True))
        # Where a whole horizon trades nothing there is no impact to speak of.
        size = terms.order_volume[:, None] / torch.where(market > 0.0, market, torch.inf)
        price_over = torch.where(by_notional[..., None], 1.0 / paths.price, paths.price) - 1.0
        limited = bool((permitted < 1.0).any())
        return cls(
            limited=limited,
            permitted=permitted,
            permitted_sum=_running(permitted),
            price_over=price_over,
            paid_sum=_running(permitted * price_over) if limited else permitted,
            impact_sum=_running(impact_of(permitted, size, costs)),
            size=size,
            costs=costs,
        )

    def finish(self, step: int, leaves: Tensor) -> Finish:
        """All of `leaves` [S, B] from `step` on; the last step takes what the limits would leave."""
        if not self.limited:
            return Finish(
                end=torch.full_like(leaves, step, dtype=torch.int64),
                paid=leaves * self.price_over[..., step - 1],
                impact=self.impact_at(leaves, step),
                last_share=torch.ones_like(leaves),
            )
        steps = self.permitted.shape[-1]
        before = self.permitted_sum[:, step - 1]
        wanted = (before + leaves.detach() - DUST).T.contiguous()
        end = torch.searchsorted(self.permitted_sum, wanted).T.clamp(step, steps)
        done = self._at(self.permitted_sum, end - 1) - before
        rest = leaves - done
        price = self._at(self.price_over, end - 1)
        last_impact = impact_of(rest, self._at(self.size, end - 1), self.costs)
        return Finish(
            end=end,
            paid=self._at(self.paid_sum, end - 1) - self.paid_sum[..., step - 1] + rest * price,
            impact=self._at(self.impact_sum, end - 1)
            - self.impact_sum[:, step - 1]
            + impact_of(rest, size, self.costs),
            last_share=(rest / self._at(self.permitted, end - 1).clamp(min=DUST)).clamp(0.0, 1.0),
        )

    def impact_at(self, piece: Tensor, step: int) -> Tensor:
        """[S, B]: what impact costs a slice of `step`, in units of volatility."""
        return impact_of(piece, self.size[:, step - 1], self.costs)

    @staticmethod
    def _at(values: Tensor, index: Tensor) -> Tensor:
        """[S, B] of [B, .] or [S, B, .]."""
        return values.expand(*index.shape, -1).gather(-1, index[..., None])[..., 0]


def _running(values: Tensor) -> Tensor:
    """[..., N] -> [..., N + 1]: the sums of the first steps, from none on."""
    return torch.cat([torch.zeros_like(values[..., :1]), values.cumsum(-1)], dim=-1)


def impact_of(piece: Tensor, size: Tensor, costs: Costs) -> Tensor:
    """What impact costs a slice that is `piece` of an order which is `size` over its bar's volume, in volatilities."""
    if not costs.impact:
        return torch.zeros_like(piece)
    # The tiny share keeps the gradient of the square root finite where nothing is traded.
    share = piece.clamp(min=0.0) * size + 1e-12
    cost: Tensor = piece * square_root_impact(costs.impact, 1.0, share, 1.0)
    return cost
