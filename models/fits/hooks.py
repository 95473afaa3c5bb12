"""What a fit calls while it runs, and what stands there by default."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

AddOthers = Callable[[Tensor], None]
"""Where a fit sees one process' share of the windows: adds the other processes' parts of a sum to this one's, in
place."""
OnStep = Callable[[int, int], None]
"""Is called with how many steps are done, and of how many."""


def alone(_part: Tensor) -> None:
    """There are no other processes."""


def unwatched(_done: int, _total: int) -> None:
    """Nobody asks how far the fit is."""
