"""The course of a day, read from the same time on earlier days.

Earlier stretches are read along, rather than by the clock: that needs no calendar, as nights and holidays fall out.
Shapes: B windows, L lookback, T recurrence, N steps; a stretch is as long as recurrence and horizon together, T + N.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.network.clean_bars import CleanBars


def stretches_of(lookback: int, span: int) -> Tensor:
    """[L - span, span]: the positions of the bars of each stretch of the past."""
    return torch.arange(lookback - span)[:, None] + torch.arange(span)


def same_time(bars: CleanBars, stretches: int, recurrence: int) -> Tensor:
    """[B, L - T - N]: 1 where the last bar of a stretch's first T had the newest bar's time of day."""
    middle = slice(recurrence - 1, recurrence - 1 + stretches)
    apart = (bars.second_of_day[:, middle] - bars.second_of_day[:, -1:]).abs()
    starts = bars.here[:, :stretches]  # the whole stretch exists where its first bar does
    return (apart < 0.5 * bars.bar_seconds[:, -1:]).to(bars.here.dtype) * starts


def profile(values: Tensor, weight: Tensor, stretches: Tensor) -> Tensor:
    """[B, T + N]: the weighted mean of `values` [B, L] over the stretches, shrunk to 0 by one day's weight."""
    along = values[:, stretches]
    return (weight[:, None] @ along)[:, 0] / (weight.sum(-1, keepdim=True) + 1.0)
