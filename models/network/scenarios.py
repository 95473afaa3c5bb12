"""Traits of the 8 scenarios as tensors, in the order of `Scenario.index`.

Shapes: S scenarios.
"""

from __future__ import annotations

import torch
from torch import Tensor

from app.decision.scenarios import BY_QUANTITY, IS_VWAP, SIGN


def signs() -> Tensor:
    """[S] +1 where the order buys, -1 where it sells."""
    return torch.from_numpy(SIGN).float()


def vwap_flags() -> Tensor:
    """[S] true where the benchmark is VWAP; it is TWAP elsewhere."""
    return torch.from_numpy(IS_VWAP.copy())


def notional_flags() -> Tensor:
    """[S] true where the order fixes its notional; it fixes its quantity elsewhere."""
    return torch.from_numpy(~BY_QUANTITY)
