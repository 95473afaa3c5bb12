"""Orders as their events tell them, and nothing else: what a program that has heard every event knows. It knows nothing
of the project's own code; what must hold is checked after each event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from lem_client import BegunOrder, Event, EventData, Fills, Window

ZERO = Decimal(0)
LIVE = ("accepted", "working", "paused")
MOVES: Mapping[tuple[str, str], str] = {
    ("accepted", "working"): "model",
    ("accepted", "paused"): "oms",
    ("working", "paused"): "oms",
    ("paused", "working"): "oms",
    ("paused", "accepted"): "oms",
    **{(live, ended): "oms" for live in LIVE for ended in ("cancelled", "replaced")},
    **{(live, "completed"): "fills" for live in LIVE},
    **{(live, "expired"): "clock" for live in LIVE},
    ("completed", "working"): "bust",
    ("completed", "expired"): "bust",
}
"""The life cycle, as docs/http.md has it: which status may follow on which, and for which reason."""
GOES_ON: Mapping[str, tuple[str, ...]] = {
    "accepted": ("accepted", "working", "completed"),
    "working": ("working", "accepted", "completed"),
    "paused": ("paused", "completed"),
}
"""As what an order may begin that replaces another one, by what that one was."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an order stands, which each of its events tells."""

    filled_quantity: Decimal = ZERO
    filled_notional: Decimal = ZERO
    in_flight: Decimal = ZERO
    behind: Decimal = ZERO
    over_filled: Decimal = ZERO
    unpriced: Decimal = ZERO

    @classmethod
    def told(cls, data: EventData) -> Standing:
        amounts = {name: getattr(data, name) for name in cls.__slots__}
        require(None not in amounts.values(), f"it does not tell how the order stands: {amounts}")
        require(all(amount >= 0 for amount in amounts.values()), f"something is below nothing: {amounts}")
        return cls(**amounts)


@dataclass(slots=True)
class RebuiltSlice:
    """`awaited`: something of it may be in flight."""

    slice_id: str
    step: int
    quantity: Decimal
    notional: Decimal
    window: Window
    final: bool
    asked: Decimal
    executed: Decimal = ZERO
    awaited: bool = True

    @property
    def rest(self) -> Decimal:
        return max(ZERO, self.asked - self.executed)


@dataclass(frozen=True, slots=True)
class RebuiltFill:
    slice_id: str
    quantity: Decimal
    price: Decimal
    busted: bool = False


