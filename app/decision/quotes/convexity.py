"""What a fixed notional earns by being fixed: more base units where the price is low, fewer where it is high.

Shapes: N steps, P continuations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def convexity(shares: NDArray[Any], sigma: float) -> NDArray[np.float64]:
    """By how much, as a fraction, the average price of a fixed notional is expected to lie below that of a fixed
    quantity which trades the same `shares` [N] or [N, P] in the same bars, on a random walk of `sigma` per bar. A buyer
    gains it, a seller loses it.

    The harmonic mean lies below the arithmetic one by the variance of the prices paid. The log prices of the bars i and
    j differ by a variance of sigma^2 (|i - j| - 1/3), since a bar's price is the average of its path, so that with the
    cumulative shares F_k after k steps

        convexity = 1/2 sum_ij w_i w_j sigma^2 (|i - j| - 1/3) = sigma^2 (sum_k F_k (1 - F_k) - (1 - sum_i w_i^2) / 6)

    where i = j counts for nothing. An even pace over N steps gives sigma^2 (N - 1) / 6, to the first order.
    """
    total = shares.sum(axis=0)
    weights = np.divide(shares, total, out=np.zeros(shares.shape), where=total > 0)
    done = np.cumsum(weights, axis=0)
    within = (done * (1.0 - done)).sum(axis=0)
    expected: NDArray[np.float64] = sigma**2 * np.maximum(0.0, within - (1.0 - (weights**2).sum(axis=0)) / 6.0)
    return np.where(total > 0, expected, 0.0)
