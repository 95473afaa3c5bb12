"""From raw bars to numbers without units. This runs inside `context.onnx`, so training and serving cannot drift apart.

Everything is a function of the window's closed bars alone. Rows of zeros (bars that do not exist) count for nothing.
Shapes: B windows, L lookback, T recurrence, N steps, F variables, W window-level figures,
D directions, V levels, K bar lengths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.network.clean_bars import (
    Candles,
    CleanBars,
    Returns,
    Volumes,
    candles_of,
    clean_bars,
    returns_of,
    volumes_of,
)
from models.network.directions import Moves, directions
from models.network.lengths import length_shares
from models.network.levels import DAYS, SECONDS_PER_DAY, levels
from models.network.packing import packed
from models.network.profiles import profile, same_time, stretches_of
from models.network.window_figures import WINDOW_FIGURES, window_figures
from models.settings.sizes import LemConfig

LONG_HALF_LIFE, SHORT_HALF_LIFE = 96.0, 8.0
MOVE_USUAL, HEIGHT_USUAL = 0.7, 1.5
"""What a bar's absolute return and its height usually are, in units of volatility."""
TRUST_FROM_TO = 0.12, 0.24
"""Correlations of moves with volume: nearly all random walks lie below the first, most markets above the second."""
VARIABLES = (
    "return", "close_vs_price", "range", "body", "volume", "volume_surprise", "volume_profile", "volatility_profile",
    "trades", "day_sin", "day_cos", "week_sin", "week_cos", "bar_length", "after_gap", "traded",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """`variables` [B, T, F] as VARIABLES; `window` [B, W + 2 N]: WINDOW_FIGURES and the profiles ahead; `directions`
    [B, D], `levels` [B, W + 2 N + V] and `lengths` [B, K] are explained in the modules of these names; `trust` [B] from
    0 to 1; `volatility` [B] per bar, as a fraction; `volume` [B] mean per bar, base units; `volume_profile` [B, N] log
    of the expected volume of each next step over `volume`."""

    variables: Tensor
    window: Tensor
    directions: Tensor
    levels: Tensor
    lengths: Tensor
    trust: Tensor
    volatility: Tensor
    volume: Tensor
    volume_profile: Tensor


class BarFeatures(nn.Module):
    """[B, L, C] raw bars -> Features. It has nothing to learn."""

    long_weight: Tensor
    short_weight: Tensor
    analogue: Tensor

    def __init__(self, config: LemConfig) -> None:
        super().__init__()
        self.recurrence, self.steps = config.recurrence, config.max_steps
        age = torch.arange(config.lookback - 1, -1, -1, dtype=torch.float32)
        self.register_buffer("long_weight", 0.5 ** (age / LONG_HALF_LIFE), persistent=False)
        self.register_buffer("short_weight", 0.5 ** (age / SHORT_HALF_LIFE), persistent=False)
        stretches = stretches_of(config.lookback, config.recurrence + config.max_steps)
        self.register_buffer("analogue", stretches, persistent=False)

    def forward(self, raw: Tensor) -> Features:
        bars = clean_bars(raw)
        returns = returns_of(bars, self.long_weight)
        volumes = volumes_of(bars, self.long_weight)
        days = same_time(bars, len(self.analogue), self.recurrence)
        volume_profile = profile(volumes.log_volume, days, self.analogue)  # [B, T + N]
        volatility_profile = profile((returns.scaled.abs() - MOVE_USUAL) * returns.follows, days, self.analogue)
        day, week = _turns(bars)
        candles = candles_of(bars, returns.volatility)
        of_bars = _of_bars(bars, returns, volumes, candles, day, week)
        here = bars.here[:, -self.recurrence :]
        past, ahead = volume_profile[:, : self.recurrence], volume_profile[:, self.recurrence :]
        variables = self._newest(of_bars, here, past, volatility_profile)
        figures = window_figures(bars, returns, volumes, candles, days, self.short_weight, self.recurrence, self.steps)
        window = torch.cat([packed(WINDOW_FIGURES, figures), ahead, volatility_profile[:, self.recurrence :]], dim=-1)
        moves = Moves.of(bars, returns, volumes, candles)
        bar_seconds = bars.bar_seconds[:, -1]
        return Features(
            variables=packed(VARIABLES, variables),
            window=window,
            directions=directions(moves, figures["restless"], bar_seconds),
            levels=levels(variables, window, bars.day_of_week[:, -1], bars.second_of_day[:, -1]),
            lengths=length_shares(bar_seconds),
            trust=_trust(returns.scaled, volumes.log_volume, returns.within),
            volatility=returns.volatility[:, 0],
            volume=volumes.mean[:, 0],
            volume_profile=ahead,
        )

    def _newest(self, of_bars: dict[str, Tensor], here: Tensor, past: Tensor, volatility: Tensor) -> dict[str, Tensor]:
        """[B, T] each: the variables of the newest bars, 0 where a bar does not exist."""
        variables = {name: values[:, -self.recurrence :] for name, values in of_bars.items()}
        variables["volume_surprise"] = variables["volume"] - past
        variables["volume_profile"] = past
        variables["volatility_profile"] = volatility[:, : self.recurrence]
        return {name: values * here for name, values in variables.items()}


def _turns(bars: CleanBars) -> tuple[Tensor, Tensor]:
    """[B, L] each: the time of day and the day of the week as angles."""
    day = 2.0 * math.pi * bars.second_of_day / SECONDS_PER_DAY
    week = 2.0 * math.pi * bars.day_of_week / DAYS
    return day, week


def _of_bars(
    bars: CleanBars, returns: Returns, volumes: Volumes, candles: Candles, day: Tensor, week: Tensor
) -> dict[str, Tensor]:
    """[B, L] each: what a bar says by itself."""
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


def _trust(scaled: Tensor, log_volume: Tensor, within: Tensor) -> Tensor:
    """[B]: whether the window is a market's, from 0 to 1. Where people trade, bars that move have more volume. On a
    random walk, or with volumes that are not the instrument's own, they have not, and no price can be foreseen."""
    bars = within.sum(-1, keepdim=True).clamp(min=1.0)
    size, volume = torch.sqrt(scaled.abs() + 1e-12), log_volume
    size = (size - (size * within).sum(-1, keepdim=True) / bars) * within
    volume = (volume - (volume * within).sum(-1, keepdim=True) / bars) * within
    norm = torch.sqrt((size**2).sum(-1) * (volume**2).sum(-1)).clamp(min=1e-6)
    low, high = TRUST_FROM_TO
    return (((size * volume).sum(-1) / norm - low) / (high - low)).clamp(0.0, 1.0)
