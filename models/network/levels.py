"""What a window says of how much is to come: figures for straight lines to the logs of volume and of volatility.

Each next step has a line of its own, so the week's waves tell the usual course of the hours ahead, which the profile of
few earlier days tells with much noise (chosen on bars before 2025, or of the same split in other markets).

Shapes: B windows, T recurrence, F variables, W window-level figures, V levels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

NEWEST, NEWEST_BARS = ("volume_surprise", "size", "range", "trades"), 4
AVERAGED, SPANS = (*NEWEST, "volume"), (4, 12, 24, 48)
WAVES = (*range(1, 11), 14, 21, 28, 35, 42)
"""Per week: the week itself, what differs by day and hour, and the day down to four hours."""
LEVELS = len(AVERAGED) * len(SPANS) + len(NEWEST) * NEWEST_BARS + 2 * len(WAVES)
"""Beside the window-level figures."""
DAYS, SECONDS_PER_DAY = 7.0, 86_400.0


def levels(variables: dict[str, Tensor], window: Tensor, day_of_week: Tensor, second_of_day: Tensor) -> Tensor:
    """[B, W + V], `window` [B, W] first. `variables` are [B, T] each; the newest bar's day and second [B]."""
    course = {**variables, "size": variables["return"].abs() - 0.7}
    means = [course[name][:, -span:].mean(-1) for name in AVERAGED for span in SPANS]
    newest = [part for name in NEWEST for part in course[name][:, -NEWEST_BARS:].unbind(-1)]
    turn = 2.0 * math.pi * (day_of_week + second_of_day / SECONDS_PER_DAY) / DAYS
    waves = [wave(turn * times) for times in WAVES for wave in (torch.sin, torch.cos)]
    return torch.cat([window, torch.stack([*means, *newest, *waves], dim=-1)], dim=-1)
