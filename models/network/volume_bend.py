"""What straight lines miss of the coming volumes: a small network between the same figures and the log of each next
step's volume. It bends the lines and has no say where the window is no market's.

Shapes: B windows, V levels, K bar lengths, N steps.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.network.lengths import LENGTHS

FIGURE_MAX = 5.0
"""In standard deviations: a window unlike all that the bend was fitted on is read as the most unlike of those."""


class VolumeBend(nn.Module):
    """[B, V], [B, K] -> [B, N]. Says nothing until it is fitted, and learns in the warm start alone."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, levels: int, width: int, steps: int) -> None:
        super().__init__()
        figures = levels + LENGTHS
        self.register_buffer("mean", torch.zeros(figures))
        self.register_buffer("deviation", torch.ones(figures))
        self.inner, self.outer = nn.Linear(figures, width), nn.Linear(width, width)
        self.bend = nn.Linear(width, steps)
        nn.init.zeros_(self.bend.weight)
        nn.init.zeros_(self.bend.bias)
        self.requires_grad_(False)

    def forward(self, levels: Tensor, lengths: Tensor, dropout: float = 0.0) -> Tensor:
        x = (torch.cat([levels, lengths], dim=-1) - self.mean) / self.deviation
        x = x.clamp(-FIGURE_MAX, FIGURE_MAX)
        for layer in (self.inner, self.outer):
            x = functional.relu(layer(x))
            if dropout:
                x = functional.dropout(x, dropout)
        result: Tensor = self.bend(x)
        return result
