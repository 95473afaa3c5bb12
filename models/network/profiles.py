"""The course of a day, read from the same time on earlier days.

What followed on earlier days is read along the bars, rather than by the clock: that needs no calendar, as nights and
holidays fall out. A step further ahead than a day is read from the days before.
Shapes: B windows, L lookback, T recurrence, N steps, A days.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.network.clean_bars import CleanBars

DAYS_MAX = 12
"""More days than that say more of what was than of what comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierDays:
    """`known` [B, A] is 1 for each earlier day on which the newest bar's time of day is in the window; `position`
    [B, A (T + N)] are the bars round that time, from T - 1 before it to N after it, of which `counted` [B, A, T + N]
    are in the window and exist."""

    known: Tensor
    position: Tensor
    counted: Tensor

    def profile(self, values: Tensor) -> Tensor:
        """[B, L] -> [B, T + N]: the mean of `values` over the days, shrunk to 0 by one day's weight."""
        along = values.gather(1, self.position).view_as(self.counted) * self.counted
        result: Tensor = along.sum(1) / (self.counted.sum(1) + 1.0)
        return result


def earlier_days(bars: CleanBars, recurrence: int, steps: int) -> EarlierDays:
    """The newest days of the window, at most DAYS_MAX of them."""
    length = bars.here.shape[-1]
    apart = (bars.second_of_day - bars.second_of_day[:, -1:]).abs()
    same = (apart < 0.5 * bars.bar_seconds[:, -1:]).to(bars.here.dtype) * bars.here
    index = torch.arange(length, dtype=same.dtype, device=same.device)
    before_newest = (index < length - 1.0).to(same.dtype)
    # Positions count from 1 here: 0 is a day that is not there.
    newest = torch.topk((index + 1.0) * same * before_newest, min(DAYS_MAX, length), dim=-1).values
    known = (newest > 0.0).to(same.dtype)
    reach = torch.arange(1 - recurrence, steps + 1, dtype=same.dtype, device=same.device)
    position = newest[..., None] - 1.0 + reach
    inside = (position >= 0.0) & (position < length)
    chosen = position.clamp(0.0, length - 1.0).long().flatten(1)
    here = bars.here.gather(1, chosen).view_as(position)
    return EarlierDays(known=known, position=chosen, counted=inside * known[..., None] * here)
