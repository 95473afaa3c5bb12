"""Trains a network from bar files and measures it; the folder of the run keeps both (run_folder.py)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.domain.errors import InvalidInput
from models.objective.objective import RISK_AVERSIONS
from models.settings.sizes import LemConfig
from models.settings.train_plan import WALKS, TrainPlan
from models.tapes.markets import span_of, training_tapes, validation_tapes
from models.tapes.tapes import BARS_MIN, MarketTapes, simulated_tapes
from models.training.draws import bars_to_foresee
from models.training.progress import OnProgress, silent
from models.training.run_folder import CHECKPOINT, RECORD, write_record
from models.training.time_ahead import time_ahead
from models.training.trainer import Trainer
from models.training.training_bars import TrainingBars
from models.training.validation import Row, validation_table

VALIDATION_WALKS = 12
SPANS = {"training": "after history_min bars and before train_end", "validation": "from train_end to validation_end"}
VALIDATION_SEED = 1_000_003


OnAhead = Callable[[str], None]
"""Is told before the first step how long the training will take."""


def train(
    plan: TrainPlan,
    folder: Path,
    on_progress: OnProgress = silent,
    device: str = "cpu",
    on_ahead: OnAhead | None = None,
) -> list[Row]:
    """Train, or go on from the folder's checkpoint; then measure and write the record. Returns the validation table."""
    trainer = trained(plan, folder, on_progress, device, on_ahead)
    return measured(plan, folder, trainer, on_progress)


def measured(plan: TrainPlan, folder: Path, trainer: Trainer, on_progress: OnProgress = silent) -> list[Row]:
    """The validation table of a trainer that has finished; the record is written with it. Of processes that share a
    training, the first one alone measures: the others' tables are empty."""
    if not trainer.processes.first:
        return []
    table: list[Row] = []
    markets = validation_markets(plan)
    for number, market in enumerate(markets, start=1):
        on_progress("measuring", number, len(markets))
        table += validation_table(trainer.released, market.tapes, market.name, RISK_AVERSIONS.default)
    write_record(folder / RECORD, trainer.bars.train, plan, table)
    return table


def trained(
    plan: TrainPlan,
    folder: Path,
    on_progress: OnProgress = silent,
    device: str = "cpu",
    on_ahead: OnAhead | None = None,
) -> Trainer:
    """A trainer that has finished, from the folder's checkpoint on where there is one."""
    bars = TrainingBars(
        train=_markets(plan, "training"),
        validation=_markets(plan, "validation") or [_other_walks(plan)],
        walks=walks(plan.config, plan.settings.seed),
    )
    trainer = Trainer(plan.config, plan.settings, bars, device)
    checkpoint = folder / CHECKPOINT
    if checkpoint.exists():
        trainer.resume(checkpoint)
    if trainer.processes.first:
        (folder / RECORD).unlink(missing_ok=True)  # the record was of a training that now goes on
    if on_ahead and (ahead := time_ahead(trainer)):
        on_ahead(ahead)
    trainer.run(checkpoint, on_progress)
    return trainer


def validation_markets(plan: TrainPlan) -> list[MarketTapes]:
    """The markets to measure on: the plan's validation bars, and walks of another seed than those that train."""
    return [*_markets(plan, "validation"), _other_walks(plan)]


def _other_walks(plan: TrainPlan) -> MarketTapes:
    return walks(plan.config, plan.settings.seed + VALIDATION_SEED, VALIDATION_WALKS)


def walks(config: LemConfig, seed: int, count: int = 24) -> MarketTapes:
    return MarketTapes(name=WALKS, tapes=tuple(simulated_tapes(config, seed, count)))


def _markets(plan: TrainPlan, part: str) -> list[MarketTapes]:
    """Raises InvalidInput where a market has too few bars to train on, or to choose on: what trains must not choose."""
    tapes_of = {"training": training_tapes, "validation": validation_tapes}[part]
    found = [tapes_of(name, market, plan.config) for name, market in plan.markets.items()]
    for market in found:
        needed = max(BARS_MIN, plan.settings.starts + 2) + 1
        if market.longest < needed:
            raise InvalidInput(
                "too_few_bars",
                f"market {market.name} has too few bars for {part}: no instrument has {needed} of them in a row "
                f"{SPANS[part]}; the files have bars {span_of(plan.markets[market.name])}",
            )
    needed = bars_to_foresee(plan.config, plan.settings)
    forecasts = plan.config.context_width and (plan.settings.warm_batches or plan.settings.forecast_steps)
    if found and forecasts and max(market.longest for market in found) < needed:
        had = "; ".join(f"{name} has bars {span_of(market)}" for name, market in plan.markets.items())
        raise InvalidInput(
            "too_few_bars",
            f"there are too few bars for {part}: no market has the {needed} in a row {SPANS[part]} that forecasts of "
            f"{plan.config.max_steps} steps are held against; {had}; a smaller max_steps needs fewer",
        )
    return found
