"""A plain model of an order that fixes its quantity, round the clock and without limits: what the service must show of
it, given which slices it was asked to trade. It knows nothing of the project's own code."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

ZERO = Decimal(0)
LOT = Decimal("0.01")
STEP = timedelta(seconds=900)
LIVE = ("accepted", "working", "paused")


@dataclass
class PlainSlice:
    """`due` is until when its reports are awaited; None where none are."""

    slice_id: str
    asked: Decimal
    start: datetime
    due: datetime | None
    executed: Decimal = ZERO
    open: bool = True

    @property
    def end(self) -> datetime:
        return self.start + STEP

    @property
    def rest(self) -> Decimal:
        return max(ZERO, self.asked - self.executed)


@dataclass
class PlainFill:
    """A report as it counts now: nothing where it is busted."""

    step: int
    quantity: Decimal
    busted: bool = False


@dataclass
class Shown:
    """What `GET /v1/orders/{order_id}` says of the order."""

    status: str
    step: int
    filled: Decimal
    leaves: Decimal
    in_flight: Decimal
    over_filled: Decimal
    replaced_by: str | None


@dataclass
class PlainOrder:
    """`slices` and `fills` are those of the chain: an order that replaces another one goes on with the other's."""

    name: str
    order_id: str
    quantity: Decimal
    reported: bool
    max_steps: int
    starts: datetime
    delay: timedelta = STEP
    status: str = "accepted"
    slices: list[PlainSlice] = field(default_factory=list)
    fills: dict[str, PlainFill] = field(default_factory=dict)
    over_filled: Decimal = ZERO
    replaces: str | None = None
    left: Shown | None = None

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def filled(self) -> Decimal:
        return sum((piece.executed for piece in self.slices), ZERO)

    @property
    def leaves(self) -> Decimal:
        return max(ZERO, self.quantity - self.filled)

    @property
    def in_flight(self) -> Decimal:
        if self.reported:
            return sum((piece.rest for piece in self.slices if piece.due), ZERO)
        return sum((piece.asked for piece in self.slices if piece.open), ZERO)

    @property
    def unasked(self) -> Decimal:
        return max(ZERO, self.leaves - self.in_flight)

    @property
    def running(self) -> PlainSlice | None:
        """The slice whose window has not closed."""
        return self.slices[-1] if self.slices and self.slices[-1].open else None

    @property
    def shown(self) -> Shown:
        if self.left is not None:
            return self.left
        return Shown(self.status, len(self.slices), self.filled, self.leaves, self.in_flight, self.over_filled, None)

    def close_bar(self, closed: datetime) -> None:
        """The bar that closes then has come."""
        for piece in self.slices:
            if piece.open and piece.end <= closed:
                piece.open = False
                if not self.reported:
                    piece.executed = piece.asked
        self._complete()
        self._expire()
        for piece in self.slices:
            if piece.due is not None and piece.due < closed:
                piece.due = None
        self._expire()

    def wants_slice(self, closed: datetime) -> bool:
        """Whether the service must decide the slice of the window that opens with this close."""
        if not self.live or self.running or len(self.slices) >= self.max_steps or closed < self.starts:
            return False
        return self.reported or self.unasked >= LOT

    def take(self, slice_id: str, asked: Decimal, start: datetime) -> None:
        """The service has decided the next slice."""
        due = start + STEP + self.delay if self.reported and asked else None
        self.slices.append(PlainSlice(slice_id, asked, start, due))
        self.status = "working" if self.status == "accepted" else self.status

    def fill(self, execution_id: str, step: int, quantity: Decimal) -> None:
        piece = self.slices[step - 1]
        self.over_filled += max(ZERO, quantity - (piece.rest if piece.due else ZERO))
        self.fills[execution_id] = PlainFill(step, quantity)
        piece.executed += quantity
        self._complete()
        self._make_up()
        self._expire()

    def revise(self, execution_id: str, quantity: Decimal, now: datetime, *, busted: bool = False) -> None:
        """The execution was of that quantity; of none where it is busted."""
        fill = self.fills[execution_id]
        piece, change = self.slices[fill.step - 1], quantity - fill.quantity
        was = self.filled + self.in_flight
        room = piece.rest if piece.due else ZERO
        fill.quantity, fill.busted = quantity, busted
        piece.executed += change
        self._complete()
        self._make_up()
        if change >= 0:
            self.over_filled += max(ZERO, change - room)
        else:
            self.over_filled = max(ZERO, self.over_filled + self.filled + self.in_flight - was)
        if self.status == "completed" and self.leaves >= LOT:
            late = len(self.slices) == self.max_steps or self.slices[-1].end < now
            self.status = "expired" if late else "working"
        self._expire()

    def close_slice(self, step: int) -> None:
        self.slices[step - 1].due = None
        self._expire()

    def refusal_of(self, quantity: Decimal, max_steps: int) -> str | None:
        """The code with which an order of that quantity may not take the place of this one."""
        if self.left is not None:
            return "order_replaced"
        if not self.live:
            return "order_ended"
        if quantity < self.filled + self.in_flight:
            return "size_committed"
        left = max_steps - len(self.slices)
        if left < 0 or (left == 0 and quantity - self.filled - self.in_flight >= LOT):
            return "horizon_used_up"
        return None

    def replaced(self, name: str, order_id: str, quantity: Decimal, max_steps: int) -> PlainOrder:
        """The order in the place of this one, which stays as it stands."""
        new = PlainOrder(
            name=name,
            order_id=order_id,
            quantity=quantity,
            reported=self.reported,
            max_steps=max_steps,
            starts=self.starts,
            delay=self.delay,
            status="paused" if self.status == "paused" else "working" if self.slices else "accepted",
            slices=self.slices,
            fills=self.fills,
            replaces=self.order_id,
        )
        self.left = Shown("replaced", len(self.slices), self.filled, self.leaves, ZERO, self.over_filled, order_id)
        self.status = "replaced"
        new._complete()
        return new

    def _complete(self) -> None:
        if self.live and self.quantity - self.filled < LOT:
            self.status = "completed"

    def _make_up(self) -> None:
        for piece in self.slices:
            if piece.due and not piece.rest:
                piece.due = None

    def _expire(self) -> None:
        awaits = any(piece.open or piece.due for piece in self.slices)
        if self.live and len(self.slices) == self.max_steps and not awaits:
            self.status = "expired"
