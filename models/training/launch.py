"""Start a training: in this process, or in several that share each step's work and average their gradients."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from time import monotonic

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import distributed
from torch.multiprocessing.spawn import ProcessException, spawn

from app.backtest.workers import end_with_parent
from app.domain.errors import LemError
from models.objective.objective import Loss
from models.settings.train_plan import TrainPlan
from models.training.train import train
from models.training.validation import Row

SMOOTHING = 0.98
LINE_EVERY = 100
"""Where there is no terminal to draw a bar in, such as in a log, that many steps are told in one line."""
SPEED_PERIOD = 600.0
"""Over so many seconds the time left is estimated: steps that also validate or keep a checkpoint take far longer."""
GRACE_SECONDS = 10.0
"""So long the processes may take to end by themselves when one of them has failed: mostly all fail alike."""

Refusals = SimpleQueue[LemError | OSError]


def launch(plan: TrainPlan, folder: Path, processes: int, threads: int) -> list[Row]:
    """Train to the end, with a progress bar on standard error, or lines of it; returns the validation table.

    Raises what one of the processes does for want of something that the user can mend, as if it were this one."""
    threads = threads or max(1, (os.cpu_count() or 1) // processes)
    if processes == 1:
        return _train(plan, folder, threads)
    _share_out(plan, folder, processes, threads)
    return train(plan, folder)  # nothing is left to train: it measures


def _share_out(plan: TrainPlan, folder: Path, processes: int, threads: int) -> None:
    refusals: Refusals = get_context("spawn").SimpleQueue()
    arguments = (plan, folder, processes, threads, _free_port(), refusals)
    context = spawn(_join, args=arguments, nprocs=processes, join=False)
    try:
        while not context.join(grace_period=GRACE_SECONDS):
            pass
    except ProcessException:  # of whichever ended first, with a traceback in the place of the error
        if refusals.empty():
            raise
        raise refusals.get() from None


def _join(
    process: int, plan: TrainPlan, folder: Path, processes: int, threads: int, port: int, refusals: Refusals
) -> None:
    end_with_parent()
    address = f"tcp://127.0.0.1:{port}"
    distributed.init_process_group("gloo", init_method=address, rank=process, world_size=processes)
    try:
        _train(plan, folder, threads, shown=process == 0)
    except (LemError, OSError) as error:
        refusals.put(error)  # before the group ends, which the others fail by
        raise
    finally:
        distributed.destroy_process_group()


def _train(plan: TrainPlan, folder: Path, threads: int, *, shown: bool = True) -> list[Row]:
    torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with _progress(shown) as progress:
        return train(plan, folder, _Teller(progress, plan), device)


class _Teller:
    """Moves the progress bar, of each stage anew; that of the training has running means of what the loss is made of
    and the orders rolled per second."""

    def __init__(self, progress: Progress, plan: TrainPlan) -> None:
        self.progress, self.orders_per_step = progress, plan.settings.orders_per_step
        self.task = progress.add_task("reading bars", total=None, figures="")
        self.stage = ""
        self.means: tuple[float, ...] | None = None
        self.began: tuple[float, int] | None = None

    def __call__(self, stage: str, done: int, total: int, loss: Loss | None = None) -> None:
        if stage != self.stage:  # the time left is of its steps alone
            self.progress.reset(self.task, description=stage, total=total, completed=done)
            self.stage = stage
        self._show(done, self._figures(done, loss) if loss else "")

    def _figures(self, step: int, loss: Loss) -> str:
        new = (loss.utility, loss.volume, loss.volatility, loss.outlook)
        old = self.means or new
        self.means = tuple(SMOOTHING * before + (1.0 - SMOOTHING) * now for before, now in zip(old, new, strict=True))
        self.began = self.began or (monotonic(), step)
        seconds, steps = monotonic() - self.began[0], step - self.began[1]
        speed = self.orders_per_step * steps / seconds if steps else 0.0
        utility, volume, volatility, outlook = self.means
        errors = f"volume {volume:.3f}  volatility {volatility:.3f}  outlook {outlook:.4f}"
        return f"utility {utility:.4f}  {errors}  {speed:,.0f} samples/s"

    def _show(self, step: int, figures: str) -> None:
        self.progress.update(self.task, completed=step, figures=figures)
        task = self.progress.tasks[0]
        drawn = self.progress.disable or self.progress.console.is_terminal
        if drawn or (step % LINE_EVERY and step != task.total):
            return
        left = "?" if task.time_remaining is None else timedelta(seconds=round(task.time_remaining))
        line = f"{task.description} {step:,} of {task.total:,.0f}  {left} left  {figures}"
        self.progress.console.print(line.rstrip(), soft_wrap=True, highlight=False)


def _progress(shown: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        console=Console(stderr=True),
        disable=not shown,
        speed_estimate_period=SPEED_PERIOD,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
