"""`slices_next` and `orders`: a request against a bare handler that does the least that such a request needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from app.bench.book import SYMBOL
from app.bench.figures import Figure
from app.bench.market import next_slice_call, order_call
from app.bench.measured_process import MeasuredProcess
from app.bench.percentiles import percentile, ratio_of_rounds
from app.bench.run import Run
from app.bench.wire import Call, call_all

SLICES_NEXT, ORDERS = "slices_next", "orders"
TARGETS = {SLICES_NEXT: 1.5, ORDERS: 3.0}
"""CPU of the service in units of the bare handler's."""
BARE_READ = Call("GET", "/slices/any")
BARE_ORDERS = "/orders"
WARMING_CALLS = 20


@dataclass(slots=True)
class Rounds:
    """CPU of one call in seconds, for each round; and the time of every call of all rounds."""

    process: list[float] = field(default_factory=list)
    store: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def measure(self, process: MeasuredProcess, calls: Sequence[Call]) -> None:
        with process.measured() as cost:
            answers = call_all(process.address, calls)
        self.process.append(cost.process_seconds / len(calls))
        self.store.append(cost.store_seconds / len(calls))
        self.seconds += [answer.seconds for answer in answers]


def slices_next(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """`GET slices/next` of working orders in turn, against a bare handler with one HGET."""
    for orders in sizes:
        book = run.book(orders)
        run.on_progress(f"slices/next of {orders:,} orders, and the bare handler, in turns")
        calls = [next_slice_call(book.order_ids[number % orders]) for number in range(run.sizes.calls)]
        rounds = [(calls, [BARE_READ] * len(calls))] * run.sizes.rounds
        yield from _compared(SLICES_NEXT, orders, book.service, run.ceilings(), rounds)


def post_orders(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """`POST /v1/orders`, answered with the first slice committed, against a bare POST with one script."""
    book = run.any_book()
    for orders in sizes:
        run.on_progress(f"{orders:,} orders, and the bare handler, in turns")
        symbol = f"{SYMBOL}-{orders}"
        call_all(book.service.address, book.walks.register([symbol]) + book.walks.post([symbol], 0, book.history))
        of_a_round = max(1, orders // run.sizes.rounds)
        rounds = []
        for number in range(run.sizes.rounds):
            calls = [
                order_call(symbol, each, name=f"{symbol}-{number}", steps=book.steps) for each in range(of_a_round)
            ]
            rounds.append((calls, [replace(call, path=BARE_ORDERS) for call in calls]))
        warming = [
            order_call(symbol, each, name=f"{symbol}-warming", steps=book.steps) for each in range(WARMING_CALLS)
        ]
        call_all(book.service.address, warming)
        yield from _compared(ORDERS, orders, book.service, run.ceilings(), rounds)


def _compared(
    case: str,
    orders: int,
    service: MeasuredProcess,
    ceilings: MeasuredProcess,
    rounds: Sequence[tuple[list[Call], list[Call]]],
) -> Iterator[Figure]:
    """Rounds of the service's calls and of the bare ones in turns, so that both meet the same machine."""
    ours, bare = Rounds(), Rounds()
    for calls, bare_calls in rounds:
        ours.measure(service, calls)
        bare.measure(ceilings, bare_calls)
    ratio, target = ratio_of_rounds(ours.process, bare.process), TARGETS[case]
    yield Figure(case=case, orders=orders, name="cpu_ratio", value=ratio, unit="ratio", target=target)
    for name, value in (
        ("service_cpu", percentile(ours.process, 0.5)),
        ("bare_cpu", percentile(bare.process, 0.5)),
        ("store_cpu", percentile(ours.store, 0.5)),
        ("bare_store_cpu", percentile(bare.store, 0.5)),
    ):
        yield Figure(case=case, orders=orders, name=name, value=value, unit="us")
    for name, seconds in (("", ours.seconds), ("bare_", bare.seconds)):
        for label, share in (("p50", 0.5), ("p99", 0.99)):
            yield Figure(case=case, orders=orders, name=f"{name}{label}", value=percentile(seconds, share), unit="ms")
