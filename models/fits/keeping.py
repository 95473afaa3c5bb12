"""Where a fit keeps what it has reached, so that it goes on from there after a stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import nn

State = dict[str, Any]
"""Tensors, numbers, and lists and dictionaries of them."""


class Kept(Protocol):
    """Each state has a name. A state that is a process' `own` is of its share of the windows; any other is the same in
    all processes, and the first of them writes it."""

    def read(self, name: str, *, own: bool = False) -> State | None: ...

    def write(self, name: str, state: State, *, own: bool = False) -> None: ...

    def due(self) -> bool:
        """Whether the newest state is so old that a stop would lose much."""
        ...


class NothingKept:
    """For fits that nobody would go on with."""

    def read(self, name: str, *, own: bool = False) -> State | None:
        return None

    def write(self, name: str, state: State, *, own: bool = False) -> None:
        """Write nothing."""

    def due(self) -> bool:
        return False


NOTHING_KEPT = NothingKept()


@dataclass(frozen=True, slots=True)
class Descent:
    """A fit that goes down step by step: what learns, its optimiser, and the rate that falls."""

    module: nn.Module
    optimizer: torch.optim.Optimizer
    falling: torch.optim.lr_scheduler.LRScheduler

    def step(self) -> None:
        self.optimizer.step()
        self.falling.step()

    def state(self, steps_done: int) -> State:
        return {
            "steps_done": steps_done,
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "falling": self.falling.state_dict(),
        }

    def restore(self, saved: State | None) -> int:
        """Go on from what was kept. Returns how many steps are done: none where nothing was."""
        if saved is None:
            return 0
        self.module.load_state_dict(saved["module"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.falling.load_state_dict(saved["falling"])
        steps_done: int = saved["steps_done"]
        return steps_done
