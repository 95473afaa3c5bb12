"""How an order's state goes into `decision.onnx`: the columns, and the one function that fills them."""

from __future__ import annotations

import numpy as np

from app.decision.market import Floats
from app.decision.policy import Rows

STATE_COLUMNS = (
    "filled_fraction", "price_return", "achieved_return", "benchmark_volume", "order_volume", "min_steps", "max_steps",
    "max_slice_fraction", "max_participation_rate", "risk_aversion",
)  # fmt: skip
"""`price_return` is last close / benchmark so far - 1, `achieved_return` average price / benchmark so far - 1, both
without the sign of the side; volumes are base units; the rest is as in `Rows`."""


def state_matrix(rows: Rows) -> Floats:
    """[B, K]. The ratios are taken in double precision: they are small differences of large prices."""
    columns = (
        rows.filled_fraction,
        rows.last_price / rows.benchmark_price - 1.0,
        rows.avg_price / rows.benchmark_price - 1.0,
        rows.benchmark_volume,
        rows.order_volume,
        rows.min_steps,
        rows.max_steps,
        rows.max_slice_fraction,
        rows.max_participation_rate,
        rows.risk_aversion,
    )
    return np.stack(columns, axis=-1).astype(np.float32)
