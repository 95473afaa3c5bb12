"""What is fitted before orders teach goes on where it was stopped, to the same weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.domain.errors import InvalidInput
from models.objective.objective import Loss
from models.settings.train_settings import TrainSettings
from models.training import kept_fits
from models.training.checkpoint import read_checkpoint, write_checkpoint
from models.training.kept_fits import FITS
from models.training.progress import OnProgress
from models.training.time_ahead import time_ahead
from models.training.trainer import Trainer
from tests.models.trainers import QUICK, a_trainer, weights_of

pytestmark = pytest.mark.trains

SETTINGS = replace(QUICK, warm_batches=120, tilt_steps=4, steps=2)


class Stopped(Exception):
    pass


def stopping_at(last: tuple[str, int] | None, heard: list[tuple[str, int]]) -> OnProgress:
    def hear(stage: str, done: int, total: int, loss: Loss | None = None) -> None:  # noqa: ARG001 - OnProgress' names
        heard.append((stage, done))
        if (stage, done) == last:
            raise Stopped

    return hear


def gone_on(folder: Path) -> Trainer:
    """A trainer in a new process, as it were."""
    trainer = a_trainer(SETTINGS)
    if (folder / "checkpoint.pt").exists():
        trainer.resume(folder / "checkpoint.pt")
    return trainer


@pytest.fixture(scope="module")
def whole() -> Trainer:
    trainer = a_trainer(SETTINGS)
    trainer.run(None)
    return trainer


@pytest.mark.parametrize(("stage", "step"), [("straight lines", 70), ("bend of volume", 2), ("tilts of volume", 3)])
def test_a_fit_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, whole: Trainer, monkeypatch: pytest.MonkeyPatch, stage: str, step: int
) -> None:
    monkeypatch.setattr(kept_fits, "KEEP_SECONDS", 0.0)
    heard: list[tuple[str, int]] = []
    with pytest.raises(Stopped):
        gone_on(tmp_path).run(tmp_path / "checkpoint.pt", stopping_at((stage, step), []))

    resumed = gone_on(tmp_path)
    resumed.run(tmp_path / "checkpoint.pt", stopping_at(None, heard))

    assert heard[0] == (stage, step + 1)
    assert torch.equal(weights_of(resumed), weights_of(whole))
    assert not (tmp_path / FITS).exists(), "the checkpoint has it all"


def test_a_training_with_other_settings_begins_its_fit_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_fits, "KEEP_SECONDS", 0.0)
    heard: list[tuple[str, int]] = []
    with pytest.raises(Stopped):
        a_trainer(SETTINGS).run(tmp_path / "checkpoint.pt", stopping_at(("straight lines", 70), []))

    other = a_trainer(replace(SETTINGS, seed=1))
    with pytest.raises(Stopped):
        other.run(tmp_path / "checkpoint.pt", stopping_at(("straight lines", 2), heard))

    assert heard[0] == ("straight lines", 1)


def test_a_damaged_file_of_a_fit_begins_the_fit_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_fits, "KEEP_SECONDS", 0.0)
    heard: list[tuple[str, int]] = []
    with pytest.raises(Stopped):
        a_trainer(SETTINGS).run(tmp_path / "checkpoint.pt", stopping_at(("straight lines", 2), []))
    for file in (tmp_path / FITS).rglob("*.pt"):
        file.write_bytes(b"nothing that torch wrote")

    with pytest.raises(Stopped):
        a_trainer(SETTINGS).run(tmp_path / "checkpoint.pt", stopping_at(("straight lines", 1), heard))

    assert heard == [("straight lines", 1)]


def test_a_checkpoint_of_a_version_with_fewer_settings_is_gone_on_with(tmp_path: Path) -> None:
    settings = replace(SETTINGS, tilt_steps=TrainSettings().tilt_steps)
    a_trainer(settings).save(tmp_path / "checkpoint.pt")
    saved = read_checkpoint(tmp_path / "checkpoint.pt")
    del saved["settings"]["tilt_steps"]
    write_checkpoint(tmp_path / "checkpoint.pt", saved)

    a_trainer(settings).resume(tmp_path / "checkpoint.pt")
    with pytest.raises(InvalidInput, match="tilt_steps"):
        a_trainer(SETTINGS).resume(tmp_path / "checkpoint.pt")


def test_the_time_of_a_training_is_told_part_by_part_and_changes_nothing() -> None:
    trainer = a_trainer(SETTINGS)
    before = weights_of(trainer)

    told = time_ahead(trainer)

    assert told is not None
    assert told.startswith("about ")
    for part in ("straight lines", "bend of volume", "forecasts", "tilts of volume", "orders"):
        assert f"{part} " in told
    assert torch.equal(weights_of(trainer), before)
    assert not trainer.step


def test_a_training_that_is_done_has_no_time_ahead(whole: Trainer) -> None:
    assert time_ahead(whole) is None
