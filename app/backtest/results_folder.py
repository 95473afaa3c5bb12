"""The folder of a backtest: orders and their distributions as files, and a report to look at."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.backtest.comparison import COMPARISON_COLUMNS, Row
from app.backtest.order_tables import SUMMARY_COLUMNS, summarise
from app.backtest.paired_orders import PairedOrders
from app.backtest.report.drawing import standing_alone
from app.backtest.report.plots import plots
from app.backtest.report.report_page import report_page

ORDERS, SUMMARY, POLICIES, REPORT, PLOTS = "orders.parquet", "summary.csv", "policies.csv", "report.html", "plots"


def write_results(out: Path, orders: PairedOrders, rows: Sequence[Row], facts: Mapping[str, str]) -> None:
    """Write all files of the folder. Several policies stand below each other in each file, by name, and the orders that
    a model has seen are told apart from the others."""
    several = len(orders.policies) > 1
    tables = orders.tables if several else {name: _plain(table) for name, table in orders.tables.items()}
    pq.write_table(_below_each_other(tables) if several else next(iter(tables.values())), out / ORDERS)
    columns = ("policy", "sample", *SUMMARY_COLUMNS) if several else SUMMARY_COLUMNS
    _write_csv(out / SUMMARY, columns, [row for name, table in tables.items() for row in _summary(name, table)])
    if several:
        _write_csv(out / POLICIES, COMPARISON_COLUMNS, rows)
    (out / REPORT).write_text(report_page(rows, facts), encoding="utf-8")
    (out / PLOTS).mkdir(exist_ok=True)
    for sample in dict.fromkeys(row["sample"] for row in rows):
        for name, svg in plots([row for row in rows if row["sample"] == sample]).items():
            (out / PLOTS / f"{'-'.join(filter(None, (name, sample)))}.svg").write_text(standing_alone(svg))


def _plain(orders: pa.Table) -> pa.Table:
    """The columns of `ORDERS_SCHEMA`."""
    return orders.drop_columns(["sample"]) if "sample" in orders.column_names else orders


def _below_each_other(tables: Mapping[str, pa.Table]) -> pa.Table:
    """With a column `policy` before the others."""
    named = [
        table.add_column(0, "policy", pa.array([name] * table.num_rows, pa.string())) for name, table in tables.items()
    ]
    return pa.concat_tables(named)


def _summary(policy: str, orders: pa.Table) -> list[dict[str, Any]]:
    if "sample" not in orders.column_names:
        return [{"policy": policy} | row for row in summarise(orders)]
    sample = orders.column("sample")
    return [
        {"policy": policy, "sample": each} | row
        for each in dict.fromkeys(sample.to_pylist())
        for row in summarise(orders.filter(pa.compute.equal(sample, each)))
    ]


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Other figures of a row are left out; a figure that a row lacks stays empty."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
