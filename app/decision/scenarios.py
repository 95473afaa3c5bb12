"""The scenarios' traits as arrays [S], in the order of `Scenario.index`: `SIGN[rows.scenario]` is [B].

Shapes: S scenarios, B orders.
"""

from __future__ import annotations

import numpy as np

from app.domain.order import SCENARIOS, Benchmark, Scenario, SizeMode

SIGN = np.array([scenario.side.sign for scenario in SCENARIOS], dtype=np.float64)
"""+1 where the order buys, -1 where it sells."""
IS_VWAP = np.array([scenario.benchmark is Benchmark.VWAP for scenario in SCENARIOS])
TWAP_TWIN = np.array([Scenario(each.side, Benchmark.TWAP, each.size_mode).index for each in SCENARIOS], dtype=np.int64)
"""The scenario of the same side and size mode whose benchmark is TWAP."""
BY_QUANTITY = np.array([scenario.size_mode is SizeMode.QUANTITY for scenario in SCENARIOS])
