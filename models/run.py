"""A training from bar files to a released bundle, kept in one folder: `checkpoint.pt` and `run.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.domain.errors import InvalidInput
from app.inference.card import RiskAversions, Training
from models.config import LemConfig
from models.export import export_bundle
from models.objective import Loss
from models.tapes import Span, Tape, bar_files, read_tapes, simulated_tapes
from models.trainer import Trainer, TrainSettings, read_checkpoint, released_net
from models.validation import Row, validation_table

CHECKPOINT, RECORD = "checkpoint.pt", "run.json"
RISK_AVERSIONS = RiskAversions(neutral=0.0, default=0.3, tracking=6.0)
VALIDATION_WALKS = 12
VALIDATION_SEED = 1_000_003


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Bars before `train_end` train, those from then to `validation_end` (a lookback apart) measure; later ones are not
    looked at. No `data` trains on random walks alone."""

    data: tuple[Path, ...]
    train_end: datetime
    validation_end: datetime
    config: LemConfig
    settings: TrainSettings

    def __post_init__(self) -> None:
        if self.validation_end < self.train_end:
            raise InvalidInput(
                "spans_inverted", f"validation ends on {self.validation_end:%F}, before training on {self.train_end:%F}"
            )


def train(plan: Plan, folder: Path, told: Callable[[int, Loss], None]) -> list[Row]:
    """Train, or go on where the folder's checkpoint stands; then measure and write the record. Returns the table."""
    files = bar_files(plan.data)
    real = read_tapes(files, plan.config, Span(start=None, end=plan.train_end))
    if files and not real:
        raise InvalidInput("too_few_bars", f"none of the {len(files)} files has enough bars before {plan.train_end:%F}")
    trainer = Trainer(plan.config, plan.settings, real, simulated_tapes(plan.config, plan.settings.seed))
    checkpoint = folder / CHECKPOINT
    if checkpoint.exists():
        trainer.resume(checkpoint)
    trainer.run(checkpoint, told)
    unseen = read_tapes(files, plan.config, Span(start=plan.train_end, end=plan.validation_end))
    unseen += simulated_tapes(plan.config, plan.settings.seed + VALIDATION_SEED, VALIDATION_WALKS)
    table: list[Row] = []
    for market in dict.fromkeys(tape.market for tape in unseen):
        tapes = [tape for tape in unseen if tape.market == market]
        table += validation_table(trainer.released, tapes, market, RISK_AVERSIONS.default)
    _write_record(folder / RECORD, plan, real, table)
    return table


def release(folder: Path, bundle: Path) -> None:
    """Export what was trained in `folder`. Raises InvalidInput where it is unfinished, BundleError where it fails."""
    saved = read_checkpoint(folder / CHECKPOINT)
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text())
    except OSError:
        raise InvalidInput("unfinished_run", f"{folder} has no {RECORD}: the training is not finished") from None
    training = Training(
        data=record["data"],
        start=record["start"],
        end=record["end"],
        seed=saved["settings"]["seed"],
        steps=saved["step"],
        config=saved["config"],
        settings=saved["settings"],
    )
    export_bundle(
        released_net(saved),
        bundle,
        training=training,
        bar_seconds=record["bar_seconds"],
        risk_aversions=RISK_AVERSIONS,
        metrics=record["metrics"],
    )


def _write_record(path: Path, plan: Plan, real: Sequence[Tape], table: list[Row]) -> None:
    first_open = min((tape.first_open for tape in real), default=0)
    record = {
        "data": sorted({f"{tape.market}/{tape.instrument}" for tape in real}) or ["random walk"],
        "start": datetime.fromtimestamp(first_open, UTC).date().isoformat(),
        "end": plan.train_end.date().isoformat(),
        "bar_seconds": sorted({tape.bar_seconds for tape in real}),
        "config": asdict(plan.config),
        "metrics": table,
    }
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(record, indent=1) + "\n")
    draft.replace(path)
