"""A batch of orders on their contexts, as numbers without units: what the order side of the network starts from.

Each function takes what was found before and gives a frozen value, so there is no order of calls to get wrong:

    standing -> expectation -> slice_cap
       |            +-----------+--> aim
       +-> outlook_edge

Shapes: B orders, H context width, N steps, K state columns, O outlooks. `...` is any batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from app.bundles.inputs import STATE_COLUMNS
from models.network.context import OUTLOOK_GAIN, walk_deviation
from models.network.context_layout import CONTEXT, TILTED_BARS
from models.network.martingale import MartingaleRule
from models.network.packing import unpacked
from models.settings.sizes import OUTLOOKS

VWAP_PATIENCE = 0.9
"""The threshold of a small VWAP order without a cap on a market, over the optimum for a random walk whose volume is
steady: such orders earn by ending a little earlier. Large orders and orders under a cap lose by it, as to end early
costs them more."""
SMALL, LARGE = 1e-4, 1e-2
"""The shares of the volume left from which on the size of an order matters, and from which on impact costs it more than
a hedge against busy bars is worth: an uneven pace pays the most for its largest slices."""
VOLUME_MIN = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where orders stand before a step, [...] each: `state` by STATE_COLUMNS; `context` [..., 9 + H]; `volatility` per
    bar; the shares of the order `filled` and left (`leaves`); `steps_left` with this one, `to_min` without it; `forced`
    the share of the later steps that may not be left out."""

    state: dict[str, Tensor]
    context: Tensor
    step: Tensor
    sign: Tensor
    is_vwap: Tensor
    volatility: Tensor
    filled: Tensor
    leaves: Tensor
    steps_left: Tensor
    to_min: Tensor
    forced: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Volumes in base units, [...] each, `total` with what was seen; `size` of the order over the volume left, `small`
    from 0 to 1 where its size does not matter; the shares of the benchmark that will be done by the end of the step,
    `even` by steps and `share` as a hedge sees it."""

    next_volume: Tensor
    volume_left: Tensor
    volume_to_min: Tensor
    volume_total: Tensor
    size: Tensor
    small: Tensor
    even: Tensor
    share: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Where the optimum for a random walk would stand, [...] each: `y` is the benchmark so far over the last close, as
    a buyer sees it, in units of volatility; the order is `beyond` its threshold by so much, or aims at `target`, a
    share of the order. `ahead` is the target of an order that keeps so little back that one slice can finish it."""

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
        """[..., 9 + H], [..., N], [..., K] and [...] each."""
        orders = standing(context, state, step, sign, is_vwap)
        expected = expectation(orders, volume_forecast)
        cap = slice_cap(orders, expected)
        edge = outlook_edge(orders)
        return cls(standing=orders, expectation=expected, cap=cap, edge=edge, aim=aim(orders, expected, cap, rule))


def standing(context: Tensor, state: Tensor, step: Tensor, sign: Tensor, is_vwap: Tensor) -> Standing:
    column = unpacked(STATE_COLUMNS, state)
    volatility = torch.exp(context[..., CONTEXT.log_volatility])
    leaves = (1.0 - column["filled_fraction"]).clamp(min=0.0)
    steps_left = (column["max_steps"] - step + 1.0).clamp(min=1.0)
    to_min = (column["min_steps"] - step).clamp(min=0.0)
    return Standing(
        state=column,
        context=context,
        step=step,
        sign=sign,
        is_vwap=is_vwap,
        volatility=volatility,
        filled=column["filled_fraction"],
        leaves=leaves,
        steps_left=steps_left,
        to_min=to_min,
        forced=(to_min / (steps_left - 1.0).clamp(min=1.0)).clamp(max=1.0),
    )


def expectation(order: Standing, volume_forecast: Tensor) -> Expectation:
    context, seen, steps = order.context, order.state["benchmark_volume"], volume_forecast.shape[-1]
    ahead = torch.arange(steps, dtype=context.dtype, device=context.device)
    next_volume = volume_forecast[..., 0]
    left = (volume_forecast * (ahead < order.steps_left[..., None])).sum(-1)
    to_min = (volume_forecast * (ahead < order.to_min[..., None] + 1.0)).sum(-1)
    total = (seen + left).clamp(min=VOLUME_MIN)
    size = order.state["order_volume"] / left.clamp(min=VOLUME_MIN)
    small = SMALL / (size + SMALL)
    free, forced = context[..., CONTEXT.free_tilts], context[..., CONTEXT.forced_tilts]
    log_tilts = free + order.forced[..., None] * (forced - free)
    tilts = torch.exp(log_tilts / (1.0 + size / LARGE)[..., None])
    hedged = tilts[..., torch.arange(steps).clamp(max=len(TILTED_BARS) - 1)] * volume_forecast
    following = seen + hedged[..., 0]
    whole = (seen + (hedged * (ahead < order.steps_left[..., None])).sum(-1)).clamp(min=VOLUME_MIN)
    by_volume = following / whole
    even = order.step / order.state["max_steps"]
    return Expectation(
        next_volume=next_volume,
        volume_left=left,
        volume_to_min=to_min,
        volume_total=total,
        size=size,
        small=small,
        even=even,
        share=torch.where(order.is_vwap, by_volume, even),
    )


def slice_cap(order: Standing, expected: Expectation) -> Tensor:
    """[...]: the slice cap, or what the participation limit permits of the next bar where that is less."""
    most, rate = order.state["max_slice_fraction"], order.state["max_participation_rate"]
    permitted = rate * expected.next_volume / order.state["order_volume"].clamp(min=VOLUME_MIN)
    limited = rate < 1.0
    return torch.where(limited, torch.minimum(most, permitted), most)


def outlook_edge(order: Standing) -> Tensor:
    """[...]: what trading in the next bar is expected to gain over trading evenly in all that are left, in units of
    volatility: the outlooks of the nearest spans, on straight lines between them."""
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
    return order.sign * far  # the next bar's own mean is where the lines begin


def aim(order: Standing, expected: Expectation, cap: Tensor, rule: MartingaleRule) -> Aim:
    state = order.state
    y = -order.sign * state["price_return"] / order.volatility
    slices = torch.ceil(1.0 / state["max_slice_fraction"].clamp(min=1e-3) - 1e-4)
    rows = rule.rows(torch.maximum(state["min_steps"], slices), state["max_steps"], order.step)
    uncapped = order.is_vwap & (state["max_slice_fraction"] >= 1.0)
    patience = 1.0 - uncapped * (1.0 - VWAP_PATIENCE) * order.context[..., CONTEXT.trust] * expected.small
    beyond = y - patience * rule.threshold(rows)
    target = (expected.share + rule.target(rows, y) - expected.even).clamp(0.0, 1.0)
    ahead = torch.maximum(target, torch.minimum(order.filled + 1.02 * cap, 1.0 - 0.98 * cap))
    return Aim(y=y, beyond=beyond, target=target, ahead=ahead)
