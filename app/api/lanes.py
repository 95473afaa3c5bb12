"""Lanes: how many requests of a kind are at work at a time, and how many wait for that. What does not fit is refused
before its body is read, so that a flood of one kind costs little and keeps no other kind waiting.

Bars go first. While they move orders, the other lanes have few places or none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from app.domain.errors import Unavailable
from app.engine.right_of_way import RightOfWay

OVERLOADED = "overloaded"
PATIENCE_SECONDS = 1.0
"""Who has waited that long for bars to pass goes on beside them, one at a time: bars without end stop nobody for good.
"""


class LaneMetrics(Protocol):
    def requests_waiting(self, lane: str, change: int) -> None:
        """`change` more requests wait in the lane now; negative where fewer do."""
        ...

    def request_refused(self, lane: str) -> None:
        """A request was answered 429 or 503."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSize:
    """`at_once` requests are at work, `beside_bars` of them while bars move orders; `waiting_max` wait, each for
    `seconds_max`. `code` is that of the refusals."""

    name: str
    at_once: int
    beside_bars: int
    waiting_max: int
    seconds_max: float = 5.0
    code: str = OVERLOADED


class Lane:
    """First come, first served."""

    def __init__(self, size: LaneSize, metrics: LaneMetrics) -> None:
        self.size = size
        self.metrics = metrics
        self._at_work = 0
        self._waiting: dict[asyncio.Future[None], RightOfWay] = {}
        self._listens = False
        self._patience: asyncio.TimerHandle | None = None

    async def enter(self, right_of_way: RightOfWay) -> None:
        """Returns when the request may begin; `leave` must follow. Raises Unavailable where too many requests wait, or
        where its turn does not come in time."""
        if not self._waiting and self._has_place(right_of_way):
            self._at_work += 1
            return
        if len(self._waiting) >= self.size.waiting_max:
            raise self._refusal("wait already")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[turn] = right_of_way
        self.metrics.requests_waiting(self.size.name, 1)
        self._listen(right_of_way)
        try:
            async with asyncio.timeout(self.size.seconds_max):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.leave()  # its turn came in the same moment
            if isinstance(error, TimeoutError):
                raise self._refusal(f"were before it for {self.size.seconds_max:g} s") from None
            raise
        finally:
            self._waiting.pop(turn, None)
            self.metrics.requests_waiting(self.size.name, -1)

    def leave(self) -> None:
        self._at_work -= 1
        self._go_on()

    def _refusal(self, why: str) -> Unavailable:
        return Unavailable(self.size.code, f"too many requests of this kind ({self.size.name}) {why}; repeat the call")

    def _has_place(self, right_of_way: RightOfWay) -> bool:
        return self._at_work < (self.size.beside_bars if right_of_way.taken else self.size.at_once)

    def _go_on(self) -> None:
        for turn, right_of_way in self._in_turn():
            if not self._has_place(right_of_way):
                self._listen(right_of_way)
                return
            self._start(turn)

    def _in_turn(self) -> Iterator[tuple[asyncio.Future[None], RightOfWay]]:
        """Those that have not been told to begin. A turn leaves `_waiting` only when its own request goes on."""
        return ((turn, right_of_way) for turn, right_of_way in self._waiting.items() if not turn.done())

    def _start(self, turn: asyncio.Future[None]) -> None:
        self._at_work += 1
        turn.set_result(None)

    def _listen(self, right_of_way: RightOfWay) -> None:
        """While bars move orders, somebody must tell when they are done, or when patience is."""
        if right_of_way.taken and not self._listens:
            self._listens = True
            right_of_way.when_free(self._free)
        if right_of_way.taken and self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._out_of_patience)

    def _free(self) -> None:
        self._listens = False
        self._go_on()

    def _out_of_patience(self) -> None:
        self._patience = None
        first = next(self._in_turn(), None)
        if first is not None and not self._at_work:
            self._start(first[0])
        self._go_on()
