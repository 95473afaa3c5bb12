"""Facts of the 8 scenarios as tensors, in the order of their index.

Shapes: S scenarios.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from app.domain.order import SCENARIOS, Benchmark, SizeMode

SIGN = np.array([scenario.side.sign for scenario in SCENARIOS], dtype=np.float64)
IS_VWAP = np.array([scenario.benchmark is Benchmark.VWAP for scenario in SCENARIOS])
BY_QUANTITY = np.array([scenario.size_mode is SizeMode.QUANTITY for scenario in SCENARIOS])


def signs() -> Tensor:
    """[S] +1 where the order buys, -1 where it sells."""
    return torch.from_numpy(SIGN).float()


def vwap_flags() -> Tensor:
    """[S] true where the benchmark is VWAP; it is TWAP elsewhere."""
    return torch.from_numpy(IS_VWAP.copy())


def notional_flags() -> Tensor:
    """[S] true where the order fixes its notional; it fixes its quantity elsewhere."""
    return torch.from_numpy(~BY_QUANTITY)
