"""What a checkpoint is released as, and which checkpoints are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.domain.errors import InvalidInput
from models.objective.paths import paths_of
from models.objective.rollout import roll
from models.objective.terms import draw_terms
from models.training.checkpoint import read_checkpoint, released_net
from tests.models.tiny import some_stretches
from tests.models.trainers import QUICK, a_trainer

pytestmark = pytest.mark.trains


def test_a_checkpoint_of_another_versions_network_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    trainer = a_trainer()
    trainer.save(checkpoint)
    saved = torch.load(checkpoint, weights_only=True)
    for weights in (saved["net"], saved["best"]):
        weights["context.former"] = weights.pop("context.outlook.weight")
    torch.save(saved, checkpoint)

    with pytest.raises(InvalidInput, match=r"another version.*context\.outlook\.weight"):
        trainer.resume(checkpoint)
    with pytest.raises(InvalidInput, match="another version"):
        released_net(read_checkpoint(checkpoint))


def test_a_checkpoint_of_a_version_with_other_sizes_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"another version.*former_size"):
        released_net({"config": {"former_size": 8}, "best": {}})


def test_a_checkpoint_of_a_version_that_teaches_other_weights_alike_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    trainer = a_trainer()
    trainer.save(checkpoint)
    saved = torch.load(checkpoint, weights_only=True)
    saved["optimizer"]["param_groups"].pop()
    torch.save(saved, checkpoint)

    with pytest.raises(InvalidInput, match="another version"):
        trainer.resume(checkpoint)


def test_what_is_released_is_the_best_on_validation_bars(tmp_path: Path) -> None:
    trainer = a_trainer()
    trainer.run(tmp_path / "checkpoint.pt")

    released = released_net(read_checkpoint(tmp_path / "checkpoint.pt"))

    stretches = some_stretches()
    with torch.no_grad():
        features = released.context.features(stretches.windows)
        ours = trainer.released.context.read(features)
        theirs = released.context.read(features)
        paths = paths_of(stretches, features, theirs, 1)
        free = torch.zeros(len(paths.price), dtype=torch.bool)
        terms = draw_terms(paths, free, torch.Generator().manual_seed(0))
        utility = roll(released.decision, paths, terms).utility
    assert torch.equal(ours.context, theirs.context)
    assert torch.isfinite(utility).all()


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    a_trainer().save(tmp_path / "checkpoint.pt")

    with pytest.raises(InvalidInput, match="learning_rate") as refused:
        a_trainer(replace(QUICK, learning_rate=0.5)).resume(tmp_path / "checkpoint.pt")

    assert refused.value.code == "other_training"


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")

    with pytest.raises(InvalidInput, match="cannot be read"):
        a_trainer().resume(tmp_path / "checkpoint.pt")
