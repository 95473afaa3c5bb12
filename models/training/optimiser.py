"""The optimiser, and the weights that learn at a share of its rate."""

from __future__ import annotations

import torch
from torch import nn

from models.settings.train_settings import TrainSettings

SLOW_RATES = {"context.volume.": 0.03, "context.volatility.": 0.03, "decision.own.": 0.3}
"""What learns at a share of the rate, by the start of its name: the heads that start warm, so that the steps' noise
does not undo what was fitted, and what a block of the decision has beside the weights that all share, since it
sees few orders."""


def make_optimizer(net: nn.Module, settings: TrainSettings) -> torch.optim.AdamW:
    groups: dict[float, list[nn.Parameter]] = {share: [] for share in (1.0, *SLOW_RATES.values())}
    for name, weights in net.named_parameters():
        if weights.requires_grad:
            share = next((rate for start, rate in SLOW_RATES.items() if name.startswith(start)), 1.0)
            groups[share].append(weights)
    shares = [{"params": weights, "share": share} for share, weights in groups.items() if weights]
    return torch.optim.AdamW(shares, lr=settings.learning_rate, weight_decay=settings.weight_decay)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Each group of weights learns at its share of `rate`."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]
