"""What the engine needs from outside, as protocols. `app/store`, `app/clock` and `app/metrics.py` implement them,
`app/main.py` wires them.

Every method of `Store` raises `Unavailable("store_unavailable")` when the store cannot be reached; whether a write was
recorded is then unknown, and the same call may be made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.bar import Bar
from app.domain.fills import Fill, FillWarning
from app.domain.instrument import Instrument
from app.domain.lifecycle import Status
from app.domain.order import AskedOrder, Order
from app.domain.slice import Basis, Slice
from app.domain.state import OrderState
from app.engine.changes import Change
from app.engine.results import Page

STORE_AWAY = "store_unavailable"
"""The code of what every method of `Store` raises while the store cannot be reached."""


class Clock(Protocol):
    """What time it is for an instrument whose newest bar closed at `newest_close`."""

    def now(self, newest_close: datetime) -> datetime: ...


class Calendar(Protocol):
    """The trading windows of one calendar. A `continuous` one (24/7) has windows of any length, aligned to multiples of
    it since the epoch. Elsewhere windows count from the open of a session, anew after each break, and are cut where a
    break or the close comes first.

    `like` is when any bar of a feed of daily bars opens: windows of a day then are that feed's next bars, stamped as
    that one is. It is None where the feed's bars are shorter: windows of a day then are whole sessions.
    """

    continuous: bool

    def first_open(self, at: datetime, window_seconds: int, like: datetime | None) -> datetime:
        """The first window that opens at or after `at`. Some way beyond the sessions that the calendar knows it repeats
        the last of them, so that orders under way find their windows.
        Raises InvalidInput("outside_calendar") further out."""
        ...

    def close_of(self, open_time: datetime, window_seconds: int, like: datetime | None = None) -> datetime:
        """When the window that opens at `open_time` closes: never after its session does, nor in a break."""
        ...

    def complete_at(self, open_time: datetime, window_seconds: int) -> datetime:
        """When the feed's bar that opens then holds all of its trades: a bar of a day with the close of its session,
        any other one when its window closes."""
        ...

    def aligned(self, open_time: datetime, window_seconds: int) -> bool:
        """Whether a window of the feed opens then. Raises as `require_known`."""
        ...

    def missing(self, after: datetime, until: datetime, window_seconds: int, limit: int) -> list[datetime]:
        """The feed's windows that open after the one at `after` and before the one at `until`; the first `limit` of
        them."""
        ...

    def bars_in(self, window_seconds: int, bar_seconds: int) -> int:
        """The most bars of the feed that a window holds."""
        ...

    def session(self, at: datetime) -> tuple[datetime, datetime] | None:
        """When the session opens and closes in which `at` lies, its breaks included; None where none does, and always
        on 24/7, which has no sessions."""
        ...

    def require_known(self, at: datetime) -> None:
        """Raises InvalidInput("outside_calendar") beyond the sessions that the calendar knows."""
        ...


class Calendars(Protocol):
    def __call__(self, code: str) -> Calendar:
        """May take seconds, so call it in a thread. Raises InvalidInput("unknown_calendar")."""
        ...


class Metrics(Protocol):
    """What this process did. Orders, fallbacks and bars are told once recorded; `decided` and `slice_late` tell of
    work, which a lost race repeats."""

    def bar_ingested(self, instrument: str, count: int) -> None: ...

    def gap_filled(self, instrument: str, count: int) -> None: ...

    def bar_revised(self, instrument: str, count: int) -> None:
        """Bars that came again with other values."""
        ...

    def bar_came(self, instrument: str, late_seconds: float) -> None:
        """A live bar came so long after its close."""
        ...

    def bar_late(self, instrument: str) -> None:
        """A live bar came later than the grace."""
        ...

    def bar_counted(self, instrument: str, kind: str, count: int) -> None:
        """So many bars are of that kind, one of `feed_quality.BarCount`."""
        ...

    def bar_refused(self, instrument: str, code: str) -> None:
        """A bar of a known instrument was refused with that code."""
        ...

    def orders_set_aside(self, count: int) -> None:
        """So many orders cannot be moved now; the others go on without them."""
        ...

    def decided(self, basis: Basis, count: int, seconds: float) -> None:
        """`count` slices of one batch, `seconds` from reading the market to the projected slices."""
        ...

    def committed(self, count: int, seconds: float) -> None: ...

    def fell_back(self, reason: str, count: int) -> None: ...

    def order_changed(self, status: Status) -> None:
        """An order was created in, or moved to, `status`."""
        ...

    def fill_flagged(self, warning: FillWarning) -> None:
        """A fill was booked with that warning."""
        ...

    def slice_late(self, count: int) -> None:
        """Slices given by the watchdog because their bar was late."""
        ...

    def owner_changed(self, *, taken_over: bool) -> None:
        """A lease came to this process or left it; `taken_over` from a process that is dead."""
        ...

    def shadowed(self, *, compared: bool) -> None:
        """An order that has ended was compared with what the shadow would have done, or left out."""
        ...

    def notices_missed(self) -> None:
        """Notices of other processes may have been missed."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """Who took a client_order_id first: the instrument of the order, and the digest of its terms. Once the order is
    `refused`, the claim gives way to another order, unless an order came of it all the same."""

    instrument: str
    digest: str
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What came of a replace: the new order as it is `recorded`, and whether it is new; or, where the old order was
    `moved` meanwhile, that one as it is recorded, and nothing done."""

    recorded: OrderState | None = None
    is_new: bool = False
    moved: OrderState | None = None


