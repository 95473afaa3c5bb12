"""Starts a training: in this process, or in several that share each step's work and average their gradients."""

from __future__ import annotations

import os
import socket
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import torch
from torch import distributed
from torch.multiprocessing.spawn import ProcessException, spawn

from app.backtest.workers import end_with_parent
from app.domain.errors import LemError
from models.settings.train_plan import TrainPlan
from models.training.progress_bar import ProgressBar, progress_on_stderr
from models.training.train import train
from models.training.validation import Row

GRACE_SECONDS = 10.0
"""How long processes may take to end by themselves when one of them has failed: mostly all fail alike."""

Refusals = SimpleQueue[LemError | OSError]


def launch(plan: TrainPlan, folder: Path, processes: int, threads: int) -> list[Row]:
    """Train to the end, with a progress bar on standard error, or lines of it; returns the validation table.

    A LemError or OSError of any of the processes is raised here as if it were this process' own."""
    threads = threads or max(1, (os.cpu_count() or 1) // processes)
    if processes == 1:
        return _train(plan, folder, threads)
    _share_out(plan, folder, processes, threads)
    return train(plan, folder)  # nothing is left to train: this measures


def _share_out(plan: TrainPlan, folder: Path, processes: int, threads: int) -> None:
    refusals: Refusals = get_context("spawn").SimpleQueue()
    arguments = (plan, folder, processes, threads, _free_port(), refusals)
    context = spawn(_join, args=arguments, nprocs=processes, join=False)
    try:
        while not context.join(grace_period=GRACE_SECONDS):
            pass
    except ProcessException:  # of whichever ended first, with a traceback instead of the error
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
        refusals.put(error)  # before the group ends: the others fail by that
        raise
    finally:
        distributed.destroy_process_group()


def _train(plan: TrainPlan, folder: Path, threads: int, *, shown: bool = True) -> list[Row]:
    torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if not shown:
        return train(plan, folder, device=device)
    with progress_on_stderr() as progress:
        bar = ProgressBar(progress)
        return train(plan, folder, bar, device, on_ahead=bar.tell)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
