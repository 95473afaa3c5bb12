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

from app.decision.market import COLUMNS
from models.network.directions import Moves, directions
from models.network.lengths import length_shares
from models.network.levels import SECONDS_PER_DAY, levels
from models.settings.sizes import LemConfig

LONG_HALF_LIFE, SHORT_HALF_LIFE = 96.0, 8.0
RETURN_CLIP = 4.0
TRUST_FROM_TO = 0.12, 0.24
"""Correlations of moves with volume: one in a hundred windows of random walks exceeds 0.10; nineteen in twenty windows
of markets exceed 0.17 (crypto, 240 minutes) to 0.43 (90 minutes)."""
SIGMA_MIN = 1e-6
VARIABLES = (
    "return", "close_vs_price", "range", "body", "volume", "volume_surprise", "volume_profile", "volatility_profile",
    "trades", "day_sin", "day_cos", "week_sin", "week_cos", "bar_length", "after_gap", "traded",
)  # fmt: skip
NEWEST_BARS = 4
WINDOW_FIGURES = 9 + 4 * NEWEST_BARS


@dataclass(frozen=True, slots=True)
class Features:
    """`variables` [B, T, F]; `window` [B, W + 2 N]; `directions` [B, D], `levels` [B, W + 2 N + V] and `lengths` [B, K]
    are told in the modules of these names; `trust` [B] from 0 to 1; `volatility` [B] per bar, as a fraction; `volume`
    [B] mean per bar, base units; `volume_profile` [B, N] log of the expected volume of each next step over `volume`."""

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
        # analogue[l] = positions l .. l + T + N - 1: a stretch of the past as long as recurrence and horizon together
        span = config.recurrence + config.max_steps
        starts = torch.arange(config.lookback - span)
        self.register_buffer("analogue", starts[:, None] + torch.arange(span), persistent=False)

    def forward(self, bars: Tensor) -> Features:
        column = dict(zip(COLUMNS, bars.unbind(-1), strict=True))
        present = column["close"] > 0.0
        here = present.to(bars.dtype)
        close = torch.where(present, column["close"], 1.0)
        high, low = torch.where(present, column["high"], 1.0), torch.where(present, column["low"], 1.0)
        opened = torch.where(present, column["open"], 1.0)
        traded = (column["volume"] > 0.0) & (column["notional"] > 0.0)
        typical = (high + low + close) / 3.0
        price = torch.where(traded, column["notional"] / torch.where(traded, column["volume"], 1.0), typical)

        both = here * _previous(here)
        returns = torch.log(close / _previous(close)) * both
        gap = (column["second_of_day"] - _previous(column["second_of_day"]) - column["bar_seconds"]).abs()
        after_gap = ((gap > 1.0) & ((gap - SECONDS_PER_DAY).abs() > 1.0)).to(bars.dtype) * both
        within = both * (1.0 - after_gap)  # a night's move says nothing about a bar's
        volatility = self._volatility(returns, within)[:, None]
        scaled = (returns / volatility).clamp(-RETURN_CLIP, RETURN_CLIP)
        volume = self._mean(column["volume"], here, self.long_weight).clamp(min=1e-12)[:, None]
        log_volume = torch.log(column["volume"] / volume + 0.02) * here
        count = self._mean(column["trades"], here, self.long_weight)[:, None]
        trades = torch.log(column["trades"] / count.clamp(min=1e-6) + 0.02) * here * (count > 0.0)

        weight = self._same_time(column["second_of_day"], column["bar_seconds"], here)
        volume_profile = self._profile(log_volume, weight)  # [B, T + N]
        volatility_profile = self._profile((scaled.abs() - 0.7) * both, weight)
        day = 2.0 * math.pi * column["second_of_day"] / SECONDS_PER_DAY
        week = 2.0 * math.pi * column["day_of_week"] / 7.0
        price_over_close = (torch.log(price / close) / volatility).clamp(-RETURN_CLIP, RETURN_CLIP)
        body = (close - opened) / (high - low + 1e-9 * close)
        height = (torch.log(high / low) / volatility).clamp(0.0, 2.0 * RETURN_CLIP)
        of_bars = {
            "return": scaled,
            "close_vs_price": price_over_close,
            "range": height - 1.5,
            "body": body,
            "volume": log_volume,
            "trades": trades,
            "day_sin": torch.sin(day),
            "day_cos": torch.cos(day),
            "week_sin": torch.sin(week),
            "week_cos": torch.cos(week),
            "bar_length": torch.log(column["bar_seconds"].clamp(min=1.0)) / 10.0,
            "after_gap": after_gap,
            "traded": traded.to(bars.dtype),
        }
        recent = here[:, -self.recurrence :]
        past, ahead = volume_profile[:, : self.recurrence], volume_profile[:, self.recurrence :]
        variables = {name: values[:, -self.recurrence :] for name, values in of_bars.items()}
        variables["volume_surprise"] = variables["volume"] - past
        variables["volume_profile"] = past
        variables["volatility_profile"] = volatility_profile[:, : self.recurrence]
        variables = {name: values * recent for name, values in variables.items()}
        figures = (
            torch.log(self._rms(returns, within, self.short_weight) / volatility[:, 0]),
            self._mean(log_volume, here, self.short_weight),
            (scaled[:, -12:].sum(-1) / math.sqrt(12.0)).clamp(-RETURN_CLIP, RETURN_CLIP),
            (scaled[:, -self.recurrence :].sum(-1) / math.sqrt(self.recurrence)).clamp(-RETURN_CLIP, RETURN_CLIP),
            torch.log(volatility[:, 0]) / 4.0 + 1.5,
            weight.sum(-1).clamp(max=5.0) / 5.0,
            *self._session(after_gap),
            *torch.cat(
                [part[:, -NEWEST_BARS:] for part in (scaled, price_over_close, body, log_volume)], dim=-1
            ).unbind(-1),
        )
        window = torch.cat([torch.stack(figures, dim=-1), ahead, volatility_profile[:, self.recurrence :]], dim=-1)
        moves = Moves(
            scaled, returns * within / volatility, price_over_close, height, body, log_volume, close, high, low,
            column["notional"], column["volume"], here, volatility,
        )  # fmt: skip
        bar_seconds = column["bar_seconds"][:, -1]
        return Features(
            variables=torch.stack([variables[name] for name in VARIABLES], dim=-1),
            window=window,
            directions=directions(moves, figures[0], bar_seconds),
            levels=levels(variables, window, column["day_of_week"][:, -1], column["second_of_day"][:, -1]),
            lengths=length_shares(bar_seconds),
            trust=self._trust(scaled, log_volume, within),
            volatility=volatility[:, 0],
            volume=volume[:, 0],
            volume_profile=ahead,
        )

    def _session(self, after_gap: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Whether the market closes, the place in its session as a share of the one before, and the steps left in it.

        A session is what lies between two gaps in the times of day, so early closes and other calendars are seen too.
        """
        place = torch.arange(after_gap.shape[-1], dtype=after_gap.dtype, device=after_gap.device)
        newest = (place * after_gap).amax(-1)
        before = (place * after_gap * (place < newest[:, None])).amax(-1)
        length, done = newest - before, place[-1] - newest + 1.0
        known = (before > 0.0).to(after_gap.dtype)
        share = (done / length.clamp(min=1.0)).clamp(max=1.5)
        left = ((length - done) / self.steps).clamp(0.0, 1.0)
        return known, known * share, known * left

    @staticmethod
    def _trust(scaled: Tensor, log_volume: Tensor, within: Tensor) -> Tensor:
        """[B]: whether the window is a market's, from 0 to 1. Where people trade, bars that move have more volume; on a
        random walk, or with volumes that are not the instrument's own, they have not, and no price can be foreseen."""
        bars = within.sum(-1, keepdim=True).clamp(min=1.0)
        size, volume = torch.sqrt(scaled.abs() + 1e-12), log_volume
        size = (size - (size * within).sum(-1, keepdim=True) / bars) * within
        volume = (volume - (volume * within).sum(-1, keepdim=True) / bars) * within
        norm = torch.sqrt((size**2).sum(-1) * (volume**2).sum(-1)).clamp(min=1e-6)
        low, high = TRUST_FROM_TO
        return (((size * volume).sum(-1) / norm - low) / (high - low)).clamp(0.0, 1.0)

    def _volatility(self, returns: Tensor, both: Tensor) -> Tensor:
        """Root mean square of the returns after clipping at RETURN_CLIP times a first estimate: tails are heavy."""
        first = self._rms(returns, both, self.long_weight)[:, None]
        clipped = torch.minimum(torch.maximum(returns, -RETURN_CLIP * first), RETURN_CLIP * first)
        return self._rms(clipped, both, self.long_weight)

    def _rms(self, returns: Tensor, both: Tensor, weight: Tensor) -> Tensor:
        return torch.sqrt(self._mean(returns * returns, both, weight)).clamp(min=SIGMA_MIN)

    @staticmethod
    def _mean(values: Tensor, present: Tensor, weight: Tensor) -> Tensor:
        shares = weight * present
        return (values * shares).sum(-1) / shares.sum(-1).clamp(min=1e-6)

    def _same_time(self, second_of_day: Tensor, bar_seconds: Tensor, here: Tensor) -> Tensor:
        """[B, L - T - N]: 1 where the bar T - 1 places after a stretch's start had the newest bar's time of day."""
        middle = slice(self.recurrence - 1, self.recurrence - 1 + len(self.analogue))
        apart = (second_of_day[:, middle] - second_of_day[:, -1:]).abs()
        starts = here[:, : len(self.analogue)]  # the whole stretch exists where its first bar does
        return (apart < 0.5 * bar_seconds[:, -1:]).to(here.dtype) * starts

    def _profile(self, values: Tensor, weight: Tensor) -> Tensor:
        """[B, T + N]: the mean of `values` at the same place on earlier days, shrunk to 0 by one day's weight.

        Reading along earlier stretches, rather than by the clock, needs no calendar: nights and holidays fall out.
        """
        stretches = values[:, self.analogue]
        return (weight[:, None] @ stretches)[:, 0] / (weight.sum(-1, keepdim=True) + 1.0)


def _previous(values: Tensor) -> Tensor:
    """The value one bar before; the first bar is its own predecessor."""
    return torch.cat([values[:, :1], values[:, :-1]], dim=-1)
