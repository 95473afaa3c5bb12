"""What a window says of up and down: figures that change their sign, and nothing else, where prices are turned over.

A line through them foresees nothing of a market's long-run drift, which the years one trains on would only flatter; a
buyer and a seller are advised alike. Volatility and its level multiply them: prices turn back or run on by how much the
market moves (chosen on crypto bars of 15 minutes before 2025).

Only a crash has no twin on the other side: who is made to sell at any price lets it fall too far, and it comes back in
part. After bars of 15 minutes that fell by more than 16 times the volatility, 50 of them on 16 days of 2023 and 2024,
the next 12 stood higher by a quarter of the fall; after hours, by an eighth from 9 times on. After rises, nothing.

Shapes: B windows, L lookback, D directions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

NEWEST_MOVES, NEWEST_PLACES = 4, 2
RETURN_SPANS, MIDDLE_SPANS, AVERAGE_HALF_LIFE = (4, 12, 48, 288), (32, 96), 24.0
DIRECTION_MAX = 4.0
CRASH_SPANS, CRASH_FROM, CRASH_MAX, CRASH_UNIT = (1, 4), 8.0, 24.0, 6.0
"""A fall counts from so many times the volatility up to so many more. The unit is large for its price, the ridge: what
is so rare, and so large when it comes, must not need as many windows as the rest."""
ODD_DIRECTIONS = 3 * (NEWEST_MOVES + 2 * NEWEST_PLACES + len(RETURN_SPANS) + 1 + len(MIDDLE_SPANS) + 4)
DIRECTIONS = ODD_DIRECTIONS + len(CRASH_SPANS)


@dataclass(frozen=True, slots=True)
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


def directions(moves: Moves, restless: Tensor, bar_seconds: Tensor) -> Tensor:
    """[B, D]. `restless` [B] is the log of the newest volatility over the long one; `bar_seconds` [B]."""
    newest, scaled = moves.scaled[:, -1], moves.scaled
    place = moves.price_over_close[:, -1]
    spans = [scaled[:, -span:].sum(-1) / math.sqrt(span) for span in RETURN_SPANS]
    figures = (
        *scaled[:, -NEWEST_MOVES:].unbind(-1),
        *moves.price_over_close[:, -NEWEST_PLACES:].unbind(-1),
        *moves.body[:, -NEWEST_PLACES:].unbind(-1),
        *spans,
        _over_average(moves),
        *(_over_middle(moves, span) for span in MIDDLE_SPANS),
        newest * newest.abs(),
        newest * moves.log_volume[:, -1],
        newest * (moves.height[:, -1] - 1.5),
        place * moves.log_volume[:, -1],
    )
    plain = torch.stack(figures, dim=-1).clamp(-DIRECTION_MAX, DIRECTION_MAX)
    level = torch.log(moves.volatility[:, 0] / torch.sqrt(bar_seconds.clamp(min=1.0) / 900.0)) + 6.0
    crashes = torch.stack([_crash(moves, span) for span in CRASH_SPANS], dim=-1)
    return torch.cat([plain, 3.0 * restless[:, None] * plain, 2.0 * level[:, None] * plain, crashes], dim=-1)


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
