"""The same orders under several policies, order by order.

Shapes: B orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.backtest.job import FileResult
from app.backtest.order_tables import KEYS
from app.bundles.seen_days import Sample, SeenDays
from app.domain.durations import DAY_SECONDS

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]

MICROSECONDS = 1_000_000
OF_THE_ORDER = ("instrument", "start_time", *KEYS)
"""The columns that say which order a row is; the others say what a policy made of it."""
Tables = dict[str, pa.Table]
"""Orders by policy: row b is the same order in each of the tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedOrders:
    """`tables` have the columns of `ORDERS_SCHEMA`, and `sample` too where a bundle decides. `starts_left_out` counts
    those for which a policy lacks the history. No order may run for more than `horizon_days` days of the calendar."""

    tables: Tables
    starts_left_out: int
    horizon_days: int

    def __len__(self) -> int:
        """How many orders each policy has."""
        return int(next(iter(self.tables.values())).num_rows)

    @property
    def policies(self) -> tuple[str, ...]:
        return tuple(self.tables)

    def column(self, name: str) -> NDArray[Any]:
        """[B]: what is the same under every policy."""
        column: NDArray[Any] = next(iter(self.tables.values())).column(name).to_numpy()
        return column

    @property
    def samples(self) -> list[str]:
        """The samples that have orders, in the order of `Sample`; none where no bundle decides."""
        return (
            []
            if "sample" not in self._columns
            else [each for each in Sample if each in set(self.column("sample").tolist())]
        )

    @property
    def _columns(self) -> list[str]:
        names: list[str] = next(iter(self.tables.values())).column_names
        return names


def paired_orders(results: Mapping[str, Sequence[FileResult]], seen: SeenDays | None) -> PairedOrders:
    """Put the results of all files together, by policy, in the order of the files. Each policy keeps the orders whose
    starts all of them have: some need more history than others."""
    parts: list[Tables] = []
    left_out = 0
    for of_file in zip(*results.values(), strict=True):
        tables = dict(zip(results, (each.orders for each in of_file), strict=True))
        shared, fewer = _shared(tables)
        parts.append(shared)
        left_out += fewer
    whole = {name: pa.concat_tables([part[name] for part in parts]) for name in results}
    _require_same_orders(whole)
    longest = max(each.horizon_seconds for files in results.values() for each in files)
    return PairedOrders(
        tables={name: _labelled(table, seen) for name, table in whole.items()},
        starts_left_out=left_out,
        horizon_days=max(1, -(-longest // DAY_SECONDS)),
    )


def start_seconds(orders: pa.Table) -> Integers:
    """[B], since the epoch."""
    seconds: Integers = orders.column("start_time").cast(pa.int64()).to_numpy() // MICROSECONDS
    return seconds


def _shared(tables: Tables) -> tuple[Tables, int]:
    """The orders of one file at the starts that all policies have, and how many other starts there are."""
    starts = {name: start_seconds(table) for name, table in tables.items()}
    distinct = [np.unique(times) for times in starts.values()]
    shared = distinct[0]
    for times in distinct[1:]:
        shared = np.intersect1d(shared, times)
    kept = {name: table.filter(pa.array(np.isin(starts[name], shared))) for name, table in tables.items()}
    return kept, len(np.unique(np.concatenate(distinct))) - len(shared)


def _require_same_orders(tables: Tables) -> None:
    first, *others = (table.select(OF_THE_ORDER) for table in tables.values())
    if not all(other.equals(first) for other in others):
        raise RuntimeError("policies were given different orders, though their starts are the same")


def _labelled(orders: pa.Table, seen: SeenDays | None) -> pa.Table:
    """With a column `sample` where a bundle decides."""
    if seen is None:
        return orders
    instruments, starts = orders.column("instrument").to_numpy(), start_seconds(orders)
    sample = np.full(len(starts), "", dtype=object)
    for instrument in set(instruments.tolist()):
        here = instruments == instrument
        sample[here] = seen.samples(instrument, starts[here])
    return orders.append_column("sample", pa.array(sample, pa.string()))
