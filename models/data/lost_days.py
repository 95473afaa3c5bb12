"""Trading days without a bar: holidays, or days that the source lost, as the bars alone do not tell. And days with two
daily bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.bars.gaps import Missing
from app.bars.series import Series
from app.bars.trading_days import trading_days, weekday
from app.domain.durations import DAY_SECONDS
from models.data.wording import date

LISTED_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LostDays:
    """Trading days in a row, in days since the epoch, none of which has a bar; the next bar opens at `before`, in
    seconds since the epoch."""

    days: tuple[int, ...]
    before: int


def lost_days(series: Series, missing: Missing) -> list[LostDays]:
    """Every run of missing trading days of a series in sessions, but those that are gaps for their length."""
    if series.bar_seconds > DAY_SECONDS:
        return []
    days = trading_days(series)
    found = []
    for index in np.flatnonzero((days.missing_between() > 0) & ~missing.new_history):
        between = np.arange(days.date[index] + 1, days.date[index + 1])
        lost = between[days.usual[weekday(between)]]
        found.append(LostDays(days=tuple(lost.tolist()), before=int(series.open_time[index + 1])))
    return found


def lost_days_text(runs: Sequence[LostDays]) -> str:
    """How many days, and the dates of the longest runs in order of time."""
    longest = sorted(sorted(runs, key=lambda run: -len(run.days))[:LISTED_MAX], key=lambda run: run.days)
    dates = ", ".join(date(run.days[0]) + (f" to {date(run.days[-1])}" if len(run.days) > 1 else "") for run in longest)
    count = sum(len(run.days) for run in runs)
    rest = f" and {len(runs) - len(longest)} more no longer than these" if len(runs) > len(longest) else ""
    which = f"{count} trading {'day has' if count == 1 else 'days have'} no bars ({dates}{rest})"
    return f"{which}: holidays, or days that the source lost; compare them with the exchange's calendar"


def second_of_its_day(series: Series) -> NDArray[np.bool_]:
    """[T]: the daily bars that have the trading day of the bar before, as a last row with the time of its last trade
    has. No bar is one of a series of other bars."""
    twice = np.zeros(len(series), dtype=np.bool_)
    if series.bar_seconds == DAY_SECONDS:
        twice[1:] = np.diff(trading_days(series).date) == 0
    return twice
