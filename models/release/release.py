"""Release what was trained in a folder: the export, past the gate, in the place of the bundle before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.bundles.bundle import load_bundle
from app.bundles.card import MarketSplit, Training
from app.bundles.errors import BundleError
from models.objective.objective import RISK_AVERSIONS
from models.release.draft import CARD, draft_bundle
from models.release.gate import reasons_against
from models.release.replace import draft_folder, replace_bundle, require_replaceable
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
    ready = Release(folder, bundle)
    ready.draft()
    ready.replace()


class Release:
    """A finished training on its way into the folder of a bundle.

    Raises InvalidInput where the training is unfinished or `bundle` holds anything but a bundle, BundleError where the
    bundle to be replaced is damaged: all before the export, which takes long.
    """

    def __init__(self, folder: Path, bundle: Path) -> None:
        self._folder, self._bundle, self._draft = folder, bundle, draft_folder(bundle)
        self._saved = read_checkpoint(folder / CHECKPOINT)
        self._record = read_record(folder / RECORD)
        self._replaced = load_bundle(bundle) if (bundle / CARD).exists() else None
        self._markets = {
            name: validated(TrainMarket, market, str(folder / RECORD))
            for name, market in self._record["markets"].items()
        }
        require_replaceable(bundle)

    def draft(self) -> None:
        """Export the trained network into a folder beside that of the bundle. Raises BundleError where it cannot be
        exported."""
        saved, record = self._saved, self._record
        training = Training(
            data=record["data"],
            start=record["start"],
            end=record["end"],
            seed=saved["settings"]["seed"],
            steps=saved["step"],
            config=saved["config"],
            settings=saved["settings"],
            markets={
                name: MarketSplit(
                    train_end=market.train_end.isoformat(), validation_end=market.validation_end.isoformat()
                )
                for name, market in self._markets.items()
            },
        )
        with self._reasons_kept():
            draft_bundle(
                released_net(saved),
                self._draft,
                name=self._bundle.name,
                training=training,
                bar_seconds=record["bar_seconds"],
                risk_aversions=RISK_AVERSIONS,
                metrics=record["metrics"],
            )

    def replace(self) -> None:
        """Put the draft in the place of the bundle. Raises BundleError with the reasons where the gate refuses it."""
        with self._reasons_kept():
            replace_bundle(
                self._bundle,
                self._draft,
                lambda draft, policy: reasons_against(draft, policy, self._replaced, self._markets),
            )

    @contextmanager
    def _reasons_kept(self) -> Iterator[None]:
        """Write the reasons against a release into the folder of the training, in the place of earlier ones."""
        refusal = self._folder / REFUSAL
        refusal.unlink(missing_ok=True)
        try:
            yield
        except BundleError as error:
            refusal.write_text(f"{error}\n")
            raise
