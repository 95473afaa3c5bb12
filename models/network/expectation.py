"""Where a batch of orders stands before a step, and the volumes that are expected.

Shapes: B orders, H context width, N steps, K state columns. `...` is any batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from app.bundles.inputs import STATE_COLUMNS
from models.network.context_layout import CONTEXT, TILTED_BARS
from models.network.packing import unpacked

SMALL, LARGE = 1e-4, 1e-2
"""The shares of the volume left from which on the size of an order matters, and from which on impact costs it more than
a hedge against busy bars is worth: an uneven pace pays the most for its largest slices."""
VOLUME_MIN = 1e-12
FEARLESS_SLOPE = 20.0


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


def fearless(risk_aversion: Tensor) -> Tensor:
    """[...]: 1 without risk aversion, next to 0 at the default one."""
    return torch.exp(-FEARLESS_SLOPE * risk_aversion)
