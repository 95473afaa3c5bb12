"""Figures of a window as a whole: how restless and busy its newest bars are, where prices went, the session so far.

Shapes: B windows, L lookback, T recurrence.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from models.network.averages import mean, root_mean_square
from models.network.clean_bars import RETURN_CLIP, Candles, CleanBars, Returns, Volumes
from models.network.packing import aged, unpacked

NEWEST_BARS, DAYS_USUAL, SHORT_TREND = 4, 5.0, 12
SESSION_END_BARS = 24
"""What is left of a session is told in so many bars before its end."""
NEWEST = tuple(
    figure for name in ("return", "price_over_close", "body", "volume") for figure in aged(name, NEWEST_BARS)
)
WINDOW_FIGURES = (
    "restless", "busy", "trend_short", "trend_recurrence", "volatility", "days_known",
    "closes", "session_done", "session_left", *NEWEST,
)  # fmt: skip
"""`restless` and `busy` are logs of the newest volatility and volume over the long ones."""


def window_figures(
    bars: CleanBars,
    returns: Returns,
    volumes: Volumes,
    candles: Candles,
    days: Tensor,
    short_weight: Tensor,
    recurrence: int,
) -> dict[str, Tensor]:
    """[B] each. `days` [B, ...] is 1 for each earlier day whose course is known; `short_weight` [L] is how much each
    bar counts for what is newest."""
    restless = root_mean_square(returns.plain, returns.within, short_weight) / returns.volatility[:, 0]
    return {
        "restless": torch.log(restless),
        "busy": mean(volumes.log_volume, bars.here, short_weight),
        "trend_short": _trend(returns.scaled, SHORT_TREND),
        "trend_recurrence": _trend(returns.scaled, recurrence),
        "volatility": torch.log(returns.volatility[:, 0]) / 4.0 + 1.5,
        "days_known": days.sum(-1).clamp(max=DAYS_USUAL) / DAYS_USUAL,
        **_session(returns.after_gap),
        **_newest(returns.scaled, candles.price_over_close, candles.body, volumes.log_volume),
    }


def _trend(scaled: Tensor, span: int) -> Tensor:
    return (scaled[:, -span:].sum(-1) / math.sqrt(span)).clamp(-RETURN_CLIP, RETURN_CLIP)


def _newest(*parts: Tensor) -> dict[str, Tensor]:
    return unpacked(NEWEST, torch.cat([part[:, -NEWEST_BARS:] for part in parts], dim=-1))


def _session(after_gap: Tensor) -> dict[str, Tensor]:
    """Whether the market closes, how much of its session is done as a share of the one before, and what is left of it.

    A session is what lies between two gaps in the times of day, so early closes and other calendars are seen too.
    """
    index = torch.arange(after_gap.shape[-1], dtype=after_gap.dtype, device=after_gap.device)
    newest = (index * after_gap).amax(-1)
    before = (index * after_gap * (index < newest[:, None])).amax(-1)
    length, done = newest - before, index[-1] - newest + 1.0
    known = (before > 0.0).to(after_gap.dtype)
    share = (done / length.clamp(min=1.0)).clamp(max=1.5)
    left = ((length - done) / SESSION_END_BARS).clamp(0.0, 1.0)
    return {"closes": known, "session_done": known * share, "session_left": known * left}
