"""The utility that training maximises and that bundles are compared by: the mean gain less a penalty for its spread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def utility(gain: Any, risk_aversion: Any, sqrt: Callable[[Any], Any]) -> Any:
    """gain - risk_aversion (sqrt(1 + gain^2) - 1), of a gain in units of volatility.

    Small gains and losses are weighed by their square, large ones by their size. Takes arrays with `np.sqrt` and
    tensors with `torch.sqrt`: a power of one half has other gradients in the last digit.
    """
    return gain - risk_aversion * (sqrt(1.0 + gain * gain) - 1.0)
