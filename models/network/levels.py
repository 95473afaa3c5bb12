"""What a window says of how much is to come: figures for straight lines to the logs of volume and of volatility.

Each knot ahead has a line of its own, so the waves of the week give the usual course of the hours ahead; the profile
of few earlier days gives it with much noise.

Shapes: B windows, T recurrence, F variables, W window-level figures, V levels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from models.network.clean_bars import DAYS_PER_WEEK, MOVE_USUAL, SECONDS_PER_DAY
from models.network.packing import aged, by_age, packed

NEWEST, NEWEST_BARS = ("volume_surprise", "size", "range", "trades"), 4
AVERAGED, SPANS = (*NEWEST, "volume"), (4, 12, 24, 48)
WAVES, SHORT_WAVES = tuple(range(1, 11)), (14, 21, 28, 35, 42)
"""Per week: the week itself and what differs by day and hour; then the day down to four hours, which only the knots of
the next steps lie densely enough for."""
LEVELS = (
    *(f"{name}_mean_{span}" for name in AVERAGED for span in SPANS),
    *(figure for name in NEWEST for figure in aged(name, NEWEST_BARS)),
    *(f"week_{wave}_{times}" for times in (*WAVES, *SHORT_WAVES) for wave in ("sin", "cos")),
)
"""These follow the window-level figures. The short waves come last."""
SHORT_WAVE_FIGURES = 2 * len(SHORT_WAVES)


def levels(variables: dict[str, Tensor], window: Tensor, day_of_week: Tensor, second_of_day: Tensor) -> Tensor:
    """[B, W + V], `window` [B, W] first. `variables` are [B, T] each; the newest bar's day and second [B]."""
    course = {**variables, "size": variables["return"].abs() - MOVE_USUAL}
    figures = {
        f"{name}_mean_{span}": course[name][:, -span:].mean(-1) for name in AVERAGED for span in SPANS
    }  # fmt: skip
    for name in NEWEST:
        figures |= by_age(name, course[name][:, -NEWEST_BARS:])
    turn = 2.0 * math.pi * (day_of_week + second_of_day / SECONDS_PER_DAY) / DAYS_PER_WEEK
    for times in (*WAVES, *SHORT_WAVES):
        figures[f"week_sin_{times}"] = torch.sin(turn * times)
        figures[f"week_cos_{times}"] = torch.cos(turn * times)
    return torch.cat([window, packed(LEVELS, figures)], dim=-1)
