"""What training maximises: the expected utility of random orders, and beside it what helps the context to see ahead.

Shapes: G stretches, K contexts, N steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from app.bundles.card import RiskAversions
from app.domain.costs import Costs
from models.network.context import ContextReading, walk_deviation
from models.network.context_layout import CONTEXT
from models.network.features import Features
from models.network.lem import Lem
from models.objective.paths import paths_of
from models.objective.rollout import roll
from models.objective.stretches import Stretches
from models.objective.terms import draw_terms
from models.settings.sizes import OUTLOOKS

RISK_AVERSIONS = RiskAversions(neutral=0.0, default=0.3, tracking=6.0)
FORECAST_WEIGHT = 0.2
RATIO_MIN, RATIO_MAX = 1e-3, 20.0
HEDGE_SURCHARGE = 3.0
"""The pace of orders without a cap feels up to that many times its risk aversion on top: to them a smaller spread costs
no mean. The less they fear spread, the more they may bet with their pace on what the context foresees."""
OUTLOOK_MAX = 4.0
VOLATILITY_MIN = 1e-5
VOLATILITY_STEPS, NORMAL_OVER_MEAN = 4, math.sqrt(math.pi / 2.0)
"""The bars whose volatility is foreseen: on validation bars thresholds in the unit of the next 3 and of the next 6 bars
earn more than in that of 24 (crypto 15 min and 1 h, equities 5 min), and at 1 h and 5 min more than in that of 12. And
a normal's standard deviation over its mean absolute value."""
EMPTY_SHARE = 0.02
"""Added to both sides of a volume ratio, as a share of the mean: an empty bar must not be an infinite surprise."""


@dataclass(frozen=True, slots=True)
class Loss:
    """`total` is what is minimised; the others are for the eye: mean utility in units of volatility, how far the
    forecasts of volume and volatility are off (0 is perfect), and the outlook's squared error (1 foresees nothing)."""

    total: Tensor
    utility: float
    volume: float
    volatility: float
    outlook: float


def loss_of(net: Lem, stretches: Stretches, generator: torch.Generator, costs: Costs, repeats: tuple[int, int]) -> Loss:
    """On each start there are `repeats[0]` orders without a slice cap and `repeats[1]` with one.

    A large risk aversion makes a large utility: an order counts 1 / (1 + risk aversion and its surcharge), so that none
    drowns the rest.
    """
    with torch.no_grad():
        features = net.context.features(stretches.windows)
    reading = net.context.read(features)
    parts = []
    for capped, times in zip((False, True), repeats, strict=True):
        if times:
            paths = paths_of(stretches, features, reading, times)
            terms = draw_terms(paths, capped, generator)
            fear = terms.risk_aversion**2 / (1.0 + terms.risk_aversion)
            hedge = torch.where(terms.max_slice_fraction < 1.0, 0.0, HEDGE_SURCHARGE * fear)
            outcome = roll(net.decision, paths, terms, costs, hedge=hedge)
            known = (paths.volatility > VOLATILITY_MIN).float()  # frozen prices have no unit to count gains in
            scale = known * times / (sum(repeats) * (1.0 + terms.risk_aversion + hedge))
            parts.append(torch.stack([(outcome.utility * scale).mean(), (outcome.hedging * scale).mean()]))
    utility, hedging = torch.stack(parts).sum(0)
    volume, volatility = forecast_losses(stretches, features, reading)
    outlook = outlook_loss(stretches, features, reading)  # for the eye alone: the outlook does not learn
    total = FORECAST_WEIGHT * (volume + volatility) + hedging - utility
    return Loss(total, utility.item(), volume.item(), volatility.item(), outlook.item())


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
    """The volatility of the next bars, [G K], from their mean absolute return: what is rare and wild would raise the
    thresholds of all other orders too."""
    moves = torch.log(stretches.close[:, 1:] / stretches.close[:, :-1]).float().abs()
    steps = features.volume_profile.shape[-1]
    following = moves.unfold(-1, steps, 1)[..., :VOLATILITY_STEPS].flatten(0, 1)
    return NORMAL_OVER_MEAN * following.mean(-1)


def forecast_losses(stretches: Stretches, features: Features, reading: ContextReading) -> tuple[Tensor, Tensor]:
    """Deviances r - log r - 1 of the ratio of what came to what was expected. Their minimum is at the *mean*, so the
    forecast is corrected from the median to the mean by construction."""
    volatility = volatility_that_came(stretches, features)
    ahead = volatility / torch.exp(reading.context[:, CONTEXT.log_volatility])
    return deviance(volume_ratio(stretches, features, reading)), deviance(ahead)


def volume_ratio(stretches: Stretches, features: Features, reading: ContextReading) -> Tensor:
    """What came over what was expected, without its extremes, [G K, N]."""
    came, _ = volume_that_came(stretches, features)
    return (came / (reading.volume + EMPTY_SHARE * features.volume[:, None])).clamp(RATIO_MIN, RATIO_MAX)


def deviance(ratio: Tensor) -> Tensor:
    """How far a forecast is off: 0 where all came as expected. Extremes count as RATIO_MIN or RATIO_MAX."""
    ratio = ratio.clamp(RATIO_MIN, RATIO_MAX)
    return (ratio - torch.log(ratio) - 1.0).mean()
