"""What a training reports while it runs."""

from __future__ import annotations

from typing import Protocol

from models.objective.objective import Loss


class OnProgress(Protocol):
    """Is called with the stage, how many of its steps are done and of how many; in stages that teach also with
    the step's loss."""

    def __call__(self, stage: str, done: int, total: int, loss: Loss | None = None) -> None: ...


def silent(stage: str, done: int, total: int, loss: Loss | None = None) -> None:
    """Reports nothing."""
