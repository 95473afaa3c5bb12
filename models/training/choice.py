"""The choice of the weights that would be released: those with the best utility on validation bars."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor

from models.network.lem import Lem
from models.training.draws import Draws

VALIDATION_SEED = 7_777_777
VALIDATION_DRAWS = 6
"""Batches of stretches per market that a validation looks at; the same ones each time."""


class Choice:
    """Holds the `best` weights so far, their utility, and how many validations have come `since` without a better."""

    def __init__(self, net: Lem) -> None:
        self.best: dict[str, Tensor] = copy.deepcopy(net.state_dict())
        self.best_utility, self.validations_since = -math.inf, 0

    def validate(self, net: Lem, draws: Draws) -> float:
        """The mean utility of `net` over the validation markets; its weights are kept where it is the best so far."""
        utility = _utility(net, draws)
        self.validations_since += 1
        if utility > self.best_utility:
            self.best_utility, self.validations_since = utility, 0
            self.best = copy.deepcopy(net.state_dict())
        return utility


def _utility(net: Lem, draws: Draws) -> float:
    """The processes share the draws."""
    markets, processes = draws.bars.validation, draws.processes
    numbered = [(index, draw) for index in range(len(markets)) for draw in range(VALIDATION_DRAWS)]
    total = torch.zeros(1, dtype=torch.float64)
    for index, draw in numbered[processes.index :: processes.count]:
        seed = [VALIDATION_SEED, index, draw]
        stretches = draws.for_validation(markets[index], seed)
        with torch.no_grad():
            total += draws.loss(net, stretches, seed).utility
    processes.add_others(total)
    return float(total) / len(numbered)
