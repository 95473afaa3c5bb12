"""Fits the tilts of volume in a hedge against VWAP, before training: by the absolute error of small orders that are
forced over all of their steps and fear spread.

Bars with more volume than was foreseen move more, and an order that is ahead of the market's volume or behind it is
exposed to the move of the bar after its slice. Weighed by what it may cost, that bar has more volume than the mean; how
much more, each bar length says for itself. Training leaves these tilts as they are: learned with the utility of all
orders they kept wild paths closer to VWAP, and most others less close. The tilts of orders that may stop at any step
are learned.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from models.fits.hooks import AddOthers, OnStep, alone, unwatched
from models.fits.keeping import NOTHING_KEPT, Descent, Kept
from models.network.lem import Lem
from models.objective.forecasts import VOLATILITY_MIN
from models.objective.objective import RISK_AVERSIONS
from models.objective.paths import paths_of
from models.objective.rollout import roll
from models.objective.stretches import Stretches
from models.objective.terms import small_orders

LEARNING_RATE = 0.02


def fit_tilts(
    net: Lem,
    draw: Callable[[int], Stretches],
    steps: int,
    add_others: AddOthers = alone,
    on_step: OnStep = unwatched,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Take `steps` steps, each on the stretches that `draw` gives for its number; nothing else learns. After a stop the
    fit goes on from what was `kept`."""
    tilts = net.context.forced_tilts.requires_grad_()
    weights = list(tilts.parameters())
    optimizer = torch.optim.Adam(weights, lr=LEARNING_RATE)
    descent = Descent(tilts, optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps))
    processes = torch.ones(1)
    add_others(processes)
    for step in range(descent.restore(kept.read("tilts")), steps):
        error = _error(net, draw(step))
        if error.requires_grad:  # where orders have but one step, nothing is to be hedged
            gradients = torch.autograd.grad(error, weights)
            for weight, gradient in zip(weights, gradients, strict=True):
                add_others(gradient)
                weight.grad = gradient / processes.item()
            optimizer.step()
        descent.falling.step()
        if kept.due():
            kept.write("tilts", descent.state(step + 1))
        on_step(step + 1, steps)
    tilts.requires_grad_(requires_grad=False)


def _error(net: Lem, stretches: Stretches) -> Tensor:
    """The mean absolute slippage against VWAP, in units of volatility."""
    with torch.no_grad():
        features = net.context.features(stretches.windows)
        reading = net.context.read(features)
    paths = paths_of(stretches, features, net.context.renewed(reading, features), 1)
    orders = small_orders(paths, paths.price.shape[1], RISK_AVERSIONS.tracking)
    gain = roll(net.decision, paths, orders).gain[net.decision.is_vwap]
    return (gain.abs() * (paths.volatility > VOLATILITY_MIN)).mean()
