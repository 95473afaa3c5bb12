"""The losses of training: of forecasts, their errors; of orders, minus the expected utility of random ones.

Shapes: G stretches, K contexts, N steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from app.bundles.card import RiskAversions
from app.domain.costs import Costs
from models.network.context import ContextReading
from models.network.features import Features
from models.network.lem import Lem
from models.objective.forecasts import VOLATILITY_MIN, forecast_losses
from models.objective.paths import paths_of
from models.objective.rollout import roll
from models.objective.stretches import Stretches
from models.objective.terms import draw_terms

RISK_AVERSIONS = RiskAversions(neutral=0.0, default=0.3, tracking=6.0)
HEDGE_SURCHARGE = 3.0
"""How many times an order's risk aversion is added, at most, for the risk of its pace. Only orders without a limit pay
this: for them a smaller spread costs nothing on average. The less an order fears spread, the more its pace may bet on
the context's forecasts."""


@dataclass(frozen=True, slots=True)
class Loss:
    """`total` is what is minimised; `figures` are shown to people: the mean utility in units of volatility, or how far
    the forecasts of volume and volatility are off (0 is perfect)."""

    total: Tensor
    figures: dict[str, float]


def forecast_loss(net: Lem, stretches: Stretches) -> Loss:
    """Of the context's forecasts of volume and of volatility."""
    with torch.no_grad():
        features = net.context.features(stretches.windows)
    volume, volatility = forecast_losses(stretches, features, net.context.read(features))
    return Loss(volume + volatility, {"volume": volume.item(), "volatility": volatility.item()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Stretches, and what the context makes of their windows while its forecasts stay as they are."""

    stretches: Stretches
    features: Features
    reading: ContextReading

    @classmethod
    def by(cls, net: Lem, stretches: Stretches) -> Seen:
        """The windows themselves are let go of: nothing reads them again, and they are large."""
        with torch.no_grad():
            features = net.context.features(stretches.windows)
            reading = net.context.read(features)
        return cls(stretches=stretches.without_windows(), features=features, reading=reading)


def order_loss(net: Lem, seen: Seen, generator: torch.Generator, costs: Costs, repeats: tuple[int, int]) -> Loss:
    """On each start of each stretch there are `repeats[0]` orders without a limit and `repeats[1]` with one. What the
    orders come to teaches the forecasts nothing: they would bend to what a hedge likes to see, and the hedge has
    figures of its own.

    A large risk aversion makes a large utility: an order counts 1 / (1 + risk aversion and its surcharge), so that none
    drowns the rest.
    """
    reading = net.context.renewed(seen.reading, seen.features)
    times = sum(repeats)
    paths = paths_of(seen.stretches, seen.features, reading, times)
    limited = torch.arange(len(paths.price), device=paths.price.device) % times >= repeats[0]
    terms = draw_terms(paths, limited, generator)
    fear = terms.risk_aversion**2 / (1.0 + terms.risk_aversion)
    hedge = torch.where(limited, 0.0, HEDGE_SURCHARGE * fear)
    outcome = roll(net.decision, paths, terms, costs, hedge=hedge)
    scale = (paths.volatility > VOLATILITY_MIN).float() / (1.0 + terms.risk_aversion + hedge)
    utility, hedging = (outcome.utility * scale).mean(), (outcome.hedging * scale).mean()
    return Loss(hedging - utility, {"utility": utility.item()})
