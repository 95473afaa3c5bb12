"""Stage "check": from what a feed sends to bars that may be appended, checked as a whole before anything is recorded.

Missing windows become marked synthetic bars: see filling.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from app.domain.bar import Bar, require_countable
from app.domain.errors import Conflict, InvalidInput, LemError, TooEarly
from app.domain.numbers import require_aware
from app.domain.plausibility import CLOCK_SKEW, moves_implausibly
from app.engine.bar_request import BarRequest, SentBar
from app.engine.instruments.live import LiveInstrument
from app.engine.ports import Clock
from app.engine.results import FeedBar
from app.engine.stages.filling import filling
from app.engine.tasks import Breather

OPEN_TIME_MIN = datetime(1970, 1, 2, tzinfo=UTC)
SOON = timedelta(minutes=15)
"""A bar that closes within that time, or within its own length, may be sent again when it has closed."""


@dataclass(slots=True)
class NewBars:
    """What a request changes for one instrument: `bars` to append, in order, `synthetic` of them made here; `revised`
    are recorded with other values. `older` are not newer than the newest bar and their windows have no bar;
    `filled_before` are those whose windows have a synthetic one. `implausible` counts new ones that move too far."""

    bars: list[Bar] = field(default_factory=list)
    duplicates: int = 0
    synthetic: int = 0
    revised: list[Bar] = field(default_factory=list)
    older: list[SentBar] = field(default_factory=list)
    filled_before: list[SentBar] = field(default_factory=list)
    implausible: int = 0

    @property
    def real(self) -> int:
        return len(self.bars) - self.synthetic


async def closed_bars(
    sent: Sequence[tuple[int, FeedBar]], live: LiveInstrument, clock: Clock, request: BarRequest
) -> list[SentBar]:
    """The bars on their instrument's windows, oldest first, each with its index in the request.

    Refuses InvalidInput("misaligned_bar" | "bar_too_old" | "bar_too_far_ahead"), TooEarly("bar_not_closed"), and
    what `Bar` raises.
    """
    found, breather = [], Breather()
    for index, each in sent:
        await breather.after()
        try:
            bar = _to_bar(each, live)
            _require_closed(bar, live, clock)
        except LemError as error:
            request.refuse(index, error)
        else:
            found.append(SentBar(index, bar))
    return sorted(found, key=lambda each: each.bar.open_time)


async def new_bars(
    live: LiveInstrument,
    sent: Sequence[SentBar],
    recorded: Iterable[Bar],
    windows_wanted: int,
    gap_max: timedelta,
    request: BarRequest,
) -> NewBars:
    """Sort new bars from repeats, revisions and older ones, and fill gaps; `recorded` holds the recorded bars that
    `sent` may repeat.

    `windows_wanted` bounds what is made in a gap that is too long to be filled. Refuses
    InvalidInput("bar_too_far_ahead") for a bar that opens more than `gap_max` after the one before it has closed, and
    Conflict("bar_out_of_order") for one that opens before that.
    Raises InvalidInput("too_many_gaps").
    """
    made, last, breather = NewBars(), live.newest, Breather()
    known = {bar.open_time: bar for bar in recorded}
    for each in sent:
        await breather.after()
        bar = each.bar
        if last is not None and bar.open_time <= last.open_time:
            _sort_known(made, each, known.get(bar.open_time))
            continue
        if last is not None and bar.open_time - last.close_time > gap_max:
            request.refuse(each.index, _too_far(bar, last, gap_max))
            continue
        if last is not None:
            if bar.open_time < last.close_time:
                request.refuse(each.index, overlapping(bar))
                continue
            synthetic = filling(live, last, bar, windows_wanted)
            request.count_synthetic(each.index, len(synthetic))
            made.bars += synthetic
            made.synthetic += len(synthetic)
            await breather.after(len(synthetic))
            made.implausible += moves_implausibly(bar, last.close)
        made.bars.append(bar)
        known[bar.open_time] = last = bar
    return made


def overlapping(bar: Bar) -> Conflict:
    """A second bar of a daily feed's session may carry another stamp."""
    return Conflict("bar_out_of_order", f"the bar at {bar.open_time.isoformat()} opens before the one before it closes")


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
    bar = Bar(
        open_time=open_time,
        close_time=live.close_of(open_time, seconds),
        **{name: getattr(sent, name) for name in ("open", "high", "low", "close", "volume", "notional", "trades")},
    )
    require_countable(bar)
    return bar


def _require_closed(bar: Bar, live: LiveInstrument, clock: Clock) -> None:
    complete_at = live.calendar.complete_at(bar.open_time, live.instrument.bar_seconds)
    ahead = complete_at - clock.now(complete_at)
    if ahead <= CLOCK_SKEW:
        return
    detail = f"the bar is complete at {complete_at.isoformat()}, which is yet to come"
    if ahead > max(SOON, timedelta(seconds=live.instrument.bar_seconds)):
        raise InvalidInput("bar_too_far_ahead", detail)
    raise TooEarly("bar_not_closed", f"{detail}; send it again then", math.ceil((ahead - CLOCK_SKEW).total_seconds()))


def _too_far(bar: Bar, last: Bar, gap_max: timedelta) -> LemError:
    return InvalidInput(
        "bar_too_far_ahead",
        f"the bar opens at {bar.open_time.isoformat()}, more than {gap_max.days} days after the one before it, which "
        f"closed at {last.close_time.isoformat()}; LEM_GAP_DAYS_MAX allows a longer gap",
    )


def _sort_known(made: NewBars, sent: SentBar, recorded: Bar | None) -> None:
    """Note what a bar is that is not newer than the newest one: older, a duplicate, or a revision."""
    if recorded is None:
        made.older.append(sent)
    elif recorded == sent.bar:
        made.duplicates += 1
    elif recorded.synthetic:
        made.filled_before.append(sent)
    else:
        made.revised.append(sent.bar)
