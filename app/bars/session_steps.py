"""Steps longer than the bars of an exchange, from bars without a calendar: the twin of the service's steps.

Steps count from the open of a session, anew after a break, and the last one is cut where a break or the close comes
first (app/clock/sessions.py); a step of a day is a session. The usual hours of the sessions around (session_holes.py)
say when a session and its parts open and close. A session that opens or closes half an hour or more from the usual time
keeps its own hours; where less is missing, or the end of one session and the beginning of the next one are, there is a
hole. Holes are filled as in the service: a step without any bar is marked synthetic, and where the first bars of a step
are missing the step opens at the last close.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.bars.exchange_clock import SLOT_SECONDS
from app.bars.gaps import missing
from app.bars.series import Series, require_multiple
from app.bars.session_holes import Session, sessions_of
from app.bars.strays import EARLY_SECONDS_MIN, without_strays
from app.bars.trading_days import trading_days
from app.domain.durations import DAY_SECONDS
from app.domain.errors import InvalidInput

Seconds = NDArray[np.int64]
Indices = NDArray[np.int64]

BREAK_SECONDS_MIN = SLOT_SECONDS
STEPS_OF_A_PART_MAX = DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Hours:
    """When the parts [P] of one session open and close, in seconds of the trading day."""

    opens: Seconds
    closes: Seconds


@dataclass(frozen=True, slots=True)
class Steps:
    """Windows [W] in seconds since the epoch, each with `count` bars from index `first` on; where no bar opens in a
    window, `first` is the next one."""

    opens: Seconds
    closes: Seconds
    first: Indices
    count: Indices

    def pick(self, chosen: NDArray[np.bool_] | slice) -> Steps:
        return Steps(self.opens[chosen], self.closes[chosen], self.first[chosen], self.count[chosen])


def session_steps(series: Series, step_seconds: int) -> list[Series]:
    """The stretches of an exchange's series whose steps can be taken as consecutive. A step that a stretch does not
    hold whole at its beginning or its end is left out. Raises InvalidInput("bad_step_seconds")."""
    require_multiple(step_seconds, series.bar_seconds)
    if step_seconds > DAY_SECONDS:
        raise InvalidInput(
            "bad_step_seconds", f"step_seconds is {step_seconds}; at most {DAY_SECONDS}, a session, on an exchange"
        )
    series = without_strays(series)
    cuts = (np.flatnonzero(missing(series).new_history) + 1).tolist()
    edges = [0, *cuts, len(series)]
    every = _all_steps(series, step_seconds, edges)
    found = [_stretch(series, step_seconds, every, first, end) for first, end in pairwise(edges)]
    return [part for part in found if len(part)]


def _all_steps(series: Series, step_seconds: int, edges: Sequence[int]) -> Steps:
    sessions = list(sessions_of(trading_days(series)))
    begins = np.array([session.first for session in sessions])
    cut = set((np.searchsorted(begins, edges[:-1], side="right") - 1).tolist())
    cut_at_end = set((np.searchsorted(begins, np.array(edges[1:]) - 1, side="right") - 1).tolist())
    parts = []
    for index, session in enumerate(sessions):
        begin_lost = index in cut or sessions[index - 1].hole_before(session)
        end_lost = index in cut_at_end or session.hole_before(sessions[index + 1])
        hours = _hours(session, series.bar_seconds, begin_lost=begin_lost, end_lost=end_lost)
        if step_seconds == DAY_SECONDS:
            hours = Hours(hours.opens[:1], hours.closes[-1:])
        midnight = int(series.open_time[session.first] - session.own[0])
        parts.append(_steps(session, hours, step_seconds, series.bar_seconds, midnight))
    return Steps(*(np.concatenate([getattr(part, name) for part in parts]) for name in Steps.__slots__))


def _hours(session: Session, bar_seconds: int, *, begin_lost: bool, end_lost: bool) -> Hours:
    """The usual hours, as far as the session keeps to them; `begin_lost` and `end_lost` say that what is missing there
    is lost, however long it is."""
    opens, closes = _usual_parts(session, bar_seconds)
    begin, end = int(session.own[0]), int(session.own[-1]) + bar_seconds
    if not end_lost and closes[-1] - end >= EARLY_SECONDS_MIN:
        kept = int(np.searchsorted(opens, end - 1, side="right"))
        opens, closes = opens[: max(kept, 1)], closes[: max(kept, 1)].copy()
        if closes[-1] - end >= EARLY_SECONDS_MIN:
            closes[-1] = end
    if not begin_lost and begin - opens[0] >= EARLY_SECONDS_MIN:
        dropped = int(np.searchsorted(opens, begin, side="right")) - 1
        opens, closes = opens[dropped:].copy(), closes[dropped:]
        if begin - opens[0] >= EARLY_SECONDS_MIN:
            opens[0] = begin
    closes = closes.copy()
    closes[-1] = max(int(closes[-1]), end)
    return Hours(opens, closes)


def _usual_parts(session: Session, bar_seconds: int) -> tuple[Seconds, Seconds]:
    """A new part begins where the usual bars pause for half an hour, or leave the grid of those before."""
    usual = _usual_bars(session, bar_seconds)
    if not len(usual):
        usual = np.array([session.own[0] // SLOT_SECONDS * SLOT_SECONDS, session.own[-1]])
    steps = np.diff(usual)
    begins = np.flatnonzero((steps >= bar_seconds + BREAK_SECONDS_MIN) | (steps % bar_seconds != 0)) + 1
    return usual[np.r_[0, begins]], usual[np.r_[begins - 1, len(usual) - 1]] + bar_seconds


def _usual_bars(session: Session, bar_seconds: int) -> Seconds:
    """The bars of the sessions around, but for hours that its weekday has not. A few sessions of one weekday may lack
    the same bar by chance, and hours of its own differ by half an hour at least."""
    absent = session.around[~np.isin(session.around, session.usual, assume_unique=True)]
    begins = np.flatnonzero(np.diff(absent, prepend=-DAY_SECONDS) != bar_seconds)
    bars = np.diff(begins, append=len(absent))
    own_hours = absent[np.repeat(bars * bar_seconds >= EARLY_SECONDS_MIN, bars)]
    return session.around[~np.isin(session.around, own_hours, assume_unique=True)]


def _steps(session: Session, hours: Hours, step_seconds: int, bar_seconds: int, midnight: int) -> Steps:
    """The windows of one session. Bars beside its hours make windows of their own, as long as those bars."""
    part = np.maximum(np.searchsorted(hours.opens, session.own, side="right") - 1, 0)
    step_of_bar = part * STEPS_OF_A_PART_MAX + (session.own - hours.opens[part]) // step_seconds
    counts = -(-(hours.closes - hours.opens) // step_seconds)
    inside = np.concatenate([index * STEPS_OF_A_PART_MAX + np.arange(count) for index, count in enumerate(counts)])
    steps = np.union1d(step_of_bar, inside)
    first = np.searchsorted(step_of_bar, steps)
    count = np.searchsorted(step_of_bar, steps, side="right") - first
    own_part = np.clip(steps // STEPS_OF_A_PART_MAX, 0, None)
    opens = hours.opens[own_part] + (steps - own_part * STEPS_OF_A_PART_MAX) * step_seconds
    closes = np.minimum(opens + step_seconds, hours.closes[own_part])
    last = session.own[np.maximum(first + count - 1, 0)] + bar_seconds
    beside = ~np.isin(steps, inside)
    opens = np.where(beside, session.own[np.minimum(first, len(session.own) - 1)], opens)
    closes = np.where(beside, last, np.where(count > 0, np.maximum(closes, last), closes))
    return Steps(opens + midnight, closes + midnight, first + session.first, count)


def _stretch(series: Series, step_seconds: int, every: Steps, first: int, end: int) -> Series:
    """The steps whose bars lie from index `first` to before `end`, and those without bars between them."""
    inside = (every.first >= first) & (every.first + every.count <= end)
    steps = every.pick(inside & ((every.count > 0) | ((every.first > first) & (every.first < end))))
    if len(steps.first) and series.open_time[steps.first[0]] > steps.opens[0]:
        steps = steps.pick(slice(1, None))
    if len(steps.first) and steps.count[-1]:
        newest = steps.first[-1] + steps.count[-1] - 1
        if series.open_time[newest] + series.bar_seconds < steps.closes[-1]:
            steps = steps.pick(slice(None, -1))
    return _aggregated(series, step_seconds, steps)


def _aggregated(series: Series, step_seconds: int, steps: Steps) -> Series:
    """One bar for each step; bars before the first one have another step, or none."""
    seen = steps.count > 0
    if not seen.any():
        return replace(series.part(0, 0), bar_seconds=step_seconds)
    first, last = steps.first[seen], steps.first[seen] + steps.count[seen] - 1
    bars, begins = series.part(int(first[0]), int(last[-1]) + 1), first - first[0]
    before = series.close[np.maximum(steps.first - 1, 0)]  # what a step without a bar shows
    late = series.open_time[first] > steps.opens[seen]
    nothing = np.zeros(len(seen))

    def of_bars(unseen: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
        whole = unseen.copy()
        whole[seen] = values
        return whole

    high, low = np.maximum.reduceat(bars.high, begins), np.minimum.reduceat(bars.low, begins)
    last_close = before[seen]
    return replace(
        series,
        bar_seconds=step_seconds,
        open_time=steps.opens,
        open=of_bars(before, np.where(late, last_close, series.open[first])),
        high=of_bars(before, np.where(late, np.maximum(high, last_close), high)),
        low=of_bars(before, np.where(late, np.minimum(low, last_close), low)),
        close=of_bars(before, series.close[last]),
        volume=of_bars(nothing, np.add.reduceat(bars.volume, begins)),
        notional=of_bars(nothing, np.add.reduceat(bars.price * bars.volume, begins)),
        trades=of_bars(nothing, np.add.reduceat(bars.trades, begins)),
        synthetic=of_bars(~seen, np.logical_and.reduceat(bars.synthetic, begins)),
        lengths=steps.closes - steps.opens,
    )
