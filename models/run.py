"""A training from bar files to a released bundle, kept in one folder: `checkpoint.pt` and `run.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.domain.errors import InvalidInput
from app.inference.bundle import BundleError, load_bundle
from app.inference.card import Training
from models.checkpoint import read_checkpoint, released_net
from models.config import LemConfig
from models.export import export_bundle
from models.files import validated
from models.gate import reasons_against
from models.objective import RISK_AVERSIONS
from models.plan import WALKS, MarketPlan, Plan
from models.tapes import Market, simulated_tapes
from models.trainer import Bars, Told, Trainer, unheard
from models.validation import Row, validation_table

CHECKPOINT, RECORD, REFUSAL = "checkpoint.pt", "run.json", "refused.txt"
VALIDATION_WALKS = 12
NEEDED = {
    "training": "no instrument has history_min and five times max_steps of them in a row before train_end",
    "validation": "no instrument has five times max_steps of them in a row from train_end to validation_end",
}
VALIDATION_SEED = 1_000_003


def train(plan: Plan, folder: Path, told: Told = unheard, device: str = "cpu") -> list[Row]:
    """Train, or go on where the folder's checkpoint stands; then measure and write the record. Returns the table."""
    trainer = trained(plan, folder, told, device)
    if trainer.process:
        return []
    table: list[Row] = []
    for market in validation_markets(plan):
        table += validation_table(trainer.released, market.tapes, market.name, RISK_AVERSIONS.default)
    _write_record(folder / RECORD, trainer.bars.train, plan, table)
    return table


def trained(plan: Plan, folder: Path, told: Told = unheard, device: str = "cpu") -> Trainer:
    """A trainer at its end, gone on from the folder's checkpoint where there is one."""
    bars = Bars(
        train=_markets(plan, "training"),
        validation=_markets(plan, "validation") or [_other_walks(plan)],
        walks=walks(plan.config, plan.settings.seed),
    )
    trainer = Trainer(plan.config, plan.settings, bars, device)
    checkpoint = folder / CHECKPOINT
    if checkpoint.exists():
        trainer.resume(checkpoint)
    if trainer.process == 0:
        (folder / RECORD).unlink(missing_ok=True)  # what it told was of a training that is now gone on with
    trainer.run(checkpoint, told)
    return trainer


def validation_markets(plan: Plan) -> list[Market]:
    """What a network is measured on: the plan's validation bars, and walks of another seed than those trained on."""
    return [*_markets(plan, "validation"), _other_walks(plan)]


def _other_walks(plan: Plan) -> Market:
    return walks(plan.config, plan.settings.seed + VALIDATION_SEED, VALIDATION_WALKS)


def walks(config: LemConfig, seed: int, count: int = 24) -> Market:
    return Market(name=WALKS, tapes=tuple(simulated_tapes(config, seed, count)))


def release(folder: Path, bundle: Path) -> None:
    """Export what was trained in `folder` in the place of what `bundle` holds.

    Raises InvalidInput where the training is unfinished or its validation bars are gone, BundleError with the reasons
    where the gate refuses it; these are also kept in the folder.
    """
    saved = read_checkpoint(folder / CHECKPOINT)
    record = _read_record(folder / RECORD)
    training = Training(
        data=record["data"],
        start=record["start"],
        end=record["end"],
        seed=saved["settings"]["seed"],
        steps=saved["step"],
        config=saved["config"],
        settings=saved["settings"],
    )
    replaced = load_bundle(bundle) if (bundle / "card.json").exists() else None
    markets = {name: validated(MarketPlan, market, str(folder / RECORD)) for name, market in record["markets"].items()}
    refusal = folder / REFUSAL
    refusal.unlink(missing_ok=True)
    try:
        export_bundle(
            released_net(saved),
            bundle,
            training=training,
            bar_seconds=record["bar_seconds"],
            risk_aversions=RISK_AVERSIONS,
            metrics=record["metrics"],
            gate=lambda draft, policy: reasons_against(draft, policy, replaced, markets),
        )
    except BundleError as error:
        refusal.write_text(f"{error}\n")
        raise


def _markets(plan: Plan, part: str) -> list[Market]:
    """Raises InvalidInput where a market has too few bars to train on, or to choose on: what trains must not choose."""
    found = [getattr(market, part)(name, plan.config) for name, market in plan.markets.items()]
    for market in found:
        if not market.tapes:
            raise InvalidInput("too_few_bars", f"market {market.name} has too few bars for {part}: {NEEDED[part]}")
    return found


def _read_record(path: Path) -> dict[str, Any]:
    """Raises InvalidInput where there is none, or it is damaged."""
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except OSError:
        raise InvalidInput("unfinished_run", f"{path} is not there: the training is not finished") from None
    except ValueError as error:
        raise InvalidInput("bad_record", f"{path} cannot be read: {error}") from error
    return record


def _write_record(path: Path, markets: Sequence[Market], plan: Plan, table: list[Row]) -> None:
    tapes = [(market.name, tape) for market in markets for tape in market.tapes]
    first_open = min((int(tape.open_time[0]) for _, tape in tapes), default=0)
    record = {
        "data": sorted({f"{name}/{tape.instrument}" for name, tape in tapes}) or [WALKS],
        "start": datetime.fromtimestamp(first_open, UTC).date().isoformat(),
        "end": max(
            (market.train_end for market in plan.markets.values()), default=datetime.now(UTC).date()
        ).isoformat(),
        "bar_seconds": sorted({tape.bar_seconds for _, tape in tapes}),
        "markets": {name: _absolute(market).model_dump(mode="json") for name, market in plan.markets.items()},
        "metrics": table,
    }
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(record, indent=1) + "\n")
    draft.replace(path)


def _absolute(market: MarketPlan) -> MarketPlan:
    return market.model_copy(update={"path": market.path.resolve()})
