"""The recorded events of all orders as one sequence, and what the outbox needs of the store to read it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Protocol, Self

from app.domain.events import OrderEvent
from app.domain.order import Order
from app.domain.slice import Slice
from app.outbox.event_json import event_json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SEQUENCE_MAX = 10**19 - 1
AFTER_EVERY_SYMBOL = "~"
"""No symbol sorts behind it."""
PLACE = re.compile(r"([0-9]{1,15})-([0-9]{1,19})-(~|[A-Za-z0-9_%-]{0,192})")
WRITTEN = {"%": "%25", ".": "%2E", "/": "%2F"}
"""How these letters of a symbol are written in an id, which may be a part of a path, and of what is signed."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in the sequence of all events: by the time of the commit in milliseconds, then by its number within that
    millisecond, then by instrument. Each event has a place of its own, which is the same for every process and stays
    the same over a restart."""

    milliseconds: int
    sequence: int
    instrument: str

    @property
    def at(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self.milliseconds)

    def __str__(self) -> str:
        symbol = "".join(WRITTEN.get(letter, letter) for letter in self.instrument)
        return f"{self.milliseconds}-{self.sequence}-{symbol}"

    @classmethod
    def parsed(cls, text: str) -> Self | None:
        """None for a text that names no place."""
        found = PLACE.fullmatch(text)
        if found is None:
            return None
        symbol = found[3]
        for letter, written in reversed(WRITTEN.items()):
            symbol = symbol.replace(written, letter)
        return cls(int(found[1]), int(found[2]), symbol)

    @classmethod
    def before(cls, milliseconds: int) -> Self:
        """Behind everything that was recorded before then."""
        return cls(milliseconds - 1, SEQUENCE_MAX, AFTER_EVERY_SYMBOL)


OLDEST = Place(0, 0, "")
"""Before every event."""


@dataclass
class RecordedEvent:
    """An event and its place. `piece` is the slice that it commits and `order` the order that it begins, once somebody
    has asked for that. `text` is what is told of the event, as JSON; it is made once for all who are told."""

    place: Place
    event: OrderEvent
    piece: Slice | None = field(default=None, compare=False)
    order: Order | None = field(default=None, compare=False)

    @property
    def at(self) -> datetime:
        return self.place.at

    @property
    def order_id(self) -> str:
        return self.event.order_id

    @cached_property
    def text(self) -> str:
        return event_json(self.event, self.place.instrument, self.at, self.piece, self.order)


@dataclass(frozen=True)
class Batch:
    """Events by their places, and `until` where they are complete: no other event up to there will ever come. `more`
    are there to be read already; `held` ones are so new that another one might still come before them. `read` is the
    newest entry of each stream that is among the events."""

    events: Sequence[RecordedEvent]
    until: Place
    more: bool = False
    held: bool = False
    read: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_order(self) -> Mapping[str, Sequence[RecordedEvent]]:
        found: dict[str, list[RecordedEvent]] = {}
        for each in self.events:
            found.setdefault(each.order_id, []).append(each)
        return found

    def after(self, place: Place) -> Batch:
        """The same without what is not behind that place."""
        return Batch([each for each in self.events if each.place > place], self.until, self.more, self.held)


class EventLog(Protocol):
    """The event streams of all instruments. Every method raises Unavailable("store_unavailable") while the store cannot
    be reached."""

    async def now(self) -> int:
        """Milliseconds, by the clock of the store: all that is recorded from here on is not before then."""
        ...

    async def read(
        self, after: Place, *, instrument: str | None = None, read: Mapping[str, str] | None = None
    ) -> Batch:
        """What comes next behind a place, of all instruments or of one; of instruments in `read`, what comes behind
        that entry of their streams."""
        ...

    async def learn(self, events: Sequence[RecordedEvent]) -> None:
        """Read the slices that these events commit and the orders that they begin, where that was not done before."""
        ...

    async def kept_since(self, after: Place, instrument: str | None = None) -> bool:
        """Whether all events behind that place are kept still."""
        ...

    async def accounts(self, orders: Sequence[tuple[str, str]]) -> Sequence[str | None]:
        """The account of each order, given with its instrument; None where it has none."""
        ...
