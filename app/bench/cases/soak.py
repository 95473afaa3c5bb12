"""`soak`: days of one-minute bars as fast as the service takes them, with orders that come, trade and end all along."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from app.bench.charts import Chart, drawing
from app.bench.figures import Figure
from app.bench.market import STEPS_MAX, Walks
from app.bench.oms import Oms
from app.bench.percentiles import growth
from app.bench.process_stats import descriptors, folder_bytes, resident_bytes
from app.bench.run import Run
from app.bench.service import Service
from app.bench.wire import in_a_loop
from app.files import written_whole

CASE = "soak"
SYMBOL = "SOAK"
BAR_SECONDS = 60
BARS_PER_DAY = 86_400 // BAR_SECONDS
SAMPLES = 300
TOLD = 20
"""How many of the samples are told while the soak runs."""
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the processes held after so many days of bars. `store_data_bytes` is what the store says that it holds,
    `files_bytes` the size of the data folder; `orders` have been sent so far."""

    day: float
    orders: int
    service_bytes: int
    store_bytes: int
    store_data_bytes: int
    files_bytes: int
    service_descriptors: int
    store_descriptors: int


def soak(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """A number of orders is live at a time: each that ends is followed by another one."""
    for orders in sizes:
        with run.service(f"soak-{orders}") as service:
            run.on_progress(f"a soak of {run.sizes.days:g} days of one-minute bars with {orders} live orders")
            started = perf_counter()
            samples = in_a_loop(_soak(run, service, orders))
            bars_per_second = run.sizes.days * BARS_PER_DAY / (perf_counter() - started)
        if run.out is not None:
            write(run.out, samples)
        yield from _figures(orders, samples)
        yield Figure(case=CASE, orders=orders, name="bars_per_second", value=bars_per_second, unit="count")


def _figures(orders: int, samples: Sequence[Sample]) -> Iterator[Figure]:
    """Growth is that of the second half: caches and windows have filled by then."""
    late = samples[len(samples) // 2 :]
    days = [sample.day for sample in late]
    for name, values, unit in (
        ("service_memory_growth_per_day", [sample.service_bytes for sample in late], "MB"),
        ("service_descriptors_growth_per_day", [sample.service_descriptors for sample in late], "count"),
        ("store_data_growth_per_day", [sample.store_data_bytes for sample in late], "MB"),
    ):
        yield Figure(case=CASE, orders=orders, name=name, value=growth(days, values), unit=unit)
    last = samples[-1]
    for name, value, unit in (
        ("service_memory", last.service_bytes, "MB"),
        ("service_descriptors", last.service_descriptors, "count"),
        ("store_data", last.store_data_bytes, "MB"),
        ("files", last.files_bytes, "MB"),
        ("orders_sent", last.orders, "count"),
    ):
        yield Figure(case=CASE, orders=orders, name=name, value=value, unit=unit)


async def _soak(run: Run, service: Service, orders: int) -> list[Sample]:
    _, card = service.model()
    history, bars = int(card["lookback"]), max(2, round(run.sizes.days * BARS_PER_DAY))
    walks = Walks(bar_seconds=BAR_SECONDS, bars=history + bars)
    samples: list[Sample] = []
    every, told = max(1, bars // SAMPLES), max(1, min(SAMPLES, bars) // TOLD)
    async with Oms.at(service.address, SYMBOL, steps=min(STEPS_MAX, int(card["max_steps"]))) as oms:
        for call in walks.register([SYMBOL]) + walks.post([SYMBOL], 0, history):
            await oms.call(call)
        await oms.send(orders)
        for bar in range(bars):
            [call] = walks.post([SYMBOL], history + bar)
            await oms.call(call)
            await oms.trade()
            if bar % every == 0 or bar == bars - 1:
                samples.append(_sample(service, (bar + 1) / BARS_PER_DAY, oms.sent))
                if len(samples) % told == 1 % told:
                    run.on_progress(_told(samples[-1]))
    return samples


def _sample(service: Service, day: float, orders: int) -> Sample:
    return Sample(
        day=day,
        orders=orders,
        service_bytes=resident_bytes(service.pid),
        store_bytes=resident_bytes(service.store_pid),
        store_data_bytes=service.store_bytes(),
        files_bytes=folder_bytes(service.folder),
        service_descriptors=descriptors(service.pid),
        store_descriptors=descriptors(service.store_pid),
    )


def _told(sample: Sample) -> str:
    return (
        f"day {sample.day:.2f}: {sample.orders:,} orders, service {sample.service_bytes / MEGABYTE:.0f} MB and "
        f"{sample.service_descriptors} descriptors, store {sample.store_data_bytes / MEGABYTE:.1f} MB, "
        f"files {sample.files_bytes / MEGABYTE:.1f} MB"
    )


def write(folder: Path, samples: Sequence[Sample]) -> None:
    """`soak.csv` with all samples, `soak.svg` with their charts. Raises OSError."""
    rows = [asdict(sample) for sample in samples]
    with written_whole(folder / "soak.csv") as draft, draft.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    with written_whole(folder / "soak.svg") as draft:
        draft.write_text(drawing([sample.day for sample in samples], "days of one-minute bars", _charts(samples)))


def _charts(samples: Sequence[Sample]) -> list[Chart]:
    def megabytes(values: Iterator[int]) -> list[float]:
        return [value / MEGABYTE for value in values]

    return [
        Chart(
            title="memory, MB",
            lines={
                "service": megabytes(sample.service_bytes for sample in samples),
                "store": megabytes(sample.store_bytes for sample in samples),
            },
        ),
        Chart(
            title="descriptors",
            lines={
                "service": [sample.service_descriptors for sample in samples],
                "store": [sample.store_descriptors for sample in samples],
            },
        ),
        Chart(
            title="store, MB",
            lines={
                "data": megabytes(sample.store_data_bytes for sample in samples),
                "files": megabytes(sample.files_bytes for sample in samples),
            },
        ),
    ]
