"""The loss of training: minus the expected utility of random orders, and the errors of the context's forecasts.

Shapes: G stretches, K contexts, N steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from app.bundles.card import RiskAversions
from app.domain.costs import Costs
from models.network.lem import Lem
from models.objective.forecasts import VOLATILITY_MIN, forecast_losses, outlook_loss
from models.objective.paths import paths_of
from models.objective.rollout import roll
from models.objective.stretches import Stretches
from models.objective.terms import draw_terms

RISK_AVERSIONS = RiskAversions(neutral=0.0, default=0.3, tracking=6.0)
FORECAST_WEIGHT = 0.2
HEDGE_SURCHARGE = 3.0
"""How many times an order's risk aversion is added, at most, for the risk of its pace. Only orders without a cap pay
this: for them a smaller spread costs nothing on average. The less an order fears spread, the more its pace may bet on
the context's forecasts."""


@dataclass(frozen=True, slots=True)
class Loss:
    """`total` is what is minimised; the others are shown to people: mean utility in units of volatility, how far the
    forecasts of volume and volatility are off (0 is perfect), and the outlook's squared error (1 foresees nothing)."""

    total: Tensor
    utility: float
    volume: float
    volatility: float
    outlook: float


def loss_of(net: Lem, stretches: Stretches, generator: torch.Generator, costs: Costs, repeats: tuple[int, int]) -> Loss:
    """On each start of each stretch there are `repeats[0]` orders without a slice cap and `repeats[1]` with one.

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
            known = (paths.volatility > VOLATILITY_MIN).float()
            scale = known * times / (sum(repeats) * (1.0 + terms.risk_aversion + hedge))
            parts.append(torch.stack([(outcome.utility * scale).mean(), (outcome.hedging * scale).mean()]))
    utility, hedging = torch.stack(parts).sum(0)
    volume, volatility = forecast_losses(stretches, features, reading)
    outlook = outlook_loss(stretches, features, reading)  # shown only: the outlook does not learn
    total = FORECAST_WEIGHT * (volume + volatility) + hedging - utility
    return Loss(
        total=total,
        utility=utility.item(),
        volume=volume.item(),
        volatility=volatility.item(),
        outlook=outlook.item(),
    )
