"""What came after a window, and how far the context's forecasts of volume, volatility and prices were off.

Shapes: G stretches, K contexts, N steps, O outlooks.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from models.network.ahead import judged_steps
from models.network.context import ContextReading, walk_deviation
from models.network.context_layout import CONTEXT, VOLATILITY_SPANS
from models.network.features import Features
from models.objective.stretches import Stretches
from models.settings.sizes import OUTLOOKS

OUTLOOK_MAX = 4.0
VOLATILITY_MIN = 1e-5
"""Frozen prices have no unit to count gains in."""
NORMAL_OVER_MEAN = math.sqrt(math.pi / 2.0)
"""A normal's standard deviation over its mean absolute value."""
RATIO_MIN, RATIO_MAX = 1e-3, 20.0
EMPTY_SHARE = 0.02
"""Added to both sides of a volume ratio, as a share of the mean: an empty bar must not be an infinite surprise."""


def outlook_loss(stretches: Stretches, features: Features, reading: ContextReading) -> Tensor:
    """The squared error of the outlook, over that of foreseeing nothing."""
    came, known = outlook_that_came(stretches, features, reading.volume.shape[-1])
    errors = ((came - reading.outlook) ** 2 * known).mean()
    return errors / (came**2 * known).mean().clamp(min=1e-6)


def outlook_that_came(stretches: Stretches, features: Features, steps: int) -> tuple[Tensor, Tensor]:
    """What a perfect outlook would say, [G K, O] without its extremes, and 1 where prices moved at all, [G K, 1]."""
    contexts = stretches.contexts
    spans = torch.tensor(OUTLOOKS, device=stretches.price.device).clamp(max=steps)
    ahead = stretches.price.unfold(-1, int(spans.max()), 1)[:, :contexts]  # [G, K, steps ahead]
    moves = torch.log(ahead / stretches.close[:, :contexts, None]).float().flatten(0, 1)
    came = moves.cumsum(-1)[:, spans - 1] / spans / features.volatility[:, None]
    known = (features.volatility > VOLATILITY_MIN).float()[:, None]
    return (came / walk_deviation(spans)).clamp(-OUTLOOK_MAX, OUTLOOK_MAX), known


def volume_that_came(stretches: Stretches, features: Features) -> tuple[Tensor, Tensor]:
    """The volume of each next step, and what the window's profile says of it, [G K, N] in base units."""
    steps = features.volume_profile.shape[-1]
    floor = EMPTY_SHARE * features.volume[:, None]
    came = stretches.volume.unfold(-1, steps, 1).flatten(0, 1)
    return came + floor, features.volume[:, None] * torch.exp(features.volume_profile) + floor


def volatility_that_came(stretches: Stretches, features: Features) -> Tensor:
    """The volatility of the next bars, [G K, V] for each of the spans that are foreseen, from their mean absolute
    return: what is rare and wild would raise the thresholds of all other orders too."""
    moves = torch.log(stretches.close[:, 1:] / stretches.close[:, :-1]).float().abs()
    steps = features.volume_profile.shape[-1]
    mean = moves.unfold(-1, steps, 1).flatten(0, 1).cumsum(-1)
    spans = torch.tensor(VOLATILITY_SPANS, device=mean.device).clamp(max=steps)
    return NORMAL_OVER_MEAN * mean[:, spans - 1] / spans


def forecast_losses(stretches: Stretches, features: Features, reading: ContextReading) -> tuple[Tensor, Tensor]:
    """Deviances r - log r - 1 of the ratio of what came to what was expected. Their minimum is at the *mean*, so the
    forecast is corrected from the median to the mean by construction."""
    volatility = volatility_that_came(stretches, features)
    ahead = volatility / torch.exp(reading.context[:, CONTEXT.log_volatilities])
    judged = judged_steps(reading.volume.shape[-1]) - 1
    return deviance(volume_ratio(stretches, features, reading)[:, judged]), deviance(ahead)


def volume_ratio(stretches: Stretches, features: Features, reading: ContextReading) -> Tensor:
    """What came over what was expected, without its extremes, [G K, N]."""
    came, _ = volume_that_came(stretches, features)
    return (came / (reading.volume + EMPTY_SHARE * features.volume[:, None])).clamp(RATIO_MIN, RATIO_MAX)


def deviance(ratio: Tensor) -> Tensor:
    """How far a forecast is off: 0 where all came as expected. Extremes count as RATIO_MIN or RATIO_MAX."""
    ratio = ratio.clamp(RATIO_MIN, RATIO_MAX)
    return (ratio - torch.log(ratio) - 1.0).mean()
