"""An order decided again on recorded bars, by the engine's own stages, without a store: for replays and for shadows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.decision.chain import PolicyChain
from app.domain.bar import Bar
from app.domain.instrument import Instrument
from app.domain.slice import Basis, Slice
from app.domain.state import OrderState
from app.engine.instruments.live import LiveInstrument
from app.engine.models.choice import Models
from app.engine.ports import Calendar, Clock
from app.engine.stages.batch import InstrumentOrders, WantedSlices
from app.engine.stages.decide import DecidedSlice, Decider
from app.engine.stages.take import take_slices
from app.engine.stages.windows import close_windows, wanted_slices


class Uncounted:
    """What is decided again is no decision of the service's."""

    def decided(self, basis: Basis, count: int, seconds: float) -> None: ...

    def slice_late(self, count: int) -> None: ...


class NewestClose:
    """The time is the close of the newest bar, as in a replay."""

    def now(self, newest_close: datetime) -> datetime:
        return newest_close


def decider_of(chain: PolicyChain, clock: Clock) -> Decider:
    """Asks that chain alone, and counts nothing. Close it in the end."""
    return Decider(Models(chain), clock, Uncounted())


async def offline(
    instrument: Instrument, calendar: Calendar, lookback: int, step_seconds: int, bars: Sequence[Bar]
) -> LiveInstrument:
    """The instrument as of the newest of `bars`, oldest first, as a service sees it that has taken them all."""
    live = LiveInstrument(instrument, calendar, lookback)
    history = live.new_history(step_seconds)
    await live.fill(history, bars)
    live.newest = bars[-1]
    live.add_history(history)
    return live


class Rerun:
    """One order on an instrument of its own, moved step by step."""

    def __init__(self, live: LiveInstrument, state: OrderState) -> None:
        self.live = live
        self.state = state

    def push(self, bar: Bar) -> None:
        """Take the next bar, and close the windows that it ends."""
        self.live.push(bar)
        self.close()

    def close(self, late_since: datetime | None = None) -> None:
        [part] = close_windows([self._part(late_since)])
        [self.state] = part.orders

    def wanted(self, late_since: datetime | None = None, without_model: str | None = None) -> list[WantedSlices]:
        """The slice that the order needs now, if any; `without_model` says why its model is not to be asked."""
        found = wanted_slices([self._part(late_since)])
        return [replace(group, late_reason=without_model or group.late_reason) for group in found]

    def take(self, decided: Sequence[DecidedSlice]) -> Slice | None:
        """The order goes on with what was decided. Returns its new slice, if any."""
        known = self.state.step
        [self.state] = take_slices([self._part(None)], decided)
        return self.state.current if self.state.step > known else None

    def _part(self, late_since: datetime | None) -> InstrumentOrders:
        return InstrumentOrders(live=self.live, orders=(self.state,), late_since=late_since)
