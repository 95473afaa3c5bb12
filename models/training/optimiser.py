"""What learns in each stage of a training, and how fast."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from models.settings.train_settings import TrainSettings

FITTED = ("context.outlook.", "context.bend.", "context.forced_tilts.")
"""Fitted before the first step, and not taught: steps of the optimiser would learn to trust them too much."""
BY_ORDERS = ("decision.", "context.learned.", "context.free_tilts.")
"""What orders teach. All that is neither among these nor fitted is taught by forecasts."""
SLOW_RATES = {"context.volume.": 0.03, "context.volatility.": 0.03, "decision.own.": 0.3}
"""What learns at a share of the rate, by the start of its name: the heads that start warm, so that the steps' noise
does not undo what was fitted, and what a block of the decision has beside the weights that all share, since it
sees few orders."""

Named = tuple[str, nn.Parameter]


def taught_by_forecasts(net: nn.Module) -> list[Named]:
    return [one for one in net.named_parameters() if not one[0].startswith((*FITTED, *BY_ORDERS))]


def taught_by_orders(net: nn.Module) -> list[Named]:
    return [one for one in net.named_parameters() if one[0].startswith(BY_ORDERS)]


def make_optimizer(taught: Sequence[Named], settings: TrainSettings) -> torch.optim.AdamW:
    """Of those that are taught and may learn."""
    groups: dict[float, list[nn.Parameter]] = {share: [] for share in (1.0, *SLOW_RATES.values())}
    for name, weights in taught:
        if weights.requires_grad:
            share = next((rate for start, rate in SLOW_RATES.items() if name.startswith(start)), 1.0)
            groups[share].append(weights)
    shares = [{"params": weights, "share": share} for share, weights in groups.items() if weights]
    return torch.optim.AdamW(shares, lr=settings.learning_rate, weight_decay=settings.weight_decay)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Each group of weights learns at its share of `rate`."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]
