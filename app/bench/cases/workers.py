"""`workers`: what a second worker brings, on the clock and in CPU, and what it could bring on these cores at best."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.bench.cases.replicas import filled
from app.bench.failures import BenchFailed
from app.bench.figures import Figure
from app.bench.percentiles import percentile
from app.bench.process_stats import children_of, cpu_seconds
from app.bench.run import Run
from app.bench.service import Service
from app.bench.wire import call_all

CASE = "workers"
INSTRUMENTS = 32
CONNECTIONS = 8
TIME_TARGET = 1 / 1.8


@dataclass(frozen=True, slots=True)
class Round:
    """What a round of a bar of every instrument takes: on the clock, and in CPU of all workers, of the store and of the
    client."""

    seconds: float
    workers: float
    store: float
    client: float

    def least_seconds(self, workers: int, cores: int) -> float:
        """How long the same work takes at best, where so many workers share it evenly and wait for nothing, and the
        store and the client run on the same cores."""
        return max(self.workers / workers, self.store, (self.workers + self.store + self.client) / cores)


def workers(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """The same bars of the same instruments, each bar a request of its own, with one worker and with two."""
    for orders in sizes:
        one, two = (_median(_rounds(run, orders, count)) for count in (1, 2))
        for count, each in ((1, one), (2, two)):
            for name in ("seconds", "workers", "store", "client"):
                label = "seconds_per_round" if name == "seconds" else f"{name}_cpu_per_round"
                yield Figure(
                    case=CASE, orders=orders, name=f"{label}_with_{count}", value=getattr(each, name), unit="ms"
                )
        cores = os.cpu_count() or 1
        at_best = one.least_seconds(2, cores) / one.least_seconds(1, cores)
        yield Figure(case=CASE, orders=orders, name="least_time_of_two_to_one", value=at_best, unit="ratio")
        cpu = two.workers / one.workers
        yield Figure(case=CASE, orders=orders, name="workers_cpu_of_two_to_one", value=cpu, unit="ratio")
        ratio = two.seconds / one.seconds
        yield Figure(case=CASE, orders=orders, name="time_of_two_to_one", value=ratio, unit="ratio", target=TIME_TARGET)


def _median(rounds: Sequence[Round]) -> Round:
    """Of each figure by itself."""
    names = ("seconds", "workers", "store", "client")
    return Round(*(percentile([getattr(each, name) for each in rounds], 0.5) for name in names))


def _rounds(run: Run, orders: int, count: int) -> list[Round]:
    symbols = [f"BENCH-{number}" for number in range(INSTRUMENTS)]
    with run.service(f"workers-{count}-{orders}", workers=count) as service:
        run.on_progress(f"{run.sizes.bars} rounds of bars of {INSTRUMENTS} instruments with {count} workers")
        walks, history, _ = filled(service, symbols, orders, run.sizes.bars)
        rounds = []
        for number in range(run.sizes.bars):
            calls = [call for symbol in symbols for call in walks.post([symbol], history + number)]
            before = _spent(service, count)
            answers = call_all(service.address, calls, CONNECTIONS)
            rounds.append(Round(*(now - then for now, then in zip(_spent(service, count), before, strict=True))))
            if any("decided" in json.loads(answer.body) for answer in answers):
                raise BenchFailed("a bar was answered before its slices were decided")
    return rounds


def _spent(service: Service, count: int) -> tuple[float, float, float, float]:
    """As in `Round`, since some moment. Workers among others are children of their parent, as the store is."""
    pids = [service.pid] if count == 1 else [pid for pid in children_of(service.pid) if pid != service.store_pid]
    used = sum(map(cpu_seconds, pids))
    return time.perf_counter(), used, cpu_seconds(service.store_pid), time.process_time()
