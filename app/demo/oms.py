"""The demo's order management system: the orders that it sends, and how it polls them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import httpx

MAX_STEPS = 12
MIN_STEPS = (1, 3, 6, 9, 4, 6, 9, 12)
"""Of the 8 orders in turn: from an order that may end at any step to one that must use all."""

SIZES = {"quantity": "250000", "notional": "25000000.00"}
LIVE = ("accepted", "working", "paused")


class CallRefused(Exception):
    """The service answered with a problem."""


@dataclass(slots=True)
class Ticket:
    """One order as the OMS sees it: the body that it sent, the newest answer, and the slice to trade now."""

    body: dict[str, Any]
    order: dict[str, Any] = field(default_factory=dict)
    slice: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come. The benchmark runs until the window of the last slice has closed."""
        return bool(self.order) and self.order["status"] not in LIVE and self.slice is None


def tickets_of(symbols: tuple[str, ...]) -> list[Ticket]:
    """One order of each of the 8 scenarios, spread over the instruments."""
    scenarios = product(("buy", "sell"), ("vwap", "twap"), ("quantity", "notional"))
    return [Ticket(_body(index, symbols, *scenario)) for index, scenario in enumerate(scenarios)]


def _body(index: int, symbols: tuple[str, ...], side: str, benchmark: str, size_mode: str) -> dict[str, Any]:
    return {
        "client_order_id": f"demo-{index + 1}",
        "instrument": symbols[index % len(symbols)],
        "side": side,
        size_mode: SIZES[size_mode],
        "benchmark": benchmark,
        "horizon": {"min_steps": MIN_STEPS[index], "max_steps": MAX_STEPS},
        "limits": {"max_slice_fraction": "0.5"} if size_mode == "notional" else {},
    }


class Oms:
    """Talks to the service through `client`. Every method raises CallRefused where the service
    answers with a problem."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def register(self, symbols: tuple[str, ...], terms: dict[str, Any]) -> None:
        for symbol in symbols:
            _checked(self._client.put(f"/v1/instruments/{symbol}", json=terms))

    def post_bars(self, bars: list[dict[str, Any]]) -> None:
        _checked(self._client.post("/v1/bars", json={"bars": bars}))

    def send(self, ticket: Ticket) -> None:
        ticket.order = _checked(self._client.post("/v1/orders", json=ticket.body))
        self.poll(ticket)

    def poll(self, ticket: Ticket) -> None:
        """Fetch the slice to trade now and the state of the order."""
        path = f"/v1/orders/{ticket.order['order_id']}"
        ticket.slice = _checked(self._client.get(f"{path}/slices/next"))["slice"]
        ticket.order = _checked(self._client.get(path))


def _checked(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    if response.is_error:
        raise CallRefused(
            f"{response.request.method} {response.request.url.path}: {body.get('code')}: {body.get('detail')}"
        )
    return body
