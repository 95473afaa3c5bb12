"""Training: it learns, it is seeded, it goes on after a stop, and it refuses what it cannot do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

from app.domain.errors import InvalidInput
from models.objective.paths import paths_of
from models.objective.rollout import roll
from models.objective.terms import draw_terms
from models.settings.train_settings import TrainSettings
from models.tapes.tapes import MarketTapes
from models.training.checkpoint import read_checkpoint, released_net
from models.training.trainer import Trainer
from models.training.training_bars import TrainingBars
from tests.models.tiny import TINY, some_stretches, some_tapes

pytestmark = pytest.mark.trains

QUICK = TrainSettings(
    steps=6,
    stretches=2,
    starts=3,
    repeat=1,
    repeat_capped=1,
    warmup=1,
    checkpoint_every=2,
    validate_every=3,
    warm_batches=2,
)


def a_trainer(settings: TrainSettings = QUICK) -> Trainer:
    market = MarketTapes(name="walks", tapes=tuple(some_tapes()))
    return Trainer(TINY, settings, TrainingBars(train=[market], validation=[market], walks=market))


def weights_of(trainer: Trainer) -> torch.Tensor:
    return torch.cat([part.flatten() for part in trainer.net.state_dict().values()])


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second = a_trainer(), a_trainer()

    first.run(None)
    second.run(None)

    assert torch.equal(weights_of(first), weights_of(second))


def test_another_seed_gives_other_weights() -> None:
    first, second = a_trainer(), a_trainer(replace(QUICK, seed=1))

    first.run(None)
    second.run(None)

    assert not torch.equal(weights_of(first), weights_of(second))


def test_a_training_that_was_stopped_ends_where_an_uninterrupted_one_does(tmp_path: Path) -> None:
    whole, broken, resumed = a_trainer(), a_trainer(), a_trainer()
    whole.run(None)

    for _ in range(3):
        broken.advance()
    broken.validate()
    broken.save(tmp_path / "checkpoint.pt")
    resumed.resume(tmp_path / "checkpoint.pt")
    resumed.run(tmp_path / "checkpoint.pt")

    assert resumed.step == QUICK.steps
    assert torch.equal(weights_of(whole), weights_of(resumed))
    assert resumed.choice.best_utility == whole.choice.best_utility
    assert read_checkpoint(tmp_path / "checkpoint.pt")["step"] == QUICK.steps


def test_every_stage_is_reported_and_what_is_fitted_before_is_kept_and_not_done_again(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    whole, stopped, resumed = a_trainer(), a_trainer(), a_trainer()
    whole.run(None)

    stopped.warm_up(lambda stage, done, total, _loss=None: heard.append((stage, done, total)))
    stopped.save(tmp_path / "checkpoint.pt")
    resumed.resume(tmp_path / "checkpoint.pt")
    resumed.run(None, lambda stage, done, total, _loss=None: heard.append((stage, done, total)))

    stages = [stage for stage, done, total in heard if done == total]
    assert stages == ["straight lines", "bend of volume", "tilts of volume", "training"]
    for stage in stages:
        steps = [(done, total) for of, done, total in heard if of == stage]
        assert steps == [(step, len(steps)) for step in range(1, len(steps) + 1)]
    assert torch.equal(weights_of(whole), weights_of(resumed))


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


def test_a_tiny_network_learns_in_seconds() -> None:
    """A fresh network starts at the optimum for a walk; one whose weights were shaken finds most of the way back."""
    settings = replace(
        QUICK, steps=240, stretches=8, starts=6, repeat=3, learning_rate=2e-2, average_decay=0.8, impact=0.0,
        validate_every=40,
    )  # fmt: skip
    optimum = a_trainer(settings).validate()
    trainer = a_trainer(settings)
    with torch.no_grad():
        for weights in trainer.net.decision.parameters():
            weights.add_(torch.randn_like(weights))
    trainer.average.module.load_state_dict(trainer.net.state_dict())
    shaken = trainer.validate()

    trainer.run(None)

    assert shaken < optimum
    assert trainer.choice.best_utility > shaken + 0.5 * (optimum - shaken)


def test_what_few_orders_teach_moves_slower_than_what_all_do() -> None:
    """The optimiser's first step has the same length for every weight that it teaches at the same rate."""
    trainer = a_trainer()
    trainer.warm_up()
    before = {name: weights.clone() for name, weights in trainer.net.named_parameters()}

    trainer.advance()

    moved = {name: (weights - before[name]).abs().max() for name, weights in trainer.net.named_parameters()}
    assert 0.0 < moved["decision.own.last"] < 0.5 * moved["decision.shared.last"]
    assert 0.0 < moved["context.volume.weight"] < 0.1 * moved["decision.shared.last"]


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
        terms = draw_terms(paths, capped=False, generator=torch.Generator().manual_seed(0))
        utility = roll(released.decision, paths, terms).utility
    assert torch.equal(ours.context, theirs.context)
    assert torch.isfinite(utility).all()


def test_training_ends_when_validation_no_longer_gets_better() -> None:
    settings = replace(QUICK, steps=50, validate_every=1, patience=2, learning_rate=0.0)
    trainer = a_trainer(settings)

    trainer.run(None)

    assert trainer.step == 3  # the first validation is the best; two more are not better


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    a_trainer().save(tmp_path / "checkpoint.pt")

    with pytest.raises(InvalidInput, match="learning_rate") as refused:
        a_trainer(replace(QUICK, learning_rate=0.5)).resume(tmp_path / "checkpoint.pt")

    assert refused.value.code == "other_training"


def _validated(process: int, processes: int, folder: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=process, world_size=processes)
    torch.set_num_threads(1)
    utility = a_trainer().validate()
    (Path(folder) / str(process)).write_text(repr(utility))
    distributed.barrier()  # a process that leaves while the other still receives can bring either down
    distributed.destroy_process_group()


@pytest.mark.spawns
def test_processes_choose_by_the_same_orders_as_one_alone(tmp_path: Path) -> None:
    alone = a_trainer().validate()

    spawn(_validated, args=(2, str(tmp_path)), nprocs=2)

    for process in ("0", "1"):
        assert float((tmp_path / process).read_text()) == pytest.approx(alone, abs=1e-9)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_it_trains_on_a_gpu() -> None:
    market = MarketTapes(name="walks", tapes=tuple(some_tapes()))
    trainer = Trainer(TINY, QUICK, TrainingBars(train=[market], validation=[market], walks=market), "cuda")

    trainer.run(None)

    assert trainer.step == QUICK.steps
    assert all(torch.isfinite(weights).all() for weights in trainer.net.parameters())


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")

    with pytest.raises(InvalidInput, match="cannot be read"):
        a_trainer().resume(tmp_path / "checkpoint.pt")
