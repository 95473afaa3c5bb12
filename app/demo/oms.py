"""The demo's OMS: which orders it sends, and what it knows of them from polling."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import httpx

MAX_STEPS = 12
MIN_STEPS = (1, 3, 6, 9, 4, 6, 9, 12)
"""Of the 8 orders, in turn: from a free end to a forced one."""

SIZES = {"quantity": "250000", "notional": "25000000.00"}
LIVE = ("accepted", "working", "paused")


@dataclass(slots=True)
class Ticket:
    """One order as the OMS sees it: what it sent, the newest answer, and the slice to trade now."""

    body: dict[str, Any]
    order: dict[str, Any] = field(default_factory=dict)
    slice: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """Nothing more is to come: the benchmark runs until the last slice's window has closed."""
        return bool(self.order) and self.order["status"] not in LIVE and self.slice is None


def tickets(symbols: tuple[str, ...]) -> list[Ticket]:
    """One order of each of the 8 scenarios, spread over the instruments."""
    scenarios = product(("buy", "sell"), ("vwap", "twap"), ("quantity", "notional"))
    return [Ticket(_body(place, symbols, *scenario)) for place, scenario in enumerate(scenarios)]


def _body(place: int, symbols: tuple[str, ...], side: str, benchmark: str, size_mode: str) -> dict[str, Any]:
    return {
        "client_order_id": f"demo-{place + 1}",
        "instrument": symbols[place % len(symbols)],
        "side": side,
        size_mode: SIZES[size_mode],
        "benchmark": benchmark,
        "horizon": {"min_steps": MIN_STEPS[place], "max_steps": MAX_STEPS},
        "limits": {"max_slice_fraction": "0.5"} if size_mode == "notional" else {},
    }


def send(client: httpx.Client, ticket: Ticket) -> None:
    ticket.order = _checked(client.post("/v1/orders", json=ticket.body))
    poll(client, ticket)


def poll(client: httpx.Client, ticket: Ticket) -> None:
    """What is to be traded now, and how the order stands."""
    path = f"/v1/orders/{ticket.order['order_id']}"
    ticket.slice = _checked(client.get(f"{path}/slices/next"))["slice"]
    ticket.order = _checked(client.get(path))


def post_bars(client: httpx.Client, bars: list[dict[str, Any]]) -> None:
    _checked(client.post("/v1/bars", json={"bars": bars}))


def register(client: httpx.Client, symbols: tuple[str, ...], terms: dict[str, Any]) -> None:
    for symbol in symbols:
        _checked(client.put(f"/v1/instruments/{symbol}", json=terms))


class Refused(Exception):
    """The service answered with a problem."""


def _checked(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    if response.is_error:
        raise Refused(
            f"{response.request.method} {response.request.url.path}: {body.get('code')}: {body.get('detail')}"
        )
    return body
