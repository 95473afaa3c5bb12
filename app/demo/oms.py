"""The demo's order management system: the orders that it sends, and how it polls them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from lem_client import Benchmark, Client, Horizon, Limits, NewOrder, Order, Side, Slice

MAX_STEPS = 12
MIN_STEPS = (1, 3, 6, 9, 4, 6, 9, 12)
"""Of the 8 orders in turn: from an order that may end at any step to one that must use all."""

QUANTITY, NOTIONAL = Decimal(250_000), Decimal("25000000.00")
NOTIONAL_LIMITS = Limits(max_slice_fraction=Decimal("0.5"))


@dataclass(slots=True)
class Ticket:
    """One order as the OMS sees it: what it sends, the newest answer, and the slice to trade now. The order may
    end from its step `min_steps` on."""

    sent: NewOrder
    min_steps: int
    order: Order | None = None
    slice: Slice | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come. The benchmark runs until the window of the last slice has closed."""
        return self.order is not None and not self.order.status.live and self.slice is None


def tickets_of(symbols: tuple[str, ...]) -> list[Ticket]:
    """One order of each of the 8 scenarios, spread over the instruments."""
    scenarios = product(Side, Benchmark, (True, False))
    return [
        Ticket(
            NewOrder(
                client_order_id=f"demo-{index + 1}",
                instrument=symbols[index % len(symbols)],
                side=side,
                quantity=QUANTITY if by_quantity else None,
                notional=None if by_quantity else NOTIONAL,
                benchmark=benchmark,
                horizon=Horizon(min_steps=MIN_STEPS[index], max_steps=MAX_STEPS),
                limits=Limits() if by_quantity else NOTIONAL_LIMITS,
            ),
            MIN_STEPS[index],
        )
        for index, (side, benchmark, by_quantity) in enumerate(scenarios)
    ]


def send(lem: Client, ticket: Ticket) -> None:
    """Send the order, and fetch its first slice."""
    ticket.order = lem.post_order(ticket.sent)
    poll(lem, ticket)


def poll(lem: Client, ticket: Ticket) -> None:
    """Fetch the slice to trade now, and the order as it stands, once it is sent."""
    if ticket.order is not None:
        ticket.slice = lem.next_slice(ticket.order.order_id).slice
        ticket.order = lem.get_order(ticket.order.order_id)
