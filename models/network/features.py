"""From raw bars to numbers without units. This runs inside `context.onnx`, so training and serving cannot drift apart.

Everything is a function of the window's closed bars alone. Rows of zeros (bars that do not exist) count for nothing.
Shapes: B windows, L lookback, T recurrence, N steps, A knots ahead, F variables, W window-level figures,
D directions, V levels, K bar lengths.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.network.ahead import gathered_at, knots_of
from models.network.clean_bars import MOVE_USUAL, candles_of, clean_bars, returns_of, volumes_of
from models.network.directions import Moves, directions
from models.network.lengths import length_shares
from models.network.levels import levels
from models.network.packing import packed
from models.network.profiles import earlier_days
from models.network.variables import VARIABLES, of_bars, of_newest, turns
from models.network.window_figures import WINDOW_FIGURES, window_figures
from models.settings.sizes import LemConfig

LONG_HALF_LIFE, SHORT_HALF_LIFE = 96.0, 8.0
TRUST_FROM_TO = 0.12, 0.24
"""Correlations of moves with volume: nearly all random walks lie below the first, most markets above the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """`variables` [B, T, F] as VARIABLES; `window` [B, W + 2 A]: WINDOW_FIGURES and the profiles ahead; `directions`
    [B, D], `levels` [B, W + 2 A + V] and `lengths` [B, K] are explained in the modules of these names; `trust` [B] from
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
    at_knots: Tensor

    def __init__(self, config: LemConfig) -> None:
        super().__init__()
        self.recurrence, self.steps = config.recurrence, config.max_steps
        age = torch.arange(config.lookback - 1, -1, -1, dtype=torch.float32)
        self.register_buffer("long_weight", 0.5 ** (age / LONG_HALF_LIFE), persistent=False)
        self.register_buffer("short_weight", 0.5 ** (age / SHORT_HALF_LIFE), persistent=False)
        at_knots = gathered_at(knots_of(config.max_steps), config.max_steps)
        self.register_buffer("at_knots", at_knots, persistent=False)

    def forward(self, raw: Tensor) -> Features:
        bars = clean_bars(raw)
        returns = returns_of(bars, self.long_weight)
        volumes = volumes_of(bars, self.long_weight)
        days = earlier_days(bars, self.recurrence, self.steps)
        volume_profile = days.profile(volumes.log_volume)  # [B, T + N]
        volatility_profile = days.profile((returns.scaled.abs() - MOVE_USUAL) * returns.follows)
        day, week = turns(bars)
        candles = candles_of(bars, returns.volatility)
        alone = of_bars(bars, returns, volumes, candles, day, week)
        here = bars.here[:, -self.recurrence :]
        past, ahead = volume_profile[:, : self.recurrence], volume_profile[:, self.recurrence :]
        variables = of_newest(alone, here, past, volatility_profile)
        figures = window_figures(bars, returns, volumes, candles, days.known, self.short_weight, self.recurrence)
        profiles = (ahead, volatility_profile[:, self.recurrence :])
        window = torch.cat([packed(WINDOW_FIGURES, figures), *(each @ self.at_knots for each in profiles)], dim=-1)
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
