"""How every baseline turns a cumulative target into the next slice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.decision.policy import Rows


def even_pace(rows: Rows) -> NDArray[np.float64]:
    """[B]: the share of the order that is done after the next step when every step trades the same."""
    return rows.step / rows.max_steps


def towards(target: NDArray[np.float64], rows: Rows) -> NDArray[np.float64]:
    """[B]: the slice that brings the order to the cumulative `target`.

    The aim is the sum and not the slice, so roundings, caps and missed fills correct themselves in the next step.
    """
    return np.maximum(0.0, np.minimum(target, 1.0) - rows.filled_fraction)
