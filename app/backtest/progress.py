"""How far a backtest is: told as shares of the work, shown as a bar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

LINE_SECONDS = 15.0
"""In a log, from one line on the progress to the next."""

LEM_WEIGHT = 12.0
"""How much longer the LEM takes than a baseline, for the time left that is shown."""

OnShare = Callable[[float], None]
"""Called with the share of the work that was done since the last call; the shares of one series add up to 1."""


def scaled(on_progress: OnShare, scale: float) -> OnShare:
    """For a part that is `scale` of the whole: takes shares of the part and passes on shares of the whole."""
    return lambda share: on_progress(share * scale)


class ShareProgress(Progress):
    """Where there is no terminal to draw on, such as in a log, a line comes every `LINE_SECONDS`, and no bar."""

    def __init__(self, *columns: ProgressColumn, console: Console) -> None:
        super().__init__(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._line_at = monotonic()

    def advance(self, task_id: TaskID, advance: float = 1.0) -> None:
        super().advance(task_id, advance)
        if self.console.is_terminal or monotonic() - self._line_at < LINE_SECONDS:
            return
        self._line_at = monotonic()
        task = next(each for each in self.tasks if each.id == task_id)
        left = "?" if task.time_remaining is None else timedelta(seconds=round(task.time_remaining))
        line = f"{task.percentage:.0f} %  {left} left  {task.description}"
        self.console.print(line, soft_wrap=True, highlight=False, markup=False)


def progress_bar(console: Console) -> ShareProgress:
    """A bar with the time left, which is gone at the end; lines in a log."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return ShareProgress(*columns, console=console)
