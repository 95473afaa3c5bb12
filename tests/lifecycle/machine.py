"""Orders at random over the HTTP application, held against a plain model after each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.api.wire import Json, bars_json, instrument_json
from tests.builders import PRICE, at, bars
from tests.lifecycle.plain_order import LOT, STEP, ZERO, PlainOrder, Shown
from tests.lifecycle.service import Service

ORDERS_MAX = 4
HISTORY = 3
MARKET = bars(120, seed=7)
NUMBERS = count(1)
"""Of instruments and of orders, each of which is another one for the service."""

LOTS = st.integers(1, 400).map(lambda lots: lots * LOT)
CHOICES = st.integers(0, 1_000)
"""Which of what there is, counted round."""
FEW_STEPS = st.integers(1, 6)


class Lifecycle(RuleBasedStateMachine):
    """`service` runs for all of them. Each run has an instrument of its own."""

    service: ClassVar[Service]

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[PlainOrder] = []
        self.symbol = f"S{next(NUMBERS)}"
        self.bars = 0
        self.said: dict[str, tuple[str, Json, Json]] = {}

    @property
    def now(self) -> datetime:
        return at(self.bars)

    @initialize()
    def register(self) -> None:
        assert self._call("PUT", f"/v1/instruments/{self.symbol}", instrument_json()).status_code == 201
        self._feed(HISTORY)

    @rule(number=st.integers(1, 3))
    @precondition(lambda self: self.bars < len(MARKET) - 3)
    def bars_come(self, number: int) -> None:
        first = self.bars + 1
        self._feed(number)
        slices = {id(order): self._slices(order) for order in self._standing}
        for closed in map(at, range(first, self.bars + 1)):
            for order in self._standing:
                order.close_bar(closed)
                self._take_slice(order, closed, slices[id(order)])

    @rule(
        quantity=LOTS,
        reported=st.booleans(),
        min_steps=FEW_STEPS,
        more_steps=st.integers(0, 4),
        waits=st.sampled_from([0, 0, 0, 1, 2]),
        delay=st.sampled_from([None, 0, 900, 2_000]),
        side=st.sampled_from(["buy", "sell"]),
    )
    @precondition(lambda self: len(self.orders) < ORDERS_MAX)
    def send(
        self,
        quantity: Decimal,
        reported: bool,
        min_steps: int,
        more_steps: int,
        waits: int,
        delay: int | None,
        side: str,
    ) -> None:
        name, max_steps = f"oms-{next(NUMBERS)}", min_steps + more_steps
        body: Json = {
            "client_order_id": name,
            "instrument": self.symbol,
            "side": side,
            "quantity": str(quantity),
            "benchmark": "vwap",
            "horizon": {"min_steps": min_steps, "max_steps": max_steps},
            "fills": "reported" if reported else "assumed",
            "report_delay_seconds": delay,
        }
        if waits:
            body["start_time"] = at(self.bars + waits).isoformat()
        answer = self._taken("/v1/orders", body)
        order = PlainOrder(
            name=name,
            order_id=answer["order_id"],
            quantity=quantity,
            reported=reported,
            max_steps=max_steps,
            starts=at(self.bars + waits),
            delay=STEP if delay is None else timedelta(seconds=delay),
        )
        self.orders.append(order)
        self._take_slice(order, self.now, self._slices(order))

    @rule(choice=CHOICES)
    @precondition(lambda self: bool(self.said))
    def send_again(self, choice: int) -> None:
        """The same order or replace is answered as it stands; another one of that name is refused."""
        name = _chosen(list(self.said), choice)
        path, body, answer = self.said[name]

        again = self._call("POST", path, body)
        other = self._call("POST", path, body | {"quantity": "999"})

        assert (again.status_code, again.json()["order_id"]) == (200, answer["order_id"])
        assert _code(other) == (409, "client_order_id_reused")

    @rule(choice=CHOICES, piece=CHOICES, quantity=LOTS, of_asked=st.sampled_from([None, "1", "0.5", "1.5"]))
    @precondition(lambda self: bool(self._traded))
    def report(self, choice: int, piece: int, quantity: Decimal, of_asked: str | None) -> None:
        """Sent to any order of the chain, the fill moves the one that stands."""
        order = _chosen(self._traded, choice)
        step = piece % len(order.slices) + 1
        asked = order.slices[step - 1].asked
        if of_asked is not None and asked:
            quantity = asked * Decimal(of_asked)
        name = f"exec-{next(NUMBERS)}"

        first = self._report(_chosen(self._chain(order), choice), name, order, step, quantity)
        again = self._report(_chosen(self._chain(order), choice + 1), name, order, step, quantity)
        other = self._report(order, name, order, step, quantity + LOT)

        order.fill(name, step, quantity)
        assert (first.status_code, first.json()["order_id"]) == (201, order.order_id), first.text
        assert (again.status_code, again.json()["order_id"]) == (200, order.order_id)
        assert _code(other) == (409, "execution_id_reused")

    @rule(choice=CHOICES, fill=CHOICES, quantity=LOTS, busts=st.booleans())
    @precondition(lambda self: any(order.fills for order in self._standing))
    def revise(self, choice: int, fill: int, quantity: Decimal, busts: bool) -> None:
        order = _chosen([order for order in self._standing if order.fills], choice)
        name = _chosen(list(order.fills), fill)
        path = f"{self._path(_chosen(self._chain(order), choice))}/fills/{name}"
        known = order.fills[name]

        if busts:
            answers = [self._call("POST", f"{path}/bust") for _ in range(2)]
            order.revise(name, ZERO, self.now, busted=True)
        else:
            correction = {"quantity": str(quantity), "price": str(PRICE)}
            answers = [self._call("POST", f"{path}/correct", correction) for _ in range(2)]
            if known.busted:
                assert {_code(answer) for answer in answers} == {(409, "fill_busted")}
                return
            order.revise(name, quantity, self.now)
        assert {answer.status_code for answer in answers} == {200}, answers[0].text

    @rule(choice=CHOICES, piece=CHOICES)
    @precondition(lambda self: bool(self._traded))
    def close_slice(self, choice: int, piece: int) -> None:
        order = _chosen(self._traded, choice)
        step = piece % len(order.slices) + 1

        answer = self._call("POST", f"{self._path(_chosen(self._chain(order), choice))}/slices/{step}/close")

        order.close_slice(step)
        assert answer.status_code == 200, answer.text

    @rule(choice=CHOICES, what=st.sampled_from(["pause", "resume", "cancel"]))
    @precondition(lambda self: bool(self.orders))
    def tell(self, choice: int, what: str) -> None:
        order = _chosen(self.orders, choice)

        answer = self._call("POST", f"{self._path(order)}/{what}")

        if order.left is not None:
            assert _code(answer) == (409, "order_replaced")
        elif not order.live and not (what == "cancel" and order.status == "cancelled"):
            assert _code(answer) == (409, "order_ended")
        else:
            assert answer.status_code == 200, answer.text
            after = {"pause": "paused", "cancel": "cancelled", "resume": "working" if order.slices else "accepted"}
            order.status = after[what]

    @rule(choice=CHOICES, quantity=LOTS, committed=st.booleans(), max_steps=st.integers(1, 10))
    @precondition(lambda self: bool(self.orders) and len(self.orders) < 2 * ORDERS_MAX)
    def replace(self, choice: int, quantity: Decimal, committed: bool, max_steps: int) -> None:
        """With `committed` down to just what is filled and in flight."""
        order = _chosen(self.orders, choice)
        just = order.filled + order.in_flight
        quantity = just if committed and just else quantity
        if quantity % LOT:
            return
        first, path, name = self.said[order.name], f"{self._path(order)}/replace", f"oms-{next(NUMBERS)}"
        body = first[1] | {
            "client_order_id": name,
            "quantity": str(quantity),
            "horizon": {"min_steps": 1, "max_steps": max_steps},
        }
        refusal = order.refusal_of(quantity, max_steps)
        if refusal is not None:
            assert _code(self._call("POST", path, body)) == (409, refusal)
            return
        answer = self._taken(path, body)
        new = order.replaced(name, answer["order_id"], quantity, max_steps)
        self.orders.append(new)
        self._take_slice(new, self.now, self._slices(new))

    @invariant()
    def every_order_stands_as_in_the_model(self) -> None:
        """And is what is filled, in flight and left of it, at every instant."""
        for order in self.orders:
            answer = self._call("GET", self._path(order)).json()
            shown = _shown(answer)
            assert astuple(shown) == astuple(order.shown), order
            assert answer["replaces"] == order.replaces
            assert shown.filled + shown.in_flight <= order.quantity + shown.over_filled
            assert shown.leaves == max(ZERO, order.quantity - shown.filled)

    @invariant()
    def slices_and_fills_are_linked_for_good(self) -> None:
        for order in self._standing:
            slices = self._slices(order)
            assert [piece["slice_id"] for piece in slices] == [piece.slice_id for piece in order.slices]
            assert [Decimal(piece["executed"]) for piece in slices] == [piece.executed for piece in order.slices]
            fills = self._call("GET", f"{self._path(order)}/fills").json()["fills"]
            counted = {fill["execution_id"]: ZERO if fill["busted"] else Decimal(fill["quantity"]) for fill in fills}
            assert counted == {name: fill.quantity for name, fill in order.fills.items()}

    @property
    def _standing(self) -> list[PlainOrder]:
        return [order for order in self.orders if order.left is None]

    @property
    def _traded(self) -> list[PlainOrder]:
        """Orders that take reports, and have slices."""
        return [order for order in self._standing if order.reported and order.slices]

    def _chain(self, order: PlainOrder) -> list[PlainOrder]:
        """The order and all in whose place it stands."""
        return [each for each in self.orders if each.slices is order.slices]

    def _call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.service.call(method, path, body)

    def _taken(self, path: str, body: Json) -> Json:
        response = self._call("POST", path, body)
        assert response.status_code == 201, response.text
        answer: Json = response.json()
        self.said[body["client_order_id"]] = (path, body, answer)
        return answer

    def _feed(self, number: int) -> None:
        made = MARKET[self.bars : self.bars + number]
        assert self._call("POST", "/v1/bars", bars_json(made, self.symbol)).status_code == 200
        self.bars += number

    def _path(self, order: PlainOrder) -> str:
        return f"/v1/orders/{order.order_id}"

    def _slices(self, order: PlainOrder) -> list[Json]:
        found: list[Json] = self._call("GET", f"{self._path(order)}/slices").json()["slices"]
        return found

    def _take_slice(self, order: PlainOrder, closed: datetime, slices: Sequence[Json]) -> None:
        """The next of the service's slices, where one is due; its size is the service's to decide, within limits."""
        if not order.wants_slice(closed):
            return
        piece = slices[len(order.slices)]
        asked = Decimal(piece["quantity"])
        start = piece["window"]["start"].replace("Z", "+00:00")
        assert piece["slice_id"] == f"{order.order_id}-{len(order.slices) + 1}"
        assert start == closed.isoformat()
        assert 0 <= asked <= order.unasked
        if order.status == "paused":
            assert asked == 0
        elif len(order.slices) + 1 == order.max_steps:
            assert order.unasked - asked < LOT
        order.take(piece["slice_id"], asked, closed)

    def _report(self, to: PlainOrder, name: str, order: PlainOrder, step: int, quantity: Decimal) -> httpx.Response:
        piece = order.slices[step - 1]
        body = {
            "execution_id": name,
            "slice_id": piece.slice_id,
            "quantity": str(quantity),
            "price": str(PRICE),
            "executed_at": piece.start.isoformat(),
        }
        return self._call("POST", f"{self._path(to)}/fills", body)


def _chosen(of: Sequence[Any], choice: int) -> Any:
    return of[choice % len(of)]


def _code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")


def _shown(order: Json) -> Shown:
    return Shown(
        order["status"],
        order["step"],
        *(Decimal(order[name]) for name in ("filled_quantity", "leaves", "in_flight", "over_filled")),
        order["replaced_by"],
    )
