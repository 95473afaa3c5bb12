"""What walks through the life cycle do at the HTTP application, and what they know of its orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar

import httpx
from hypothesis.stateful import RuleBasedStateMachine

from tests.api.wire import Json, bars_json
from tests.builders import PRICE, at, bars
from tests.lifecycle.plain_order import LOT, PlainOrder, Shown
from tests.lifecycle.service import Service

MARKET = bars(120, seed=7)
NUMBERS = count(1)
"""Of instruments, orders and executions, each of which is another one for the service."""


class Desk(RuleBasedStateMachine):
    """`service` runs for all walks. Each walk has an instrument of its own."""

    service: ClassVar[Service]

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[PlainOrder] = []
        self.symbol = f"S{next(NUMBERS)}"
        self.bars = 0
        self.restarts = 0
        self.said: dict[str, tuple[str, Json, Json]] = {}

    @property
    def now(self) -> datetime:
        return at(self.bars)

    @property
    def standing(self) -> list[PlainOrder]:
        return [order for order in self.orders if order.left is None]

    @property
    def traded(self) -> list[PlainOrder]:
        """Orders that take reports, and have slices."""
        return [order for order in self.standing if order.reported and order.slices]

    def chain_of(self, order: PlainOrder) -> list[PlainOrder]:
        """The order and all in whose place it stands."""
        return [each for each in self.orders if each.slices is order.slices]

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.service.call(method, path, body)

    def taken(self, path: str, body: Json) -> Json:
        response = self.call("POST", path, body)
        assert response.status_code == 201, response.text
        answer: Json = response.json()
        self.said[body["client_order_id"]] = (path, body, answer)
        return answer

    def feed(self, number: int) -> None:
        made = MARKET[self.bars : self.bars + number]
        assert self.call("POST", "/v1/bars", bars_json(made, self.symbol)).status_code == 200
        self.bars += number

    def path_of(self, order: PlainOrder) -> str:
        return f"/v1/orders/{order.order_id}"

    def slices_of(self, order: PlainOrder) -> list[Json]:
        found: list[Json] = self.call("GET", f"{self.path_of(order)}/slices").json()["slices"]
        return found

    def take_slice(self, order: PlainOrder, closed: datetime, slices: Sequence[Json]) -> None:
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

    def report_to(self, to: PlainOrder, name: str, order: PlainOrder, step: int, quantity: Decimal) -> httpx.Response:
        piece = order.slices[step - 1]
        body = {
            "execution_id": name,
            "slice_id": piece.slice_id,
            "quantity": str(quantity),
            "price": str(PRICE),
            "executed_at": piece.start.isoformat(),
        }
        return self.call("POST", f"{self.path_of(to)}/fills", body)


def chosen(of: Sequence[Any], choice: int) -> Any:
    return of[choice % len(of)]


def code_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")


def shown_in(order: Json) -> Shown:
    return Shown(
        status=order["status"],
        step=order["step"],
        filled=Decimal(order["filled_quantity"]),
        leaves=Decimal(order["leaves"]),
        in_flight=Decimal(order["in_flight"]),
        over_filled=Decimal(order["over_filled"]),
        replaced_by=order["replaced_by"],
    )
