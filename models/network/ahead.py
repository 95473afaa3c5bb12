"""How far ahead things are foreseen: at knots along the steps to come, on straight lines between them.

Volume and volatility change fast at first and slowly later, so the knots lie densely where a step matters. Up to a day
of hours every step that a daily wave needs has a knot of its own.

Shapes: B windows, K knots, N steps.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

KNOTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 20, 22, 24, 32, 48, 64, 96, 128, 192, 256)
"""Steps ahead, 1 is the next; beyond the last one nothing changes."""
NEAR = 24
"""Up to this step knots lie so densely that waves shorter than a day are foreseen between them."""


def knots_of(steps: int) -> tuple[int, ...]:
    """Those knots that a horizon of `steps` needs: all up to it, and `steps` itself."""
    return (*(knot for knot in KNOTS if knot < steps), steps)


def spread_over(knots: tuple[int, ...], steps: int) -> Tensor:
    """[K, N]: the share of each knot in each step; columns sum to 1."""
    ahead = np.arange(1, steps + 1)
    each = [np.interp(ahead, knots, np.eye(len(knots))[index]) for index in range(len(knots))]
    return torch.from_numpy(np.stack(each)).float()


def gathered_at(knots: tuple[int, ...], steps: int) -> Tensor:
    """[N, K]: the matrix by which figures of single steps become means of the steps between each knot and the one
    before it; a knot takes its own step in."""
    mean = torch.zeros(steps, len(knots))
    before = 0
    for index, knot in enumerate(knots):
        mean[before:knot, index] = 1.0 / (knot - before)
        before = knot
    return mean


def judged_steps(steps: int) -> Tensor:
    """[J], from 1: the steps at which forecasts are held against what came. The knots, so that near steps weigh most,
    and the steps half way between knots that lie apart."""
    knots = knots_of(steps)
    halfway = {(low + high) // 2 for low, high in pairwise(knots)}
    return torch.tensor(sorted(halfway.union(knots)))
