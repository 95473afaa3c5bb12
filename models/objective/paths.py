"""What the market does after each order's start.

Shapes: G stretches, K contexts per stretch, J starts, R orders per start, B orders, N steps, H context width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.network.context import ContextReading
from models.network.features import Features
from models.objective.stretches import Stretches


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """[B, N]: `price` of each bar and `close` before each step, both over the close before the start; `volume` in base
    units; and each step's market reading, `context` [B, N, H] and `volume_forecast` [B, N, N]. `volatility` [B] is the
    unit of gains."""

    price: Tensor
    close: Tensor
    volume: Tensor
    context: Tensor
    volume_forecast: Tensor
    volatility: Tensor


def paths_of(stretches: Stretches, features: Features, reading: ContextReading, repeat: int) -> Paths:
    """Every start of every stretch, each `repeat` times: B = G J R orders.

    `features` and `reading` are of the stretches' windows.
    """
    groups, contexts, starts = len(stretches.price), stretches.contexts, stretches.starts
    steps = contexts - starts + 1
    reach = torch.arange(starts)[:, None] + torch.arange(steps)  # [J, N]: step n of start j stands on context j + n
    origin = stretches.close[:, :starts, None]
    seen = reading.context, reading.volume[:, :steps]
    context, volume_forecast = (part.unflatten(0, (groups, contexts)) for part in seen)
    volatility = features.volatility.unflatten(0, (groups, contexts))[:, :starts]

    def per_order(values: Tensor) -> Tensor:
        return values.flatten(0, 1).repeat_interleave(repeat, dim=0)

    return Paths(
        price=per_order((stretches.price[:, reach] / origin).float()),
        close=per_order((stretches.close[:, reach] / origin).float()),
        volume=per_order(stretches.volume[:, reach]),
        context=per_order(context[:, reach]),
        volume_forecast=per_order(volume_forecast[:, reach]),
        volatility=per_order(volatility),
    )
