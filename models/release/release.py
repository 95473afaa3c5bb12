"""Release what was trained in a folder: the export, past the gate, in the place of the bundle before."""

from __future__ import annotations

from pathlib import Path

from app.bundles.bundle import BundleError, load_bundle
from app.bundles.card import Training
from models.objective.objective import RISK_AVERSIONS
from models.release.export import export_bundle
from models.release.gate import reasons_against
from models.settings.files import validated
from models.settings.train_plan import TrainMarket
from models.training.checkpoint import read_checkpoint, released_net
from models.training.run_folder import CHECKPOINT, RECORD, read_record

REFUSAL = "refused.txt"


def release(folder: Path, bundle: Path) -> None:
    """Export what was trained in `folder` in the place of what `bundle` holds.

    Raises InvalidInput where the training is unfinished or its validation bars are gone, BundleError with the reasons
    where the gate refuses it; these are also kept in the folder.
    """
    saved = read_checkpoint(folder / CHECKPOINT)
    record = read_record(folder / RECORD)
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
    markets = {name: validated(TrainMarket, market, str(folder / RECORD)) for name, market in record["markets"].items()}
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
