"""What training maximises: the expected utility of random orders, and beside it what helps the context to see ahead.

Shapes: G stretches, K contexts, N steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from app.domain.costs import Costs
from models.features import Features
from models.lem import Lem
from models.rollout import roll
from models.samples import Stretches, draw_terms, paths_of

FORECAST_WEIGHT = 0.05
RATIO_MAX = 20.0
HEDGE_SURCHARGE = 0.3
"""At most that much further risk aversion of the pace of orders without a cap, to whom a smaller spread costs no mean;
none for those without any, whose pace may bet on what the context foresees."""
VOLATILITY_MIN = 1e-5
EMPTY_SHARE = 0.02
"""Added to both sides of a volume ratio, as a share of the mean: an empty bar must not be an infinite surprise."""


@dataclass(frozen=True, slots=True)
class Loss:
    """`total` is what is minimised; the others are for the eye: mean utility in units of volatility, and how far the
    forecasts of volume and volatility are off (0 is perfect)."""

    total: Tensor
    utility: float
    volume: float
    volatility: float


def loss_of(net: Lem, stretches: Stretches, generator: torch.Generator, costs: Costs, repeats: tuple[int, int]) -> Loss:
    """On each start there are `repeats[0]` orders without a slice cap and `repeats[1]` with one.

    A large risk aversion makes a large utility: an order counts 1 / (1 + risk aversion), so that none drowns the rest.
    """
    with torch.no_grad():
        features = net.context.features(stretches.windows)
    reading = net.context.read(features)
    parts = []
    for capped, times in zip((False, True), repeats, strict=True):
        if times:
            paths = paths_of(stretches, features, reading, times)
            terms = draw_terms(paths, capped, generator)
            surcharge = terms.risk_aversion.clamp(max=HEDGE_SURCHARGE)
            hedge = torch.where(terms.max_slice_fraction < 1.0, 0.0, surcharge)
            outcome = roll(net.decision, paths, terms, costs, hedge=hedge)
            known = (paths.volatility > VOLATILITY_MIN).float()  # frozen prices have no unit to count gains in
            scale = known * times / (sum(repeats) * (1.0 + terms.risk_aversion))
            parts.append(torch.stack([(outcome.utility * scale).mean(), (outcome.hedging * scale).mean()]))
    utility, hedging = torch.stack(parts).sum(0)
    volume, volatility = forecast_losses(stretches, features, reading)
    total = FORECAST_WEIGHT * (volume + volatility) + hedging - utility
    return Loss(total, utility.item(), volume.item(), volatility.item())


def forecast_losses(stretches: Stretches, features: Features, reading: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Deviances r - log r - 1 of the ratio of what came to what was expected. Their minimum is at the *mean*, so the
    forecast is corrected from the median to the mean by construction."""
    context, volume_forecast = reading
    steps = volume_forecast.shape[-1]
    came = stretches.volume.unfold(-1, steps, 1).flatten(0, 1)  # [G K, N]
    floor = EMPTY_SHARE * features.volume[:, None]
    moves = torch.log(stretches.close[:, 1:] / stretches.close[:, :-1]).float()
    variance = (moves**2).unfold(-1, steps, 1).flatten(0, 1).mean(-1)
    expected = torch.exp(2.0 * context[:, 0])
    return _deviance((came + floor) / (volume_forecast + floor)), _deviance(variance / expected)


def _deviance(ratio: Tensor) -> Tensor:
    ratio = ratio.clamp(1e-3, RATIO_MAX)
    return (ratio - torch.log(ratio) - 1.0).mean()
