"""An OMS and a feed that play a play, and write down every answer that they could act on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from time import monotonic
from typing import Any, Protocol

from app.domain.lifecycle import LIVE
from app.engine.tasks import end
from tests.api.wire import instrument_json
from tests.crashes.play import BAR_SECONDS, CANCELLED, DAY, STARTS_LATER, Play, minutes_into, traded
from tests.crashes.wire import Reply

Json = dict[str, Any]
WAIT_SECONDS = 25
WOKEN_SECONDS_MAX = 15.0
"""After the slice was there. One that comes later was not announced, but found at the end of the wait."""
MINUTES_TO_TRADE = 10


class Answering(Protocol):
    async def insist(self, method: str, path: str, body: Any = None) -> Reply: ...


@dataclass(slots=True)
class Transcript:
    """`answers` are named, in their order. `broken` are what no answer may say."""

    answers: list[tuple[str, Any]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """What an OMS says of a slice: a fill, or without a body that no more fills come."""

    number: int
    path: str
    body: Json | None


class Oms:
    def __init__(self, play: Play, desk: Answering) -> None:
        self._play, self._desk = play, desk
        self._ids: dict[int, str] = {}
        self._seen: set[str] = set()
        self._ended: set[str] = set()
        self._due: list[Report] = []
        self._late: list[Report] = []
        self._waiting: asyncio.Task[Json] | None = None
        self.transcript = Transcript()

    async def day(self) -> Transcript:
        """The whole play."""
        try:
            await self._play_through()
        finally:
            await end(self._waiting)  # else it would have services started again that have ended with the play
        return self.transcript

    async def _play_through(self) -> None:
        for symbol in self._play.days:
            await self._ask("PUT", f"/v1/instruments/{symbol}", instrument_json(bar_seconds=BAR_SECONDS))
        await self._ask("POST", "/v1/bars", {"bars": self._play.history()})
        for index in range(DAY):
            await self._feed(index)
            for number in [number for number, order_id in self._ids.items() if order_id not in self._ended]:
                await self._poll(index, number)
            await self._send_orders(index)
            await self._report()
            if index == self._play.cancel_after:
                await self._cancel()
            await self._look(f"bar {index}")
        if self._waiting is not None:
            self.transcript.answers.append(("what came to who waited", None))
        for number in self._ids:
            await self._ask("GET", self._path(number) + "/schedule", noted=f"schedule of {number}")
        await self._ask("GET", "/readyz", noted="readiness")

    async def _ask(self, method: str, path: str, body: Any = None, *, noted: str = "") -> Json:
        """Whether it was done now or by an earlier try (200 or 201) is no difference."""
        reply = await self._desk.insist(method, path, body)
        if reply.status not in {200, 201}:
            self.transcript.broken.append(f"{method} {path}: {reply.status} {reply.body}")
        if noted:
            self.transcript.answers.append((noted, reply.body))
        answer: Json = reply.body
        return answer

    def _path(self, number: int) -> str:
        return f"/v1/orders/{self._ids[number]}"

    async def _feed(self, index: int) -> None:
        requests = self._play.bars_at(index)
        await asyncio.gather(*(self._ask("POST", "/v1/bars", {"bars": bars}) for bars in requests if bars))

    async def _hear(self, newest: Json) -> None:
        """What comes to who has waited for the first slice, now that it is there. The play goes no further before: who
        waits may be slow, and a bar later there may be another slice, or none any more. A bar behind a gap gives two
        slices, and who waits may be woken by the first of them or come for the `newest`: that it is one of them, and as
        it was given, must hold."""
        if self._waiting is None:
            return
        there = monotonic()
        answer, self._waiting = await self._waiting, None
        heard, given = answer["slice"], await self._ask("GET", f"{self._path(STARTS_LATER)}/slices")
        known = [each for each in given["slices"] if heard and each["slice_id"] == heard["slice_id"]]
        as_given = bool(known) and heard | {"executed": known[0]["executed"]} == known[0]
        told = "a slice as it was given" if as_given and heard["step"] <= newest["step"] else answer
        self.transcript.answers.append(("what came to who waited", told))
        if monotonic() - there > WOKEN_SECONDS_MAX:
            self.transcript.broken.append("who waited for a slice was not woken")

    async def _wait(self, path: str) -> Json:
        """As an OMS that asks again when its wait is over, which a busy machine may need."""
        while True:
            asked = monotonic()
            answer: Json = (await self._desk.insist("GET", f"{path}?wait={WAIT_SECONDS}")).body
            if answer["slice"] or answer["status"] not in LIVE or monotonic() - asked < WAIT_SECONDS - 1:
                return answer

    async def _poll(self, index: int, number: int) -> None:
        """A slice that is new is traded, as the play has it."""
        answer = await self._ask(
            "GET", self._path(number) + "/slices/next", noted=f"bar {index} next slice of {number}"
        )
        piece, planned = answer["slice"], self._play.orders[number]
        if piece is None or piece["slice_id"] in self._seen:
            return
        self._seen.add(piece["slice_id"])
        if number == STARTS_LATER:
            await self._hear(piece)
        step = piece["step"]
        if planned.reported:
            reports = [
                Report(number, "fills", self._fill(index, piece, part, share, planned.body["instrument"]))
                for part, share in enumerate(planned.shares[step - 1])
            ]
            closing = [Report(number, f"slices/{step}/close", None)] * (step in planned.closed)
            (self._late if step in planned.late else self._due).extend([*reports, *closing])

    def _fill(self, index: int, piece: Json, part: int, share: str, symbol: str) -> Json:
        return {
            "execution_id": f"exec-{piece['slice_id']}-{part}",
            "slice_id": piece["slice_id"],
            "quantity": traded(piece["quantity"], share),
            "price": self._play.close_price(symbol, index),
            "executed_at": minutes_into(piece["window"]["start"], MINUTES_TO_TRADE),
        }

    async def _send_orders(self, index: int) -> None:
        for number, planned in enumerate(self._play.orders):
            if planned.after != index:
                continue
            order = await self._ask("POST", "/v1/orders", planned.body, noted=f"order {number}")
            self._ids[number] = order["order_id"]
            await self._poll(index, number)
            if number == STARTS_LATER:
                self._waiting = asyncio.create_task(self._wait(self._path(number) + "/slices/next"))

    async def _report(self) -> None:
        for report in self._due:
            await self._ask("POST", f"{self._path(report.number)}/{report.path}", report.body, noted=report.path)
        self._due, self._late = self._late, []

    async def _cancel(self) -> None:
        """An order that its slices or its fills have ended by now is no longer cancelled."""
        order = await self._ask("GET", self._path(CANCELLED))
        if order["status"] in LIVE:
            await self._ask("POST", self._path(CANCELLED) + "/cancel", noted="cancel")

    async def _look(self, when: str) -> None:
        """All orders as they stand."""
        answer = await self._ask("GET", "/v1/orders?limit=1000", noted=f"{when}: orders")
        self._ended = {order["order_id"] for order in answer["orders"] if order["status"] not in LIVE}
        for order in answer["orders"]:
            self.transcript.broken += [f"{when}: {fault} in {order}" for fault in faults_of(order)]


def faults_of(order: Json) -> list[str]:
    """What cannot be said of any order at any time."""
    by_quantity = order["quantity"] is not None
    size = Decimal(order["quantity"] if by_quantity else order["notional"])
    filled = Decimal(order["filled_quantity"] if by_quantity else order["filled_notional"])
    leaves, in_flight, over = (Decimal(order[name]) for name in ("leaves", "in_flight", "over_filled"))
    holds = {
        "leaves are not what is not filled": leaves == max(Decimal(0), size - filled),
        "more is filled and in flight than the order has": filled + in_flight <= size + over,
        "something is negative": min(filled, leaves, in_flight, over) >= 0,
    }
    return [fault for fault, held in holds.items() if not held]
