"""A training's progress on standard error: a bar on a terminal, lines now and then and at a stage's end in a log."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from app.backtest.progress import LINE_SECONDS
from models.objective.objective import Loss

SMOOTHING = 0.98
SPEED_PERIOD = 600.0
"""Seconds over which the time left is estimated: steps that also validate or keep a checkpoint take far longer."""


class ProgressBar:
    """Moves a progress bar, of each stage anew. Those that teach show running means of the figures of the loss."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.task = progress.add_task("reading bars", total=None, figures="")
        self.stage = ""
        self.means: dict[str, float] = {}
        self.line_at = monotonic()

    def tell(self, text: str) -> None:
        """A line of its own, above the bar where there is one."""
        self.progress.console.print(text, soft_wrap=True, highlight=False, markup=False)

    def __call__(self, stage: str, done: int, total: int, loss: Loss | None = None) -> None:
        if stage != self.stage:  # the time left is of its steps alone
            self.progress.reset(self.task, description=stage, total=total, completed=done)
            self.stage = stage
        self._show(done, self._figures(loss) if loss else "")

    def _figures(self, loss: Loss) -> str:
        old = self.means if self.means.keys() == loss.figures.keys() else loss.figures
        self.means = {name: SMOOTHING * old[name] + (1.0 - SMOOTHING) * new for name, new in loss.figures.items()}
        return "  ".join(f"{name} {mean:.4f}" for name, mean in self.means.items())

    def _show(self, step: int, figures: str) -> None:
        self.progress.update(self.task, completed=step, figures=figures)
        task = self.progress.tasks[0]
        if self.progress.console.is_terminal or (monotonic() - self.line_at < LINE_SECONDS and step != task.total):
            return
        self.line_at = monotonic()
        left = "?" if task.time_remaining is None else timedelta(seconds=round(task.time_remaining))
        self.tell(f"{task.description} {step:,} of {task.total:,.0f}  {left} left  {figures}".rstrip())


def progress_on_stderr() -> Progress:
    """A bar on a terminal alone: in a log its remains would stand between the lines."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        console=console,
        disable=not console.is_terminal,
        speed_estimate_period=SPEED_PERIOD,
    )
