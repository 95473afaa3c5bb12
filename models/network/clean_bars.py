"""Raw bars made safe to calculate with, and what follows from one bar to the next.

Rows of zeros are bars that do not exist. They get a price of 1, so that no logarithm fails, and count for nothing.
Shapes: B windows, L lookback, C columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from app.decision.market import COLUMNS
from models.network.averages import clipped_volatility, mean
from models.network.packing import unpacked

RETURN_CLIP = 4.0
"""In units of volatility: larger returns are read as if they were this."""
MOVE_USUAL, HEIGHT_USUAL = 0.7, 1.5
"""What the absolute return and the height of a bar usually are, in units of volatility."""
SECONDS_PER_DAY, DAYS_PER_WEEK = 86_400.0, 7.0
PRICE_MISSING = 1.0
LOG_FLOOR = 0.02
"""Added to a share before its logarithm: an empty bar must not be infinitely far from the mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanBars:
    """[B, L] each. `here` is 1 where the bar exists, `traded` is true where it has volume and notional; `price` is what
    was paid on average, or the middle of the bar where nothing was traded."""

    here: Tensor
    open: Tensor
    high: Tensor
    low: Tensor
    close: Tensor
    price: Tensor
    traded: Tensor
    volume: Tensor
    notional: Tensor
    trades: Tensor
    second_of_day: Tensor
    day_of_week: Tensor
    bar_seconds: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """[B, L] each, but `volatility` [B, 1] per bar. `follows` is 1 where the bar before exists too; `after_gap` is 1 on
    the first bar after a night or a break; `within` is 1 where the bar follows another of the same session; `scaled` is
    the return in units of volatility, clipped."""

    follows: Tensor
    plain: Tensor
    after_gap: Tensor
    within: Tensor
    volatility: Tensor
    scaled: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Volumes:
    """`mean` [B, 1] per bar, in base units; logs of volume and of the count of trades over their means, [B, L]."""

    mean: Tensor
    log_volume: Tensor
    log_trades: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """[B, L] each: price over close and height of the bar in units of volatility, clipped; the body as a share of the
    height."""

    price_over_close: Tensor
    body: Tensor
    height: Tensor


def clean_bars(bars: Tensor) -> CleanBars:
    """[B, L, C] as they come."""
    column = unpacked(COLUMNS, bars)
    present = column["close"] > 0.0
    here = present.to(bars.dtype)
    close, high, low, opened = (
        torch.where(present, column[name], PRICE_MISSING) for name in ("close", "high", "low", "open")
    )
    traded = (column["volume"] > 0.0) & (column["notional"] > 0.0)
    typical = (high + low + close) / 3.0
    return CleanBars(
        here=here,
        open=opened,
        high=high,
        low=low,
        close=close,
        price=torch.where(traded, column["notional"] / torch.where(traded, column["volume"], 1.0), typical),
        traded=traded,
        volume=column["volume"],
        notional=column["notional"],
        trades=column["trades"],
        second_of_day=column["second_of_day"],
        day_of_week=column["day_of_week"],
        bar_seconds=column["bar_seconds"],
    )


def returns_of(bars: CleanBars, weight: Tensor) -> Returns:
    """`weight` [L] is how much each bar counts for the volatility."""
    follows = bars.here * _previous(bars.here)
    returns = torch.log(bars.close / _previous(bars.close)) * follows
    gap = (bars.second_of_day - _previous(bars.second_of_day) - bars.bar_seconds).abs()
    after_gap = ((gap > 1.0) & ((gap - SECONDS_PER_DAY).abs() > 1.0)).to(returns.dtype) * follows
    within = follows * (1.0 - after_gap)  # a night's move says nothing about a bar's
    volatility = clipped_volatility(returns, within, weight, RETURN_CLIP)[:, None]
    return Returns(
        follows=follows,
        plain=returns,
        after_gap=after_gap,
        within=within,
        volatility=volatility,
        scaled=(returns / volatility).clamp(-RETURN_CLIP, RETURN_CLIP),
    )


def volumes_of(bars: CleanBars, weight: Tensor) -> Volumes:
    """`weight` [L] is how much each bar counts for the means."""
    volume = mean(bars.volume, bars.here, weight).clamp(min=1e-12)[:, None]
    log_volume = torch.log(bars.volume / volume + LOG_FLOOR) * bars.here
    count = mean(bars.trades, bars.here, weight)[:, None]
    log_trades = torch.log(bars.trades / count.clamp(min=1e-6) + LOG_FLOOR) * bars.here * (count > 0.0)
    return Volumes(mean=volume, log_volume=log_volume, log_trades=log_trades)


def candles_of(bars: CleanBars, volatility: Tensor) -> Candles:
    price_over_close = (torch.log(bars.price / bars.close) / volatility).clamp(-RETURN_CLIP, RETURN_CLIP)
    body = (bars.close - bars.open) / (bars.high - bars.low + 1e-9 * bars.close)
    height = (torch.log(bars.high / bars.low) / volatility).clamp(0.0, 2.0 * RETURN_CLIP)
    return Candles(price_over_close=price_over_close, body=body, height=height)


def _previous(values: Tensor) -> Tensor:
    """The value one bar before; the first bar is its own predecessor."""
    return torch.cat([values[:, :1], values[:, :-1]], dim=-1)
