"""A market's mirror image: the price 1 / p instead of p. What rose falls, and a buyer there is a seller here.

What a network learns on bars and on their mirror images cannot be a market's drift, and what it earns on both is not
the luck of a rising half year.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.bars.series import Series


def mirrored(series: Series) -> Series:
    """Volumes and times stay; the first close stays where it is."""
    if not len(series):
        return series
    square = series.close[0] ** 2
    has = np.isfinite(series.notional) & (series.notional > 0.0)
    notional = np.divide(series.volume**2 * square, series.notional, out=series.notional.copy(), where=has)
    return replace(
        series,
        open=square / series.open,
        high=square / series.low,
        low=square / series.high,
        close=square / series.close,
        notional=notional,
    )
