"""Several trainings at a time: in processes of this machine, or on the machines of a Ray cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, as_completed
from typing import TypeVar

import torch

from app.backtest.ray_pool import RayPool
from app.backtest.workers import worker_pool
from models.objective.objective import Loss
from models.settings.train_plan import TrainPlan

Item = TypeVar("Item")
Result = TypeVar("Result")

LINE_EVERY = 100


def each_trained(
    run: Callable[[Item], Result], items: Sequence[Item], jobs: int, ray: str | None, what: str
) -> list[Result]:
    """What `run` gives for each item, in their order: `jobs` at a time here, or as many as the cluster at the address
    `ray` has workers. A line tells of each that has finished. Raises what the first one that fails does."""
    pool: Executor = RayPool(ray) if ray else worker_pool(jobs)
    with pool:
        futures = {pool.submit(run, item): item for item in items}
        for number, future in enumerate(as_completed(futures), start=1):
            future.result()
            _tell(f"{what} {futures[future]} has finished, {number} of {len(items)}")
        return [future.result() for future in futures]


def plan_for_any_machine(plan: TrainPlan) -> TrainPlan:
    """With paths that mean the same wherever a training runs."""
    markets = {name: market.model_copy(update={"path": market.path.resolve()}) for name, market in plan.markets.items()}
    return plan.model_copy(update={"markets": markets})


def use_one_thread() -> None:
    """Sums in another order have other digits: with one thread a training gives the same ones on every machine."""
    torch.set_num_threads(1)


def print_progress(name: str, stage: str, done: int, total: int, _loss: Loss | None = None) -> None:
    """Print a line now and then: trainings that run at the same time have no progress bar in common."""
    if done == total or done % LINE_EVERY == 0:
        _tell(f"{name}: {stage} {done:,} of {total:,}")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
