"""Training: it learns, it is seeded, and it takes what there is to learn from."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

from models.objective.objective import Loss
from models.tapes.tapes import MarketTapes
from models.training.checkpoint import read_checkpoint
from models.training.choice import worth_of_forecasts
from models.training.draws import Draws
from models.training.trainer import Trainer
from models.training.training_bars import TrainingBars
from tests.models.tiny import TINY, some_tapes
from tests.models.trainers import QUICK, a_trainer, weights_of

pytestmark = pytest.mark.trains


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
    assert trainer.choice.best_worth > shaken + 0.5 * (optimum - shaken)


def test_orders_of_one_step_teach_nothing_and_end_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of the shorter horizons that are drawn have one step, in which there is nothing to decide."""
    monkeypatch.setattr(Draws, "_horizon", lambda _self, _rng: 1)
    trainer = a_trainer(replace(QUICK, warm_batches=0, forecast_steps=0))
    trainer.run(None)

    assert trainer.step == QUICK.steps
    assert torch.equal(weights_of(trainer), weights_of(a_trainer()))


def test_a_network_for_one_step_is_trained_in_its_forecasts_alone() -> None:
    config = replace(TINY, max_steps=1)
    market = MarketTapes(name="walks", tapes=tuple(some_tapes()))
    trainer = Trainer(config, QUICK, TrainingBars(train=[market], validation=[market], walks=market))

    trainer.run(None)

    assert (trainer.stage, trainer.step) == ("orders", QUICK.steps)
    assert trainer.net.context.volume.weight.any()


def test_a_network_without_a_context_is_taught_by_orders_alone(tmp_path: Path) -> None:
    config, heard = replace(TINY, context_width=0), []
    market = MarketTapes(name="walks", tapes=tuple(some_tapes()))
    bars = TrainingBars(train=[market], validation=[market], walks=market)

    def hear(stage: str, done: int, total: int, loss: Loss | None = None) -> None:  # noqa: ARG001 - OnProgress' names
        heard.append(stage)

    Trainer(config, QUICK, bars).run(tmp_path / "checkpoint.pt", hear)

    assert set(heard) == {"orders"}
    assert read_checkpoint(tmp_path / "checkpoint.pt")["step"] == QUICK.steps


def test_markets_that_are_too_short_for_a_forecast_teach_orders_alone() -> None:
    """Orders take fewer steps there; forecasts are taught and chosen on the other markets."""
    tape = some_tapes(1)[0]
    short = MarketTapes(name="short", tapes=(replace(tape, hi=tape.lo + 97),), weight=1e6)
    long = MarketTapes(name="long", tapes=tuple(some_tapes()))
    config = replace(TINY, max_steps=200)
    both = TrainingBars(train=[short, long], validation=[short, long], walks=long)
    trainer = Trainer(config, QUICK, both)

    windows = trainer.draws.for_forecasts(0)
    orders = trainer.draws.for_validation(short, [0], 200)

    assert trainer.draws.foreseeable(both.train) == [long]
    assert windows.price.shape[1] == QUICK.starts + config.max_steps - 1
    assert orders.contexts - orders.starts + 1 < 97
    assert math.isfinite(worth_of_forecasts(trainer.net, trainer.draws))


def test_training_ends_when_validation_no_longer_gets_better() -> None:
    settings = replace(QUICK, steps=50, validate_every=1, patience=2, learning_rate=0.0)
    trainer = a_trainer(settings)

    trainer.run(None)

    assert trainer.step == 2  # the validation before the first step is the best; two more are not better


def _worths() -> list[float]:
    """Of orders, and of forecasts."""
    trainer = a_trainer()
    return [trainer.validate(), worth_of_forecasts(trainer.net, trainer.draws)]


def _validated(process: int, processes: int, folder: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=process, world_size=processes)
    torch.set_num_threads(1)
    (Path(folder) / str(process)).write_text(repr(_worths()))
    distributed.barrier()  # a process that leaves while the other still receives can bring either down
    distributed.destroy_process_group()


@pytest.mark.spawns
def test_processes_choose_by_the_same_orders_and_windows_as_one_alone(tmp_path: Path) -> None:
    alone = _worths()

    spawn(_validated, args=(2, str(tmp_path)), nprocs=2)

    for process in ("0", "1"):
        assert json.loads((tmp_path / process).read_text()) == pytest.approx(alone, abs=1e-9)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_it_trains_on_a_gpu() -> None:
    market = MarketTapes(name="walks", tapes=tuple(some_tapes()))
    trainer = Trainer(TINY, QUICK, TrainingBars(train=[market], validation=[market], walks=market), "cuda")

    trainer.run(None)

    assert trainer.step == QUICK.steps
    assert all(torch.isfinite(weights).all() for weights in trainer.net.parameters())
