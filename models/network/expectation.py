"""Where a batch of orders stands before a step, and the volumes that are expected.

Shapes: B orders, H context width, N steps, K state columns. `...` is any batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from app.bundles.inputs import STATE_COLUMNS
from models.network.context_layout import CONTEXT, VOLATILITY_SPANS
from models.network.packing import unpacked

SMALL, LARGE = 1e-4, 1e-2
"""The shares of the volume left from which on the size of an order matters, and from which on impact costs it more than
a hedge against busy bars is worth: an uneven pace pays the most for its largest slices."""
VOLUME_MIN = 1e-12
FEARLESS_SLOPE = 20.0
BLOCK = 16
STEPS_USUAL = 12.0
"""Distances of orders are told as if they had so many steps: of N steps, over sqrt(N / 12)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where orders stand before a step, [...] each: `state` by STATE_COLUMNS; `context` [..., 11 + H]; `volatility` per
    bar over the steps to come, `scale` sqrt(max_steps / STEPS_USUAL); the shares of the order `filled` and left
    (`leaves`); `steps_left` with this one, `to_min` without it; `forced` the share of the later steps that may not be
    left out."""

    state: dict[str, Tensor]
    context: Tensor
    step: Tensor
    sign: Tensor
    is_vwap: Tensor
    volatility: Tensor
    scale: Tensor
    filled: Tensor
    leaves: Tensor
    steps_left: Tensor
    to_min: Tensor
    forced: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeseenVolume:
    """Base units, [...] each: of the next step, of the one after it where the order has it, of all steps that are left
    and of those up to min_steps, the next one at least."""

    next: Tensor
    second: Tensor
    left: Tensor
    to_min: Tensor


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


def standing(context: Tensor, state: Tensor, step: Tensor, sign: Tensor, is_vwap: Tensor) -> Standing:
    column = unpacked(STATE_COLUMNS, state)
    leaves = (1.0 - column["filled_fraction"]).clamp(min=0.0)
    steps_left = (column["max_steps"] - step + 1.0).clamp(min=1.0)
    to_min = (column["min_steps"] - step).clamp(min=0.0)
    return Standing(
        state=column,
        context=context,
        step=step,
        sign=sign,
        is_vwap=is_vwap,
        volatility=torch.exp(_log_volatility(context, steps_left)),
        scale=torch.sqrt(column["max_steps"] / STEPS_USUAL),
        filled=column["filled_fraction"],
        leaves=leaves,
        steps_left=steps_left,
        to_min=to_min,
        forced=(to_min / (steps_left - 1.0).clamp(min=1.0)).clamp(max=1.0),
    )


def _log_volatility(context: Tensor, steps_left: Tensor) -> Tensor:
    """[...]: of the steps that are left, between the spans of the context on straight lines."""
    spans = context[..., CONTEXT.log_volatilities]
    reach = torch.log(steps_left.clamp(float(VOLATILITY_SPANS[0]), float(VOLATILITY_SPANS[-1])))
    result = spans[..., 0]
    for index, (near, far) in enumerate(pairwise(VOLATILITY_SPANS)):
        share = ((reach - math.log(near)) / math.log(far / near)).clamp(0.0, 1.0)
        result = result + share * (spans[..., index + 1] - spans[..., index])
    return result


def foreseen(volume_forecast: Tensor, steps_left: Tensor, to_min: Tensor) -> ForeseenVolume:
    """`volume_forecast` [..., N] of the next steps, summed over those that orders of [...] have."""
    missing = -volume_forecast.shape[-1] % BLOCK
    filled = functional.pad(volume_forecast, (0, missing)) if missing else volume_forecast
    blocks = filled.unflatten(-1, (-1, BLOCK))
    return ForeseenVolume(
        next=volume_forecast[..., 0],
        second=volume_forecast[..., min(1, volume_forecast.shape[-1] - 1)] * (steps_left > 1.0),
        left=_sum_until(blocks, steps_left),
        to_min=_sum_until(blocks, to_min + 1.0),
    )


def _sum_until(blocks: Tensor, steps: Tensor) -> Tensor:
    """[...] of [..., N / BLOCK, BLOCK]: the sum of the first `steps`. Whole blocks first: a running sum over all steps
    is among the dearest things that a graph can do to thousands of orders."""
    count = blocks.shape[-2]
    steps = steps.clamp(0.0, float(count * BLOCK))
    block = torch.floor(steps / BLOCK)
    index = torch.arange(count, dtype=steps.dtype, device=steps.device)
    whole = (blocks.sum(-1) * (index < block[..., None])).sum(-1)
    chosen = block.clamp(max=count - 1.0).long()[..., None, None].expand(*block.shape, 1, BLOCK)
    within = torch.arange(BLOCK, dtype=steps.dtype, device=steps.device)
    rest: Tensor = (blocks.gather(-2, chosen)[..., 0, :] * (within < (steps - block * BLOCK)[..., None])).sum(-1)
    return whole + rest


def expectation(order: Standing, volume: ForeseenVolume) -> Expectation:
    context, seen = order.context, order.state["benchmark_volume"]
    size = order.state["order_volume"] / volume.left.clamp(min=VOLUME_MIN)
    free, forced = context[..., CONTEXT.free_tilts], context[..., CONTEXT.forced_tilts]
    log_tilts = free + order.forced[..., None] * (forced - free)
    following, second, later = torch.exp(log_tilts / (1.0 + size / LARGE)[..., None]).unbind(-1)
    hedged_next = seen + following * volume.next
    hedged = hedged_next + second * volume.second + later * (volume.left - volume.next - volume.second).clamp(min=0.0)
    even = order.step / order.state["max_steps"]
    return Expectation(
        next_volume=volume.next,
        volume_left=volume.left,
        volume_to_min=volume.to_min,
        volume_total=(seen + volume.left).clamp(min=VOLUME_MIN),
        size=size,
        small=SMALL / (size + SMALL),
        even=even,
        share=torch.where(order.is_vwap, hedged_next / hedged.clamp(min=VOLUME_MIN), even),
    )


def slice_cap(order: Standing, expected: Expectation) -> Tensor:
    """[...]: the slice cap, or what the participation limit permits of the next bar where that is less."""
    most, rate = order.state["max_slice_fraction"], order.state["max_participation_rate"]
    permitted = rate * expected.next_volume / order.state["order_volume"].clamp(min=VOLUME_MIN)
    limited = rate < 1.0
    return torch.where(limited, torch.minimum(most, permitted), most)


def room_later(order: Standing, expected: Expectation) -> Tensor:
    """[...]: the share of the order that the steps after the next one may trade, by both limits."""
    by_slices = (order.steps_left - 1.0) * order.state["max_slice_fraction"]
    rate = order.state["max_participation_rate"]
    later = (expected.volume_left - expected.next_volume).clamp(min=0.0)
    by_volume = rate * later / order.state["order_volume"].clamp(min=VOLUME_MIN)
    return torch.where(rate < 1.0, torch.minimum(by_slices, by_volume), by_slices)


def fearless(risk_aversion: Tensor) -> Tensor:
    """[...]: 1 without risk aversion, next to 0 at the default one."""
    return torch.exp(-FEARLESS_SLOPE * risk_aversion)