@dataclass(slots=True)
class RebuiltOrder:
    """An order. `slices` (by step) and `fills` are those of the chain, where the order replaces another one."""

    order_id: str
    instrument: str
    terms: BegunOrder
    status: str = ""
    was: str = ""
    """The status before, where the order is replaced."""
    version: int = 0
    step: int = 0
    standing: Standing = Standing()
    stop_reason: str | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    withheld: int = 0
    slices: dict[int, RebuiltSlice] = field(default_factory=dict)
    fills: dict[str, RebuiltFill] = field(default_factory=dict)

    @property
    def size(self) -> Decimal:
        size = self.terms.quantity if self.terms.quantity is not None else self.terms.notional
        assert size is not None
        return size

    @property
    def filled(self) -> Decimal:
        return self._fixed(self.standing.filled_quantity, self.standing.filled_notional)

    @property
    def leaves(self) -> Decimal:
        return max(ZERO, self.size - self.filled)

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def reported(self) -> bool:
        return self.terms.fills == Fills.REPORTED

    def offered(self, now: datetime) -> RebuiltSlice | None:
        """What is to be traded now."""
        newest = self.slices.get(self.step)
        if newest is None or self.status not in ("accepted", "working") or self.withheld == self.step:
            return None
        return newest if newest.window.end > now else None

    def hear(self, event: Event) -> None:
        """Raises AssertionError where the event cannot follow on those before it."""
        data, standing = event.data, Standing.told(event.data)
        if data.version != self.version:
            require(data.version == self.version + 1, f"version {data.version} follows on {self.version}")
            self._book_assumed(standing)
            self.version, self.standing = data.version, standing
        require(standing == self.standing, "events of one version differ about how the order stands")
        self.step = data.step or 0
        self._take(event.event, data)
        self._require_conserved()

    def require_whole(self) -> None:
        """What holds once all events of a version are heard."""
        for piece in self.slices.values():
            piece.awaited = piece.awaited and bool(piece.rest)
        require(self.step == max(self.slices, default=0), f"step {self.step} has no slice")
        if self.status == "replaced":  # what comes for its slices moves the other order
            return
        if self.reported:
            due = sum((piece.rest for piece in self.slices.values() if piece.awaited), ZERO)
            require(due == self.standing.in_flight, f"{due} is awaited, {self.standing.in_flight} in flight")
        booked = [fill for fill in self.fills.values() if not fill.busted]
        if self.reported:
            sums = (sum((fill.quantity for fill in booked), ZERO), sum((f.quantity * f.price for f in booked), ZERO))
            told = self.standing.filled_quantity, self.standing.filled_notional
            require(sums == told, f"{sums} is booked, {told} filled")
        executed = sum((piece.executed for piece in self.slices.values()), ZERO)
        require(executed == self.filled, f"{executed} is executed of the slices, {self.filled} in all")

    def _require_conserved(self) -> None:
        committed = self.filled + self.standing.in_flight
        unasked = max(ZERO, self.leaves - self.standing.in_flight)
        if self.standing.over_filled:
            require(committed <= self.size + self.standing.over_filled, f"{committed} is filled and in flight")
        else:
            require(committed + unasked == self.size, f"{committed} + {unasked} is not {self.size}")
        if self.status == "completed":
            require(self.leaves < Decimal("0.01"), "it is completed with something left")
        require(not self.standing.behind or self.live, "it has ended and is behind")

    def _book_assumed(self, standing: Standing) -> None:
        """What is filled more than before was traded of the slice whose bar has closed."""
        more = self._fixed(standing.filled_quantity, standing.filled_notional) - self.filled
        if self.reported or not more:
            return
        awaited = [piece for piece in self.slices.values() if piece.awaited]
        require(len(awaited) == 1, f"{len(awaited)} slices may have been filled")
        awaited[0].executed += more
        require(awaited[0].executed <= awaited[0].asked, "more is assumed to be traded than was asked for")

    def _take(self, name: str, data: EventData) -> None:
        match name.split("."):
            case ["slice", what]:
                self._take_slice(what, data)
            case ["fill", what]:
                self._take_fill(what, data)
            case ["order", "over_filled"]:
                require(bool(data.amount), "nothing is over-filled")
            case ["order", "behind"]:
                require(self.standing.behind > 0, "it is not behind")
            case ["order", "on_track"]:
                require(not self.standing.behind, "it is behind")
            case _:
                self._move(data)

    def _move(self, data: EventData) -> None:
        assert data.status is not None
        reason = MOVES.get((self.status, data.status)) if self.status else "oms"
        require(data.reason == reason, f"{self.status} becomes {data.status} because of {data.reason}")
        self.was, self.status = self.status, data.status
        self.stop_reason, self.replaced_by = data.stop_reason, data.replaced_by

    def _take_slice(self, what: str, data: EventData) -> None:
        assert data.slice_id is not None
        step = int(data.slice_id.rpartition("-")[2])
        if what == "committed":
            assert data.quantity is not None
            assert data.notional is not None
            assert data.window is not None
            require(step == self.step, f"the slice is that of step {step}")
            require(step not in self.slices or self.version == 1, f"step {step} has two slices")
            for piece in self.slices.values():
                piece.awaited = piece.awaited and self.reported
            if self.withheld == step:  # of the order in whose place this one stands; decided anew
                self.withheld = 0
            asked = self._fixed(data.quantity, data.notional)
            self.slices[step] = RebuiltSlice(
                data.slice_id, step, data.quantity, data.notional, data.window, bool(data.final), asked
            )
            return
        require(self.slices[step].slice_id == data.slice_id, "the order has no such slice")
        piece = self.slices[step]
        match what:
            case "closed":
                require(piece.awaited, "the slice was closed before")
                require(data.given_back == piece.rest, f"{data.given_back} is given back of {piece.rest}")
                piece.awaited = False
            case "filled" | "ended":
                piece.awaited = piece.awaited and self.reported
            case "withheld":
                self.withheld = step
            case "offered":
                require(self.withheld == step, "the slice was not withheld")
                self.withheld = 0

    def _take_fill(self, what: str, data: EventData) -> None:
        assert data.execution_id is not None
        assert data.slice_id is not None
        known = self.fills.get(data.execution_id)
        if what == "busted":
            require(known is not None and not known.busted, "it is busted twice, or was never booked")
            assert known is not None
            self.fills[data.execution_id] = replace(known, busted=True)
        else:
            assert data.quantity is not None
            assert data.price is not None
            require((known is None) == (what == "booked"), "it is booked twice, or was never booked")
            self.fills[data.execution_id] = RebuiltFill(data.slice_id, data.quantity, data.price)
        step = int(data.slice_id.rpartition("-")[2])
        require(self.slices[step].slice_id == data.slice_id, "the order has no such slice")
        of_slice = [fill for fill in self.fills.values() if fill.slice_id == data.slice_id and not fill.busted]
        self.slices[step].executed = sum(
            (self._fixed(fill.quantity, fill.quantity * fill.price) for fill in of_slice), ZERO
        )

    def _fixed(self, quantity: Decimal, notional: Decimal) -> Decimal:
        """The one that the order fixes."""
        return quantity if self.terms.quantity is not None else notional


