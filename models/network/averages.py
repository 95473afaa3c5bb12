"""Weighted averages over the bars of a window that exist.

Shapes: B windows, L lookback.
"""

from __future__ import annotations

import torch
from torch import Tensor

VOLATILITY_MIN = 1e-6


def mean(values: Tensor, present: Tensor, weight: Tensor) -> Tensor:
    """[B, L], [B, L], [L] -> [B]."""
    shares = weight * present
    return (values * shares).sum(-1) / shares.sum(-1).clamp(min=1e-6)


def root_mean_square(returns: Tensor, present: Tensor, weight: Tensor) -> Tensor:
    """[B, L], [B, L], [L] -> [B], never less than VOLATILITY_MIN."""
    return torch.sqrt(mean(returns * returns, present, weight)).clamp(min=VOLATILITY_MIN)


def clipped_volatility(returns: Tensor, present: Tensor, weight: Tensor, clip: float) -> Tensor:
    """[B]: root mean square of the returns after clipping at `clip` times a first estimate, as tails are heavy."""
    first = root_mean_square(returns, present, weight)[:, None]
    clipped = torch.minimum(torch.maximum(returns, -clip * first), clip * first)
    return root_mean_square(clipped, present, weight)
