"""Bar lengths as weights: what is learned at one counts less and less towards the next.

Shapes: B windows, K bar lengths, W figures.
"""

from __future__ import annotations

import torch
from torch import Tensor

LENGTH_KNOTS = (60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0, 604_800.0)
"""Seconds. The outer two only bound the range: from there on, what holds for all bar lengths speaks alone."""
LENGTHS = len(LENGTH_KNOTS) - 2


def length_shares(bar_seconds: Tensor) -> Tensor:
    """[B] -> [B, K]: 1 at a knot of its own, falling to 0 at its neighbours along the logarithm."""
    length = torch.log(bar_seconds.clamp(min=1.0))[:, None]
    knots = torch.log(torch.tensor(LENGTH_KNOTS, dtype=bar_seconds.dtype, device=bar_seconds.device))
    below, knot, above = knots[:-2], knots[1:-1], knots[2:]
    return torch.minimum((length - below) / (knot - below), (above - length) / (above - knot)).clamp(min=0.0)


def by_length(figures: Tensor, lengths: Tensor) -> Tensor:
    """[B, W], [B, K] -> [B, W (1 + K)]: the figures for all bar lengths, then once more for each."""
    return torch.cat([figures, (lengths[:, :, None] * figures[:, None]).flatten(1)], dim=-1)