class Store(Protocol):
    """What cannot be understood in the store is left there: lists leave it out, and a question for it alone raises
    Unavailable("order_unreadable" | "instrument_unreadable")."""

    @property
    def bars_kept(self) -> int:
        """The most bars of an instrument that stay recorded; the oldest make way."""
        ...

    async def weaknesses(self) -> Sequence[str]:
        """Codes of what may lose acknowledged changes. Raises Unavailable where the store cannot write now."""
        ...

    async def put_instrument(self, instrument: Instrument) -> bool:
        """True when created. Raises Conflict("instrument_in_use") where live orders stand on other terms. Where the
        length of bars or the calendar changes, the old bars are dropped: they mean something else."""
        ...

    async def delete_instrument(self, symbol: str) -> bool:
        """At once, with its bars; the records of orders that have ended stay. False where there is none. Raises
        Conflict("instrument_in_use") where orders stand on it: live ones, or such as are still in flight."""
        ...

    async def instrument(self, symbol: str) -> Instrument | None: ...

    async def instruments(self) -> list[Instrument]: ...

    async def append_bars(
        self, symbol: str, bars: Sequence[Bar], after: datetime | None, revision: int | None = None
    ) -> bool:
        """Append in order; False, and nothing done, where the newest recorded bar does not open at `after`, or the
        instrument has another `revision` (None: any)."""
        ...

    async def bars_before(self, symbol: str, open_time: datetime | None, count: int) -> list[Bar]:
        """The newest `count` bars that open before `open_time` (None: of all), oldest first."""
        ...

    async def bars_since(self, symbol: str, open_time: datetime, count: int) -> list[Bar]:
        """The oldest `count` bars that open at or after `open_time`."""
        ...

    async def replace_bars(self, symbol: str, bars: Sequence[Bar], known: int) -> bool:
        """Put other bars in the place of the recorded ones, at once. False, and nothing done, where an order awaits
        bars, where the newest recorded bar does not open as the last of `bars` does, or where not `known` bars are
        recorded."""
        ...

    async def record_revisions(self, symbol: str, bars: Sequence[Bar]) -> int:
        """Record bars beside the recorded ones of their windows, which stay. Returns how many of them are new: neither
        recorded before nor the last revision of their window."""
        ...

    async def record_lateness(self, symbol: str, late_seconds: float) -> None:
        """So late is the instrument's feed, for other processes and after a restart."""
        ...

    async def add_quality(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Add to the counters of instruments, by symbol and name; not to those of one that is gone."""
        ...

    async def quality(self, symbol: str) -> Mapping[str, int]:
        """The instrument's counters by name."""
        ...

    async def lateness(self, symbol: str) -> float:
        """What was recorded of it last; 0 where nothing was."""
        ...

    async def awaited(self, symbol: str) -> bool:
        """Whether the instrument has orders to which bars still matter."""
        ...

    async def require_place(self, symbol: str) -> None:
        """Raises Unavailable("too_many_orders") where the instrument has as many live orders as it may."""
        ...

    async def claim(self, order: Order) -> Claim:
        """Take the order's client_order_id, for ever. Returns who has it: this order, or an earlier one."""
        ...

    async def claimed(self, order_id: str) -> Claim | None: ...

    async def refuse_claim(self, order: AskedOrder) -> None:
        """The order was refused: its client_order_id is free for another order, unless that is not its own."""
        ...

    async def create(self, change: Change, newest: datetime) -> tuple[OrderState, bool] | Claim | None:
        """Record a new order and take its client_order_id, at once. Returns what is recorded now, and whether it is
        this one rather than an earlier creation; the claim of another order that has the client_order_id already;
        None, and nothing done, where the newest bar no longer opens at `newest`, or the instrument has other terms.
        Raises Unavailable("too_many_orders") where the instrument has as many live orders as it may."""
        ...

    async def replace(self, old: Change, new: Change, newest: datetime) -> Replaced | Claim | None:
        """Record that an order takes the place of another one on the same instrument: both changes at once, the new
        order as by `create`."""
        ...

    async def commit(self, changes: Sequence[Change]) -> list[OrderState | None]:
        """Each change is atomic and compares version and step. None where it stands, what is recorded where it lost.
        Raises Unavailable("busy") where the instrument has other terms than a change stands on, NotOwner where it has
        another fence."""
        ...

    async def order(self, order_id: str) -> OrderState | None: ...

    async def awaiting(self, symbol: str) -> list[OrderState]:
        """The instrument's orders to which bars still matter."""
        ...

    async def live_orders(self) -> Mapping[Status, int]:
        """How many orders are in each of the statuses in which bars can move them, over all instruments."""
        ...

    async def slices(self, order_id: str) -> list[Slice]:
        """All slices of the order, by step."""
        ...

    async def fill(self, order_id: str, execution_id: str) -> Fill | None: ...

    async def fills(self, order_id: str) -> list[Fill]:
        """All that are booked of the order, in no order."""
        ...

    async def page(
        self,
        *,
        status: Status | None,
        instrument: str | None,
        limit: int,
        cursor: str | None,
        account: str | None = None,
    ) -> Page: ...