class Rebuilt:
    """All orders, from the stream of all events."""

    def __init__(self) -> None:
        self.orders: dict[str, RebuiltOrder] = {}
        self._ids: set[str] = set()
        self._unfinished: dict[str, RebuiltOrder] = {}

    def hear(self, event: Event) -> None:
        """Raises AssertionError where something does not hold."""
        require(event.id not in self._ids, "it comes twice")
        self._ids.add(event.id)
        known = self.orders.get(event.data.order_id) or self._begun(event.data)
        if event.data.version != known.version and known.order_id in self._unfinished:
            del self._unfinished[known.order_id]
            known.require_whole()
        self._unfinished[known.order_id] = known
        known.hear(event)

    def settle(self) -> None:
        """All events up to here have been heard: those of one version come one after the other, but those of other
        instruments may come between them."""
        unfinished, self._unfinished = self._unfinished, {}
        for order in unfinished.values():
            order.require_whole()

    def _begun(self, data: EventData) -> RebuiltOrder:
        require(data.order is not None, "an order begins without its terms")
        assert data.order is not None
        order = RebuiltOrder(data.order_id, data.instrument, data.order)
        self.orders[data.order_id] = order
        if data.replaces is None:
            require(data.status == "accepted", f"an order begins {data.status}")
            return order
        old = self.orders[data.replaces]
        require(old.replaced_by == data.order_id, "the order in whose place it stands does not know it")
        require(data.status in GOES_ON[old.was], f"an order that was {old.was} goes on {data.status}")
        order.replaces, order.fills = old.order_id, dict(old.fills)
        step = data.step or 0
        order.slices = {each.step: replace(each) for each in old.slices.values() if each.step <= step}
        order.withheld = old.withheld if old.withheld <= step else 0
        order.standing = Standing(old.standing.filled_quantity, old.standing.filled_notional)
        return order


def require(holds: bool, otherwise: str) -> None:
    """Raises AssertionError, also where Python runs without assertions."""
    if not holds:
        raise AssertionError(otherwise)
