"""Processes that share a long piece of work end with the one that started them."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread


def worker_pool(jobs: int) -> ProcessPoolExecutor:
    """Workers end with the process that asked for them, also where it is killed: they would otherwise finish what they
    have, and then wait for more for ever."""
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=end_with_parent)


def end_with_parent() -> None:
    """End this process where the one that started it ends, also by a kill. To be called once, at its start."""
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
