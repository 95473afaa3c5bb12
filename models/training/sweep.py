"""One plan trained with several seeds: which training is worth the most on the validation bars, and how far apart they
lie. What a change of the plan brings beyond that is no chance."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from app.files import written_whole
from models.settings.train_plan import TrainPlan
from models.training.many import each_trained, plan_for_any_machine, print_progress, use_one_thread
from models.training.train import measured, trained
from models.training.validation import Row

TABLE = "sweep.csv"


def sweep(plan: TrainPlan, folder: Path, seeds: Sequence[int], jobs: int = 1, ray: str | None = None) -> list[Row]:
    """Train with each seed in a folder of its own, `seed-N`, and write the table: `utility` is what chose among the
    states of a training, the mean over the validation markets; the best seed comes first. A training that was stopped
    goes on. The digits are the same whatever `jobs` and `ray`."""
    run = partial(_trained, plan_for_any_machine(plan), folder.resolve())
    utilities = each_trained(run, seeds, jobs, ray, "seed")
    rows: list[Row] = [
        {"seed": seed, "utility": round(utility, 9), "run": str(folder / _name(seed))}
        for seed, utility in zip(seeds, utilities, strict=True)
    ]
    rows.sort(key=lambda row: -float(row["utility"]))
    with written_whole(folder / TABLE) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def _trained(plan: TrainPlan, folder: Path, seed: int) -> float:
    """The worth of the best state, once its training is measured and recorded."""
    use_one_thread()
    own = plan.model_copy(update={"settings": replace(plan.settings, seed=seed)})
    progress = partial(print_progress, _name(seed))
    trainer = trained(own, folder / _name(seed), progress)
    measured(own, folder / _name(seed), trainer, progress)
    return trainer.choice.best_worth


def _name(seed: int) -> str:
    return f"seed-{seed}"
