"""How far a backtest is: told as shares of the work, shown as a bar."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

LEM_WEIGHT = 12.0
"""How much longer the LEM takes than a baseline, for the time left that is shown."""

OnShare = Callable[[float], None]
"""Called with the share of the work that was done since the last call; the shares of one series add up to 1."""


def scaled(on_progress: OnShare, scale: float) -> OnShare:
    """For a part that is `scale` of the whole: takes shares of the part and passes on shares of the whole."""
    return lambda share: on_progress(share * scale)


def progress_bar(console: Console) -> Progress:
    """A bar with the time left, which is gone at the end."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)
