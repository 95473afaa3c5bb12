"""The choice of the weights that go on: those that are best on validation bars."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor

from models.network.lem import Lem
from models.objective.objective import Seen, forecast_loss
from models.training.draws import Draws

VALIDATION_SEED = 7_777_777
VALIDATION_DRAWS = {12: 4, 64: 1, 160: 1}
"""How many batches of orders of each horizon a validation looks at on every market; the same ones each time."""
FORECAST_DRAWS = 12


class Choice:
    """Holds the `best` weights so far, their worth, and how many validations have come `since` without a better."""

    def __init__(self, net: Lem) -> None:
        self.best: dict[str, Tensor] = copy.deepcopy(net.state_dict())
        self.best_worth, self.validations_since = -math.inf, 0

    def offer(self, net: Lem, worth: float) -> None:
        """Keep the weights of `net` where they are worth more than the best so far."""
        self.validations_since += 1
        if worth > self.best_worth:
            self.best_worth, self.validations_since = worth, 0
            self.best = copy.deepcopy(net.state_dict())

    def state(self) -> dict[str, Any]:
        return {"best": self.best, "best_worth": self.best_worth, "validations_since": self.validations_since}

    def restore(self, saved: dict[str, Any]) -> None:
        self.best, self.best_worth = saved["best"], saved["best_worth"]
        self.validations_since = saved["validations_since"]


class ValidationOrders:
    """Random orders on the validation markets, the same ones each time. The processes share them. Their bars are read
    once, with the forecasts as they are then."""

    def __init__(self, net: Lem, draws: Draws) -> None:
        self.draws = draws
        self.horizons = sorted({min(horizon, draws.config.max_steps) for horizon in VALIDATION_DRAWS})
        numbered = [
            (market, place, draw)
            for market in range(len(draws.bars.validation))
            for place, horizon in enumerate(self.horizons)
            for draw in range(VALIDATION_DRAWS.get(horizon, 1))
        ]
        self.counts = [sum(place == each for _, each, _ in numbered) for place in range(len(self.horizons))]
        mine = numbered[draws.processes.index :: draws.processes.count]
        self.seen = {each: self._seen(net, *each) for each in mine}

    def worth(self, net: Lem) -> float:
        """The mean utility, each horizon weighing alike."""
        total = torch.zeros(len(self.horizons), dtype=torch.float64)
        for (market, place, draw), seen in self.seen.items():
            with torch.no_grad():
                total[place] += self.draws.loss(net, seen, _seed(market, place, draw)).figures["utility"]
        self.draws.processes.add_others(total)
        return float((total / torch.tensor(self.counts)).mean())

    def _seen(self, net: Lem, market: int, place: int, draw: int) -> Seen:
        seed = _seed(market, place, draw)
        return Seen.by(net, self.draws.for_validation(self.draws.bars.validation[market], seed, self.horizons[place]))


def _seed(market: int, place: int, draw: int) -> list[int]:
    return [VALIDATION_SEED, market, place, draw]


def worth_of_forecasts(net: Lem, draws: Draws) -> float:
    """Minus the forecasts' errors on the validation markets. The processes share the draws."""
    markets = draws.foreseeable(draws.bars.validation)
    numbered = [(market, draw) for market in range(len(markets)) for draw in range(FORECAST_DRAWS)]
    total = torch.zeros(1, dtype=torch.float64)
    for market, draw in numbered[draws.processes.index :: draws.processes.count]:
        with torch.no_grad():
            total -= forecast_loss(net, draws.forecasts_of(markets[market], [VALIDATION_SEED, market, draw])).total
    draws.processes.add_others(total)
    return float(total) / len(numbered)
