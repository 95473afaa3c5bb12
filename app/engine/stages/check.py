"""Stage "check": from what a feed sends to bars that may be appended, checked as a whole before anything is recorded.

Missing windows become marked synthetic bars. A gap that is too long (app/bars/gaps.py) is not filled: the history
starts anew after it, and only as many synthetic bars are made as the orders under way need to reach their end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from app.bars.gaps import GAP_WINDOWS_MAX
from app.domain.bar import Bar, fill_gap
from app.domain.errors import Conflict, InvalidInput
from app.domain.instrument import Instrument
from app.domain.numbers import require_aware
from app.domain.state import OrderState
from app.engine.instruments.live import LiveInstrument
from app.engine.ports import Clock
from app.engine.results import FeedBar

SYNTHETIC_BARS_MAX = 20_000
OPEN_TIME_MIN = datetime(1970, 1, 2, tzinfo=UTC)
CLOCK_SKEW = timedelta(seconds=5)
"""How far a feed's clock may run ahead of ours: a bar that closes later than that has not closed."""


@dataclass(slots=True)
class NewBars:
    """What a request changes for one instrument: `bars` to append, in order, `synthetic` of them made here."""

    bars: list[Bar] = field(default_factory=list)
    duplicates: int = 0
    synthetic: int = 0


def closed_bars(sent: Sequence[FeedBar], live: LiveInstrument, clock: Clock) -> list[Bar]:
    """The bars on their instrument's windows. Raises InvalidInput("misaligned_bar" | "bar_too_old" | "bar_not_closed"),
    and what `Bar` raises."""
    bars = [_to_bar(each, live) for each in sent]
    for bar in bars:
        if bar.close_time > clock.now(bar.close_time) + CLOCK_SKEW:
            raise InvalidInput(
                "bar_not_closed", f"the bar closes at {bar.close_time.isoformat()}, which is yet to come"
            )
    return bars


def new_bars(live: LiveInstrument, bars: Sequence[Bar], recorded: Iterable[Bar], windows_wanted: int) -> NewBars:
    """Sort new bars from repeats, and fill gaps; `recorded` holds the recorded bars that `bars` may repeat.

    `windows_wanted` bounds what is made in a gap that is too long to be filled.
    Raises Conflict("bar_conflict") for a second, different bar of a window, Conflict("bar_out_of_order") for a bar
    from before the newest one that is not among the recorded.
    """
    made, last = NewBars(), live.newest
    known = {bar.open_time: bar for bar in recorded}
    for bar in bars:
        if last is not None and bar.open_time <= last.open_time:
            _require_same(bar, known.get(bar.open_time), live.instrument)
            made.duplicates += 1
            continue
        if last is not None:
            _require_later(bar, last, live.instrument)
            _fill(made, live, last, bar, windows_wanted)
        made.bars.append(bar)
        known[bar.open_time] = last = bar
    return made


def has_long_gap(live: LiveInstrument, bars: Sequence[Bar]) -> bool:
    """Whether a gap might be too long to be filled: a cheap upper bound that counts nights as windows."""
    opens = [bar.open_time for bar in ([live.newest] if live.newest else []) + list(bars)]
    longest = timedelta(seconds=GAP_WINDOWS_MAX * live.instrument.bar_seconds)
    return any(later - earlier > longest for earlier, later in pairwise(opens))


def windows_wanted(live: LiveInstrument, orders: Sequence[OrderState]) -> int:
    """How many windows of the feed, from the newest bar on, it takes at most to bring every order to its end."""
    bar_seconds, wanted = live.instrument.bar_seconds, 0
    for state in orders:
        until_next = max(timedelta(), state.next_open - live.last.close_time) // timedelta(seconds=bar_seconds)
        steps_left = state.order.horizon.max_steps - state.step + 2
        wanted = max(wanted, until_next + steps_left * live.step_seconds_of(state.order) // bar_seconds)
    return min(wanted, SYNTHETIC_BARS_MAX)


def _to_bar(sent: FeedBar, live: LiveInstrument) -> Bar:
    seconds = live.instrument.bar_seconds
    require_aware("open_time", sent.open_time)
    open_time = sent.open_time.astimezone(UTC)
    if open_time < OPEN_TIME_MIN:
        raise InvalidInput("bar_too_old", f"the bar opens at {open_time.isoformat()}, before 1970-01-02")
    if not live.calendar.aligned(open_time, seconds):
        raise InvalidInput(
            "misaligned_bar",
            f"{open_time.isoformat()} opens no window of {seconds} s of {sent.instrument} ({live.instrument.calendar})",
        )
    return Bar(
        open_time=open_time,
        close_time=live.close_of(open_time, seconds),
        **{name: getattr(sent, name) for name in ("open", "high", "low", "close", "volume", "notional", "trades")},
    )


def _require_same(bar: Bar, recorded: Bar | None, instrument: Instrument) -> None:
    if recorded is None:
        raise Conflict(
            "bar_out_of_order", f"the bar of {instrument.symbol} at {bar.open_time.isoformat()} comes after newer ones"
        )
    if recorded != bar:
        filled = ", as a gap that was filled" if recorded.synthetic else ""
        raise Conflict(
            "bar_conflict",
            f"the bar of {instrument.symbol} at {bar.open_time.isoformat()} is recorded with other values{filled}",
        )


def _require_later(bar: Bar, last: Bar, instrument: Instrument) -> None:
    """A second bar of a daily feed's session may carry another stamp."""
    if bar.open_time < last.close_time:
        raise Conflict(
            "bar_out_of_order",
            f"the bar of {instrument.symbol} at {bar.open_time.isoformat()} opens before the one before it closes",
        )


def _fill(made: NewBars, live: LiveInstrument, last: Bar, bar: Bar, windows_wanted: int) -> None:
    if last.close_time == bar.open_time:
        return
    seconds = live.instrument.bar_seconds
    opens = live.calendar.missing(last.open_time, bar.open_time, seconds, GAP_WINDOWS_MAX + 1)
    if len(opens) > GAP_WINDOWS_MAX:
        opens = live.calendar.missing(last.open_time, bar.open_time, seconds, windows_wanted) if windows_wanted else []
    for open_time in opens:
        made.bars.append(fill_gap(last, open_time, live.close_of(open_time, seconds)))
    made.synthetic += len(opens)
