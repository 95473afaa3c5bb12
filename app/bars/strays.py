"""Prints after an early close: they are in bar files, and none of the session that a calendar knows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from app.bars.exchange_clock import SLOT_SECONDS
from app.bars.series import Series
from app.bars.session_holes import Session, sessions_of
from app.bars.trading_days import USUAL_SHARE, trading_days

EARLY_SECONDS_MIN = SLOT_SECONDS
"""Exchanges that close early, or open late, do so by half an hour at least."""
QUIET_SHARE = 0.02
"""Prints after the close trade less, on average, than this share of the session's median bar."""


def without_strays(series: Series) -> Series:
    """The bars of an exchange's series but for those after an early close: less than half of the usual bars is there,
    for half an hour or longer, and hardly anything is traded in them."""
    kept = np.ones(len(series), dtype=np.bool_)
    for session in sessions_of(trading_days(series)):
        volume = series.volume[session.first : session.first + len(session.own)]
        for begin in _rare_from(session, series.bar_seconds):
            stray = session.own >= begin
            if stray.any() and volume[stray].mean() < QUIET_SHARE * np.median(volume[~stray]):
                kept[session.first : session.first + len(stray)] = ~stray
                break
    return series if kept.all() else series.pick(np.flatnonzero(kept))


def _rare_from(session: Session, bar_seconds: int) -> Iterator[int]:
    """The times from which on less than half of the usual bars is there: whole numbers of half hours after the open,
    and those of missing bars."""
    usual = session.usual
    there = np.isin(usual, session.own, assume_unique=True)
    share = np.cumsum(there[::-1])[::-1] / np.arange(len(usual), 0, -1)
    begins = usual[(share < USUAL_SHARE) & (~there | ((usual - usual[:1]) % SLOT_SECONDS == 0))]
    for begin in begins.tolist():
        if session.own[0] < begin <= usual[-1] + bar_seconds - EARLY_SECONDS_MIN:
            yield begin
