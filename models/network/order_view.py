"""A batch of orders on their contexts, as numbers without units: what the order side of the network starts from.

Each function takes what was found before and gives a frozen value, so there is no order of calls to get wrong:

    standing -> expectation -> slice_cap
       |            +-----------+--> aim
       +-> outlook_edge

Shapes: B orders, H context width, N steps, K state columns, O outlooks. `...` is any batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from models.network.context import OUTLOOK_GAIN, walk_deviation
from models.network.context_layout import CONTEXT
from models.network.expectation import (
    STEPS_USUAL,
    Expectation,
    ForeseenVolume,
    Standing,
    expectation,
    foreseen,
    slice_cap,
    standing,
)
from models.network.martingale import MartingaleRule
from models.settings.sizes import OUTLOOKS

VWAP_PATIENCE = 0.9
"""The threshold of a small VWAP order without a cap on a market, over the optimum for a random walk whose volume is
steady: such orders earn by ending a little earlier. Large orders and orders under a cap lose by it, as to end early
costs them more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Where the optimum for a random walk would stand, [...] each: `y` is the benchmark so far over the last close, as
    a buyer sees it, in units of volatility and the order's scale; the order is `beyond` its threshold by so much, or
    aims at `target`, a share of the order. `ahead` is the target of an order that keeps so little back that one slice
    can finish it once it may end: not earlier than its slices then must be under way."""

    y: Tensor
    beyond: Tensor
    target: Tensor
    ahead: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """All that is known of a batch of orders before the network speaks. `cap` is the largest next slice, a share of the
    order; `edge` what the outlook promises for trading now rather than evenly, in units of volatility."""

    standing: Standing
    expectation: Expectation
    cap: Tensor
    edge: Tensor
    aim: Aim

    @classmethod
    def of(
        cls,
        rule: MartingaleRule,
        *,
        context: Tensor,
        volume_forecast: Tensor,
        state: Tensor,
        step: Tensor,
        sign: Tensor,
        is_vwap: Tensor,
    ) -> OrderView:
        """[..., 11 + H], [..., N], [..., K] and [...] each."""
        orders = standing(context, state, step, sign, is_vwap)
        return cls.seeing(rule, orders, foreseen(volume_forecast, orders.steps_left, orders.to_min))

    @classmethod
    def seeing(cls, rule: MartingaleRule, orders: Standing, volume: ForeseenVolume) -> OrderView:
        """Of orders that expect this volume."""
        expected = expectation(orders, volume)
        cap = slice_cap(orders, expected)
        edge = outlook_edge(orders)
        return cls(standing=orders, expectation=expected, cap=cap, edge=edge, aim=aim(orders, expected, cap, rule))


def outlook_edge(order: Standing) -> Tensor:
    """[...]: what trading in the next bar is expected to gain over trading evenly in all that are left, in units of
    volatility and the order's scale: the outlooks of the nearest spans, on straight lines between them."""
    context = order.context
    if context.shape[-1] == CONTEXT.learned.start:
        return torch.zeros_like(order.leaves)
    spans = torch.tensor(OUTLOOKS, dtype=context.dtype, device=context.device)
    outlook = context[..., CONTEXT.outlooks] / OUTLOOK_GAIN
    mean = outlook * walk_deviation(spans)  # of the next bars' prices over the last close
    left = order.steps_left.clamp(1.0, float(OUTLOOKS[-1]))
    far = torch.zeros_like(left)
    for near, (low, high) in enumerate(pairwise(OUTLOOKS)):
        part = ((left - low) / (high - low)).clamp(0.0, 1.0)
        far = far + part * (mean[..., near + 1] - mean[..., near])
    return order.sign * far / order.scale  # the next bar's own mean is where the lines begin


def aim(order: Standing, expected: Expectation, cap: Tensor, rule: MartingaleRule) -> Aim:
    state = order.state
    y = -order.sign * state["price_return"] / (order.volatility * order.scale)
    slices = torch.ceil(1.0 / state["max_slice_fraction"].clamp(min=1e-3) - 1e-4)
    earliest = torch.minimum(torch.maximum(state["min_steps"], slices), state["max_steps"])
    uncapped = order.is_vwap & (state["max_slice_fraction"] >= 1.0)
    patience = 1.0 - uncapped * (1.0 - VWAP_PATIENCE) * order.context[..., CONTEXT.trust] * expected.small
    unit = math.sqrt(STEPS_USUAL)  # the rule knows lengths in units of sqrt(max_steps)
    beyond = y - patience * unit * rule.threshold(earliest, state["max_steps"], order.step)
    paced = rule.target(earliest, state["max_steps"], order.step, y / unit)
    target = (expected.share + paced - expected.even).clamp(0.0, 1.0)
    slices_after = 0.98 + (order.to_min - 1.0).clamp(min=0.0)  # what is traded from then on
    ahead = torch.maximum(target, torch.minimum(order.filled + 1.02 * cap, 1.0 - slices_after * cap))
    return Aim(y=y, beyond=beyond, target=target, ahead=ahead)
