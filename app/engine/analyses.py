"""Cost analysis: of one order, and of all orders that fit a filter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.analysis import REVERSION_BARS, Analysis, analyse
from app.domain.bar import Bar
from app.domain.errors import InvalidInput, Unavailable
from app.domain.lifecycle import Status
from app.domain.order import Benchmark, Side, SizeMode
from app.domain.slice import Slice
from app.domain.state import OrderState
from app.engine.instruments.cache import CANNOT_OPEN, LiveInstruments
from app.engine.ports import Store
from app.engine.queries import Queries
from app.engine.recorded_market import RecordedMarket
from app.engine.tasks import Breather, together

ORDERS_MAX = 5_000
PAGE, READS_AT_ONCE, ORDERS_A_TURN = 1_000, 32, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysedOrder:
    """`started` is when the first window opened, and `models` decided its slices, each of them once; both empty before
    the first slice. `market` has the bar of each window, None where nothing is recorded of it: first the order's own,
    then those that would have followed."""

    state: OrderState
    analysis: Analysis
    started: datetime | None
    models: tuple[str, ...]
    market: tuple[Bar | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysedOrders:
    """By instrument, and in order of acceptance. `left_out` are instruments that cannot be opened now, by symbol."""

    orders: tuple[AnalysedOrder, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedOrders:
    """Which orders; None asks for all, but for those that are replaced: the order in their place has all that they
    had. `final` as in `Analysis`; `model` has decided at least one slice.
    `started_from` and `started_before` are of the first window: an order without one has not started."""

    status: Status | None = None
    instrument: str | None = None
    account: str | None = None
    side: Side | None = None
    benchmark: Benchmark | None = None
    size_mode: SizeMode | None = None
    min_steps: int | None = None
    max_steps: int | None = None
    model: str | None = None
    final: bool | None = None
    started_from: datetime | None = None
    started_before: datetime | None = None

    def fits_order(self, state: OrderState) -> bool:
        if self.status is None and state.status is Status.REPLACED:
            return False
        if self.started_from is not None and state.next_open <= self.started_from:
            return False  # all its windows lie before: it need not be read to be known to have started before
        order = state.order
        terms = ((self.side, order.side), (self.benchmark, order.benchmark), (self.size_mode, order.size_mode))
        steps = ((self.min_steps, order.horizon.min_steps), (self.max_steps, order.horizon.max_steps))
        return all(want in (None, have) for want, have in (*terms, *steps))

    def fits_slices(self, slices: Sequence[Slice]) -> bool:
        started = slices[0].window.start if slices else None
        if self.started_from is not None and (started is None or started < self.started_from):
            return False
        if self.started_before is not None and (started is None or started >= self.started_before):
            return False
        return self.model is None or self.model in models_of(slices)


def models_of(slices: Iterable[Slice]) -> tuple[str, ...]:
    """In the order in which they came."""
    return tuple(dict.fromkeys(piece.decided.model for piece in slices))


class Analyses:
    """Reads what is recorded, and keeps nothing: no order and no bar waits for it."""

    def __init__(self, store: Store, queries: Queries, instruments: LiveInstruments) -> None:
        self._store = store
        self._queries = queries
        self._instruments = instruments

    async def of_order(self, order_id: str, account: str | None = None) -> AnalysedOrder:
        """`account` as in `Queries.order`. Raises NotFound("unknown_order")."""
        state = await self._queries.order(order_id, account)
        slices = await self._store.slices(order_id)
        market = await self._market(state.order.instrument, [(state, slices)])
        return _analysed(state, slices, market)

    async def of_orders(self, wanted: WantedOrders) -> AnalysedOrders:
        """Raises InvalidInput("too_many_to_analyse") for more orders than one answer holds."""
        found: list[AnalysedOrder] = []
        left_out: list[str] = []
        for symbol, orders in (await self._wanted(wanted)).items():
            try:
                found += await self._of_instrument(symbol, orders, wanted)
            except Unavailable as error:
                if error.code not in CANNOT_OPEN:
                    raise
                left_out.append(symbol)
        return AnalysedOrders(orders=tuple(found), left_out=tuple(left_out))

    async def _of_instrument(
        self, symbol: str, orders: Sequence[OrderState], wanted: WantedOrders
    ) -> list[AnalysedOrder]:
        found_slices = await together((self._slices(each.order_id) for each in orders), READS_AT_ONCE)
        known = [(state, slices) for state, slices in zip(orders, found_slices, strict=True) if slices is not None]
        chosen = [(state, slices) for state, slices in known if wanted.fits_slices(slices)]
        market = await self._market(symbol, chosen)
        found, breather = [], Breather(ORDERS_A_TURN)
        for state, pieces in chosen:
            analysed = _analysed(state, pieces, market)
            if wanted.final in (None, analysed.analysis.final):
                found.append(analysed)
            await breather.after()
        return found

    async def _slices(self, order_id: str) -> Sequence[Slice] | None:
        """None where they are not understood: that is told where it is found, and lists leave such an order out."""
        try:
            return await self._store.slices(order_id)
        except Unavailable as error:
            if error.code != "order_unreadable":
                raise
            return None

    async def _wanted(self, wanted: WantedOrders) -> Mapping[str, list[OrderState]]:
        found: dict[str, list[OrderState]] = defaultdict(list)
        cursor, count = None, 0
        while True:
            page = await self._queries.orders(
                status=wanted.status,
                instrument=wanted.instrument,
                account=wanted.account,
                limit=PAGE,
                cursor=cursor,
            )
            for state in filter(wanted.fits_order, page.orders):
                found[state.order.instrument].append(state)
                count += 1
            if count > ORDERS_MAX:
                detail = f"more than {ORDERS_MAX:,} orders fit: ask for one instrument, status or side at a time"
                raise InvalidInput("too_many_to_analyse", detail)
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def _market(self, symbol: str, orders: Sequence[tuple[OrderState, Sequence[Slice]]]) -> RecordedMarket:
        live = await self._instruments.get(symbol)
        begins = [slices[0].window.start if slices else state.next_open for state, slices in orders]
        return await RecordedMarket.read(self._store, live, min(begins)) if begins else RecordedMarket(live, [])


def _analysed(state: OrderState, slices: Sequence[Slice], market: RecordedMarket) -> AnalysedOrder:
    windows = list(market.windows_of(state, slices))
    closed = windows[: state.sums.steps + state.sums.unseen_steps]
    after = market.after(closed[-1].end, max(REVERSION_BARS)) if closed else ()
    bars = tuple(market.bar_in(window) for window in windows)
    return AnalysedOrder(
        state=state,
        analysis=analyse(state, bars, after, market.newest),
        started=slices[0].window.start if slices else None,
        models=models_of(slices),
        market=bars,
    )
