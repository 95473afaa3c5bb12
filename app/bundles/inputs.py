"""The state of orders as `decision.onnx` takes it: the columns, and the one function that fills them.

Shapes: B orders, K state columns.
"""

from __future__ import annotations

import numpy as np

from app.decision.market import Floats
from app.decision.policy import Rows

STATE_COLUMNS = (
    "filled_fraction", "price_return", "achieved_return", "benchmark_volume", "order_volume", "min_steps", "max_steps",
    "max_slice_fraction", "max_participation_rate", "risk_aversion",
)  # fmt: skip
"""`price_return` is last close / benchmark so far - 1 and `achieved_return` average price / benchmark so far - 1, both
without the sign of the side. Volumes are base units. The other columns are as in `Rows`."""


def state_matrix(rows: Rows) -> Floats:
    """[B, K] in the order of `STATE_COLUMNS`. The returns are taken in double precision: they are small differences of
    large prices."""
    named = {
        "filled_fraction": rows.filled_fraction,
        "price_return": rows.last_price / rows.benchmark_price - 1.0,
        "achieved_return": rows.avg_price / rows.benchmark_price - 1.0,
        "benchmark_volume": rows.benchmark_volume,
        "order_volume": rows.order_volume,
        "min_steps": rows.min_steps,
        "max_steps": rows.max_steps,
        "max_slice_fraction": rows.max_slice_fraction,
        "max_participation_rate": rows.max_participation_rate,
        "risk_aversion": rows.risk_aversion,
    }
    matrix = np.empty((len(rows), len(STATE_COLUMNS)), dtype=np.float32)
    for column, name in enumerate(STATE_COLUMNS):
        matrix[:, column] = named[name]
    return matrix
