"""The variables that the recurrence reads of each of the newest bars.

Shapes: B windows, L lookback, T recurrence, N steps.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from models.network.clean_bars import (
    DAYS_PER_WEEK,
    HEIGHT_USUAL,
    SECONDS_PER_DAY,
    Candles,
    CleanBars,
    Returns,
    Volumes,
)

VARIABLES = (
    "return", "close_vs_price", "range", "body", "volume", "volume_surprise", "volume_profile", "volatility_profile",
    "trades", "day_sin", "day_cos", "week_sin", "week_cos", "bar_length", "after_gap", "traded",
)  # fmt: skip


def turns(bars: CleanBars) -> tuple[Tensor, Tensor]:
    """[B, L] each: the time of day and the day of the week as angles."""
    day = 2.0 * math.pi * bars.second_of_day / SECONDS_PER_DAY
    week = 2.0 * math.pi * bars.day_of_week / DAYS_PER_WEEK
    return day, week


def of_bars(
    bars: CleanBars, returns: Returns, volumes: Volumes, candles: Candles, day: Tensor, week: Tensor
) -> dict[str, Tensor]:
    """[B, L] each: what a bar says by itself. `day` and `week` are angles."""
    return {
        "return": returns.scaled,
        "close_vs_price": candles.price_over_close,
        "range": candles.height - HEIGHT_USUAL,
        "body": candles.body,
        "volume": volumes.log_volume,
        "trades": volumes.log_trades,
        "day_sin": torch.sin(day),
        "day_cos": torch.cos(day),
        "week_sin": torch.sin(week),
        "week_cos": torch.cos(week),
        "bar_length": torch.log(bars.bar_seconds.clamp(min=1.0)) / 10.0,
        "after_gap": returns.after_gap,
        "traded": bars.traded.to(bars.here.dtype),
    }


def of_newest(alone: dict[str, Tensor], here: Tensor, volume: Tensor, volatility: Tensor) -> dict[str, Tensor]:
    """[B, T] each: the newest bars `alone` and against the usual course of `volume` [B, T] and of `volatility`
    [B, T + N]; 0 where a bar does not exist, by `here` [B, T]."""
    newest = here.shape[-1]
    variables = {name: values[:, -newest:] for name, values in alone.items()}
    variables["volume_surprise"] = variables["volume"] - volume
    variables["volume_profile"] = volume
    variables["volatility_profile"] = volatility[:, :newest]
    return {name: values * here for name, values in variables.items()}
