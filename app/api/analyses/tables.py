"""Cost analyses as a table, a row for each order: CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.api.analyses.bodies import AnalysisOut
from app.api.values import BPS_DECIMALS, DECIMALS_MAX, plain, utc
from app.domain.numbers import EXACT
from app.engine.analyses import AnalysedOrder
from app.engine.analysis_totals import FIGURES, figures_of

MONEY, RATE = pa.decimal128(38, DECIMALS_MAX), pa.float64()
SMALLEST = Decimal(1).scaleb(-DECIMALS_MAX)
WORDS = ("order_id", "client_order_id", "status", "instrument", "side", "benchmark", "size_mode", "models")
NUMBERS = ("min_steps", "max_steps", "steps_used")
MONIES = ("size", "filled", "leaves", "unpriced", "avg_price", "arrival_price", "last_price", "benchmark_price")
LABELS = ("partial", "final")


def as_csv(orders: Sequence[AnalysedOrder]) -> bytes:
    """Decimals as they are in JSON; empty where a figure is not known."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _columns().names)
    writer.writeheader()
    for order in orders:
        writer.writerow({name: _text(name, value) for name, value in _row(order).items()})
    return text.getvalue().encode()


def as_parquet(orders: Sequence[AnalysedOrder]) -> bytes:
    """Sizes and prices as decimals of 12 places, rates and bps as doubles, times in UTC."""
    schema = _columns()
    rows = [{name: _value(schema.field(name).type, value) for name, value in _row(each).items()} for each in orders]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink)
    return sink.getvalue()


def _columns() -> pa.Schema:
    """Named as in JSON, but for the figures within figures, which have names of their own."""
    return pa.schema(
        [
            *((name, pa.string()) for name in WORDS),
            *((name, pa.int32()) for name in NUMBERS),
            ("started_at", pa.timestamp("us", tz="UTC")),
            *((name, MONEY) for name in MONIES),
            *((name, RATE) for name in FIGURES),
            *((name, pa.bool_()) for name in LABELS),
        ]
    )


def _row(analysed: AnalysedOrder) -> dict[str, Any]:
    shown = AnalysisOut.of(analysed)
    plain_fields = {name: getattr(shown, name) for name in (*WORDS, *NUMBERS, "started_at", *MONIES, *LABELS)}
    return plain_fields | {"models": ";".join(shown.models)} | figures_of(analysed)


def _text(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value, BPS_DECIMALS if name.endswith("_bps") else DECIMALS_MAX)
    if isinstance(value, datetime):
        return utc(value)
    return str(value).lower() if isinstance(value, bool) else value


def _value(kind: pa.DataType, value: Any) -> Any:
    if value is None:
        return None
    if kind == RATE:
        return float(value)
    return value.quantize(SMALLEST, context=EXACT) if kind == MONEY else value
