"""The blotter: every live order of the account, a page of them at a time; filtered and sorted here, not in the
browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.api.access.callers import account_of
from app.desk.door import turn
from app.desk.numerals import places_of
from app.desk.pages import page, services_of, text_of
from app.desk.warnings import Warned, Watch, stop_probability
from app.domain.instrument import Instrument
from app.domain.numbers import ONE, ZERO
from app.domain.order import Fills, Side, SizeMode
from app.domain.state import OrderState
from app.engine.engine import Engine

ROWS = 50
TEXT_MAX = 128
STATUSES = ("accepted", "working", "paused")


def time_share(state: OrderState) -> Decimal:
    """Of the order's steps, how many have closed."""
    closed = state.sums.steps + state.sums.unseen_steps
    return min(ONE, Decimal(closed) / state.order.horizon.max_steps)


def market_share(state: OrderState) -> Decimal | None:
    """Of the volume that the market is expected to trade up to `max_steps`, how much it has traded by now: the steps to
    come count as the one that runs, as the model expects it. None where nothing is known of that."""
    sums, piece = state.sums, state.current
    closed = sums.steps + sums.unseen_steps
    left = state.order.horizon.max_steps - closed
    traded = sums.volume_sum + sums.unseen_volume_sum
    if left <= 0:
        return ONE
    if piece is None or not piece.expected_volume:
        return None
    return traded / (traded + piece.expected_volume * left)


def filled_share(state: OrderState) -> Decimal:
    return min(ONE, state.filled / state.order.size)


KEYS: Mapping[str, tuple[str, Callable[[OrderState], Any]]] = {
    "order": ("Order", lambda state: state.order.client_order_id),
    "instrument": ("Instrument", lambda state: (state.order.instrument, state.order.client_order_id)),
    "side": ("Side", lambda state: (state.order.side, state.order.client_order_id)),
    "filled": ("Filled", filled_share),
    "time": ("Time", time_share),
    "slippage": (
        "Slippage, bps",
        lambda state: state.slippage_bps if state.slippage_bps is not None else Decimal("-1e9"),
    ),
    "stop": ("Ends now", lambda state: stop_probability(state) or 0.0),
}
"""What the rows can be sorted by."""
SORT_DEFAULT = "instrument"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which live orders, in which order, and which page of them."""

    text: str = ""
    instrument: str = ""
    side: str = ""
    status: str = ""
    warned: bool = False
    sort: str = SORT_DEFAULT
    falling: bool = False
    number: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Wanted:
        """What makes no sense is left out: a page that somebody has kept must not be refused."""
        number = asked.get("page", "1")
        return cls(
            text=asked.get("q", "").strip()[:TEXT_MAX],
            instrument=asked.get("instrument", "")[:TEXT_MAX],
            side=asked.get("side", "") if asked.get("side") in tuple(Side) else "",
            status=asked.get("status", "") if asked.get("status") in STATUSES else "",
            warned=asked.get("warned") == "1",
            sort=asked.get("sort", "") if asked.get("sort") in KEYS else SORT_DEFAULT,
            falling=asked.get("dir") == "down",
            number=max(1, int(number)) if number.isdecimal() and len(number) < 7 else 1,  # noqa: PLR2004 -- digits
        )

    def query(self, **changes: Any) -> str:
        """As a link says it."""
        named = {
            "q": self.text,
            "instrument": self.instrument,
            "side": self.side,
            "status": self.status,
            "warned": "1" if self.warned else "",
            "sort": self.sort,
            "dir": "down" if self.falling else "",
            "page": str(self.number) if self.number > 1 else "",
        } | changes
        return urlencode({name: value for name, value in named.items() if value})

    def sorted_by(self, key: str) -> str:
        """A second click turns the order round."""
        return self.query(sort=key, dir="down" if key == self.sort and not self.falling else "", page="")

    def fits(self, state: OrderState) -> bool:
        order, text = state.order, self.text.casefold()
        return (
            (not self.instrument or order.instrument == self.instrument)
            and (not self.side or order.side == self.side)
            and (not self.status or state.status == self.status)
            and (
                not text
                or any(
                    text in word.casefold() for word in (order.client_order_id, order.instrument, order.account or "")
                )
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An order as the blotter shows it."""

    state: OrderState
    instrument: Instrument | None
    warnings: Sequence[Warned]
    ends_now: float | None

    @property
    def in_quantity(self) -> bool:
        return self.state.order.size_mode is SizeMode.QUANTITY

    @property
    def size_places(self) -> int:
        return places_of(self.state.lot)

    @property
    def time(self) -> Decimal:
        return time_share(self.state)

    @property
    def market(self) -> Decimal | None:
        return market_share(self.state)

    @property
    def filled(self) -> Decimal:
        return filled_share(self.state)

    @property
    def asked_now(self) -> Decimal | None:
        """The slice that is to be traded, in the unit that the order fixes."""
        piece = self.state.offered
        if piece is None:
            return None
        return piece.quantity if self.in_quantity else piece.notional

    @property
    def reported(self) -> bool:
        return self.state.order.fills is Fills.REPORTED


class Blotter:
    """A page of the live orders that fit."""

    def __init__(self, engine: Engine, orders: Sequence[OrderState], wanted: Wanted) -> None:
        watch = Watch(engine)
        fitting = [state for state in orders if wanted.fits(state)]
        flagged = {state.order_id: found for state in fitting if (found := watch.warnings(state))}
        if wanted.warned:
            fitting = [state for state in fitting if state.order_id in flagged]
        fitting.sort(key=KEYS[wanted.sort][1], reverse=wanted.falling)
        self.pages = max(1, -(-len(fitting) // ROWS))
        self.number = min(wanted.number, self.pages)
        shown = fitting[(self.number - 1) * ROWS : self.number * ROWS]
        self.rows = [
            Row(
                state=state,
                instrument=engine.book.terms.get(state.order.instrument),
                warnings=flagged.get(state.order_id, ()),
                ends_now=stop_probability(state),
            )
            for state in shown
        ]
        self.wanted = wanted
        self.live = len(orders)
        self.fitting = len(fitting)
        self.warned = sum(state.order_id in flagged for state in fitting)
        self.paused = sum(state.status == "paused" for state in fitting)
        self.buys = sum(state.order.side is Side.BUY for state in fitting)
        known = [state.slippage_bps for state in fitting if state.slippage_bps is not None]
        self.slippage = sum(known, ZERO) / len(known) if known else None
        self.symbols = sorted({state.order.instrument for state in orders})

    def fragments(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        """The parts of the page by their ids, and which rows the table has, in order."""
        parts = {"blotter-summary": text_of("blotter_summary.html", blotter=self)}
        parts["blotter-pager"] = text_of("blotter_pager.html", blotter=self)
        rows = [f"row-{row.state.order_id}" for row in self.rows]
        parts |= {name: text_of("blotter_row.html", row=row) for name, row in zip(rows, self.rows, strict=True)}
        return parts, {"blotter-rows": rows}


async def blotter_now(request: Request, wanted: Wanted) -> Blotter:
    engine = services_of(request).engine
    async with turn(request):
        return Blotter(engine, await engine.book.orders(account_of(request)), wanted)


async def show_blotter(request: Request) -> Response:
    blotter = await blotter_now(request, Wanted.of(request.query_params))
    return page(request, "blotter.html", title="Blotter", blotter=blotter, keys=KEYS, statuses=STATUSES)
