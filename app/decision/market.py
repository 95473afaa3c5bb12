"""What a policy sees of the market: raw windows of closed bars, and what it made of them.

Shapes: G instruments-and-bars, L bars of lookback, C columns, H context width, N steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.bar import Bar

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

COLUMNS = (
    "open", "high", "low", "close", "volume", "notional", "trades", "second_of_day", "day_of_week", "bar_seconds",
)  # fmt: skip
"""The raw window's columns. `notional` is the bar's price times its volume; `trades` is 0 where the feed has none;
`second_of_day` and `day_of_week` (Monday 0) are of the bar's open, UTC. A row of zeros is a bar that does not exist, or
one that nobody has seen: a synthetic bar must not count as a market without volume."""


UNSEEN_ROW = (0.0,) * len(COLUMNS)


@dataclass(frozen=True, slots=True)
class Market:
    """A policy's reading of G windows: `context` [G, H] means something to that policy alone, `volume_forecast` [G, N]
    is the mean volume (base units) that it expects in each of the next N steps."""

    context: Floats
    volume_forecast: Floats

    def at(self, index: int) -> Market:
        """The reading of one window."""
        one = slice(index, index + 1)
        return Market(context=self.context[one], volume_forecast=self.volume_forecast[one])

    @classmethod
    def joined(cls, markets: Sequence[Market]) -> Market:
        """The windows of all of them, in their order."""
        return cls(
            context=np.concatenate([each.context for each in markets]),
            volume_forecast=np.concatenate([each.volume_forecast for each in markets]),
        )

    def forecast_from(self, market: Integers, first: Integers) -> Floats:
        """[B, N] for B orders on the windows `market` [B]: the forecast as seen `first` [B] steps further on, where
        each begins with another step. The last step that is foreseen stands for those beyond it."""
        if not np.count_nonzero(first):
            return self.volume_forecast[market]
        steps = self.volume_forecast.shape[1]
        ahead = np.minimum(first[:, None] + np.arange(steps), steps - 1)
        shifted: Floats = self.volume_forecast[market[:, None], ahead]
        return shifted

    def expected_volume(self, market: Integers, first: Integers, steps: Integers) -> NDArray[np.float64]:
        """[B] for B orders: the volume expected over `steps` [B] steps, of which the first is as in `forecast_from`."""
        foreseen = self.volume_forecast.shape[1]
        index = np.arange(min(int(steps.max(initial=0)), foreseen))
        if first.any():
            ahead = self.volume_forecast[market[:, None], np.minimum(first[:, None] + index, foreseen - 1)]
        else:
            ahead = self.volume_forecast[:, : len(index)][market]
        within = np.where(index < steps[:, None], ahead.astype(np.float64), 0.0).sum(axis=1)
        expected: NDArray[np.float64] = within + np.maximum(steps - foreseen, 0) * self.volume_forecast[market, -1]
        return expected


def seen_bars(windows: Floats) -> Integers:
    """[G]: how many rows of each raw window [G, L, C] are bars that somebody has seen."""
    seen: Integers = np.count_nonzero(windows[:, :, COLUMNS.index("close")], axis=1)
    return seen


def bar_row(bar: Bar) -> tuple[float, ...]:
    """One row of the raw window, in the order of `COLUMNS`."""
    if bar.synthetic:
        return UNSEEN_ROW
    opened = bar.open_time
    return (
        float(bar.open),
        float(bar.high),
        float(bar.low),
        float(bar.close),
        float(bar.volume),
        float(bar.price * bar.volume),
        float(bar.trades or 0),
        opened.hour * 3600.0 + opened.minute * 60.0 + opened.second,
        float(opened.weekday()),
        (bar.close_time - opened).total_seconds(),
    )
