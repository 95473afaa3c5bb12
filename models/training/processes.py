"""The processes that share one training (torch.distributed): each draws its share, and their gradients are averaged."""

from __future__ import annotations

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

    def average_gradients(self, net: nn.Module) -> None:
        if self.count == 1:
            return
        gradients = [weights.grad for weights in net.parameters() if weights.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.count
        for gradient, part in zip(gradients, flat.split([one.numel() for one in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))
