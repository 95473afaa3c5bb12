"""What a window says of up and down: figures that change their sign, and nothing else, where prices are turned over.

A straight line through such figures says nothing of a market's long-run drift, which the years one trains on would only
flatter; a buyer and a seller are advised alike. The figures come three times: plain, and multiplied by how restless the
window is and by the level of its volatility, as prices turn back or run on by how much the market moves.

Only a crash has no twin on the other side: who is made to sell at any price lets the price fall too far, and part of
the fall comes back.

Shapes: B windows, L lookback, D directions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from models.network.clean_bars import HEIGHT_USUAL, Candles, CleanBars, Returns, Volumes
from models.network.packing import aged, by_age, packed

NEWEST_MOVES, NEWEST_BARS = 4, 2
RETURN_SPANS, MIDDLE_SPANS, AVERAGE_HALF_LIFE = (4, 12, 48, 288), (32, 96), 24.0
DIRECTION_MAX = 4.0
LEVEL_BAR_SECONDS, LEVEL_USUAL = 900.0, 6.0
"""The level of volatility is read as if bars had this length; the log of a usual one lies that far below 0."""
CRASH_SPANS, CRASH_FROM, CRASH_MAX, CRASH_UNIT = (1, 4), 8.0, 24.0, 6.0
"""A fall counts from CRASH_FROM times the volatility on, and by CRASH_MAX at most. The large unit makes the ridge of
the fit weigh less: crashes are so rare, and so large, that they must not need as many windows as other figures."""
PLAIN_DIRECTIONS = (
    *aged("return", NEWEST_MOVES),
    *aged("price_over_close", NEWEST_BARS),
    *aged("body", NEWEST_BARS),
    *(f"return_over_{span}" for span in RETURN_SPANS),
    "over_average",
    *(f"over_middle_{span}" for span in MIDDLE_SPANS),
    "return_by_size",
    "return_by_volume",
    "return_by_height",
    "price_over_close_by_volume",
)
CRASHES = tuple(f"crash_{span}" for span in CRASH_SPANS)
DIRECTIONS = (
    *PLAIN_DIRECTIONS,
    *(f"{name}_by_restless" for name in PLAIN_DIRECTIONS),
    *(f"{name}_by_level" for name in PLAIN_DIRECTIONS),
    *CRASHES,
)
"""The crashes come last: they alone keep their sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Of each bar, [B, L]: return, price over close and height in units of volatility, clipped, and `unclipped` the
    return within a session; the body as a share of the height, the log of the volume over its mean; raw prices; traded
    value and volume; 1 where the bar exists. `volatility` [B, 1] is per bar."""

    scaled: Tensor
    unclipped: Tensor
    price_over_close: Tensor
    height: Tensor
    body: Tensor
    log_volume: Tensor
    close: Tensor
    high: Tensor
    low: Tensor
    notional: Tensor
    volume: Tensor
    here: Tensor
    volatility: Tensor

    @classmethod
    def of(cls, bars: CleanBars, returns: Returns, volumes: Volumes, candles: Candles) -> Moves:
        return cls(
            scaled=returns.scaled,
            unclipped=returns.plain * returns.within / returns.volatility,
            price_over_close=candles.price_over_close,
            height=candles.height,
            body=candles.body,
            log_volume=volumes.log_volume,
            close=bars.close,
            high=bars.high,
            low=bars.low,
            notional=bars.notional,
            volume=bars.volume,
            here=bars.here,
            volatility=returns.volatility,
        )


def directions(moves: Moves, restless: Tensor, bar_seconds: Tensor) -> Tensor:
    """[B, D]. `restless` [B] is the log of the newest volatility over the long one; `bar_seconds` [B]."""
    plain = packed(PLAIN_DIRECTIONS, _plain(moves)).clamp(-DIRECTION_MAX, DIRECTION_MAX)
    per_bar = torch.sqrt(bar_seconds.clamp(min=1.0) / LEVEL_BAR_SECONDS)
    level = torch.log(moves.volatility[:, 0] / per_bar) + LEVEL_USUAL
    crashes = packed(CRASHES, {f"crash_{span}": _crash(moves, span) for span in CRASH_SPANS})
    return torch.cat([plain, 3.0 * restless[:, None] * plain, 2.0 * level[:, None] * plain, crashes], dim=-1)


def _plain(moves: Moves) -> dict[str, Tensor]:
    """[B] each, by the names of PLAIN_DIRECTIONS."""
    newest, price = moves.scaled[:, -1], moves.price_over_close[:, -1]
    spans = {f"return_over_{span}": moves.scaled[:, -span:].sum(-1) / math.sqrt(span) for span in RETURN_SPANS}
    return {
        **by_age("return", moves.scaled[:, -NEWEST_MOVES:]),
        **by_age("price_over_close", moves.price_over_close[:, -NEWEST_BARS:]),
        **by_age("body", moves.body[:, -NEWEST_BARS:]),
        **spans,
        "over_average": _over_average(moves),
        **{f"over_middle_{span}": _over_middle(moves, span) for span in MIDDLE_SPANS},
        "return_by_size": newest * newest.abs(),
        "return_by_volume": newest * moves.log_volume[:, -1],
        "return_by_height": newest * (moves.height[:, -1] - HEIGHT_USUAL),
        "price_over_close_by_volume": price * moves.log_volume[:, -1],
    }


def _crash(moves: Moves, span: int) -> Tensor:
    """[B]: how far prices fell in the newest bars beyond what a fall must be to count."""
    fall = -moves.unclipped[:, -span:].sum(-1) / math.sqrt(span)
    return CRASH_UNIT * (fall - CRASH_FROM).clamp(0.0, CRASH_MAX)


def _over_average(moves: Moves) -> Tensor:
    """[B]: the newest close over the average price paid of late."""
    age = torch.arange(moves.close.shape[-1] - 1, -1, -1, dtype=moves.close.dtype, device=moves.close.device)
    weight = 0.5 ** (age / AVERAGE_HALF_LIFE)
    paid, traded = (weight * moves.notional).sum(-1), (weight * moves.volume).sum(-1)
    known = (paid > 0.0) & (traded > 0.0)
    average = torch.where(known, paid, 1.0) / torch.where(known, traded, 1.0)
    over = torch.log(moves.close[:, -1] / average) / moves.volatility[:, 0]
    return torch.where(known, over / math.sqrt(AVERAGE_HALF_LIFE), 0.0)


def _over_middle(moves: Moves, span: int) -> Tensor:
    """[B]: the newest close over the middle between the highest and the lowest price of the newest bars."""
    here = moves.here[:, -span:] > 0.0
    top = torch.where(here, moves.high[:, -span:], moves.close[:, -1:]).amax(-1)
    bottom = torch.where(here, moves.low[:, -span:], moves.close[:, -1:]).amin(-1)
    middle = 0.5 * (torch.log(top) + torch.log(bottom))
    return (torch.log(moves.close[:, -1]) - middle) / (moves.volatility[:, 0] * math.sqrt(span))
