"""The processes that share one training (torch.distributed): each draws its share, and their gradients are averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """This process is number `index` of `count`."""

    index: int = 0
    count: int = 1

    @classmethod
    def present(cls) -> Processes:
        if not distributed.is_initialized():
            return cls()
        return cls(index=distributed.get_rank(), count=distributed.get_world_size())

    @property
    def first(self) -> bool:
        """Whether this is the process that writes to disk and to the terminal."""
        return self.index == 0

    def share_of(self, total: int) -> int:
        """How many of `total` draws are this process' share, at least one."""
        return max(1, total // self.count)

    def add_others(self, part: Tensor) -> None:
        """Add the other processes' parts of a sum to this one's, in place."""
        if self.count > 1:
            distributed.all_reduce(part)

    def average_gradients(self, weights: Sequence[nn.Parameter]) -> None:
        """In place. A weight that one process' orders did not touch has a gradient of zero there."""
        if self.count == 1:
            return
        gradients = [torch.zeros_like(one) if one.grad is None else one.grad for one in weights]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.count
        for one, part in zip(weights, flat.split([gradient.numel() for gradient in gradients]), strict=True):
            one.grad = part.view_as(one)
