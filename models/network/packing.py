"""Figures by name, and the one way in which they become columns of a tensor.

Shapes: `...` is any batch, W figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def packed(names: Sequence[str], figures: Mapping[str, Tensor]) -> Tensor:
    """[...] each -> [..., W] in the order of `names`. Raises ValueError where the figures are not just those."""
    if figures.keys() != set(names):
        raise ValueError(f"not the figures that are packed: {sorted(figures.keys() ^ set(names))}")
    return torch.stack([figures[name] for name in names], dim=-1)


def unpacked(names: Sequence[str], columns: Tensor) -> dict[str, Tensor]:
    """[..., W] -> [...] each."""
    return dict(zip(names, columns.unbind(-1), strict=True))


def aged(name: str, bars: int) -> tuple[str, ...]:
    """The names of one figure of each of the newest bars, in the order of time: the newest bar has age 0."""
    return tuple(f"{name}_{age}" for age in range(bars - 1, -1, -1))


def by_age(name: str, newest: Tensor) -> dict[str, Tensor]:
    """A figure of the newest bars, [B, bars], as one figure for each."""
    return unpacked(aged(name, newest.shape[-1]), newest)
