"""A market's mirror image: the price 1 / p instead of p. What rose falls, and a buyer there is a seller here.

A network that learns on bars and on their mirror images cannot learn a market's drift, and what it earns on both is
not the luck of a rising half year.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.bars.series import Series


def mirrored(series: Series) -> Series:
    """The series turned over. Volumes and times stay as they are, and so does the first close."""
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
