"""Training: it learns, it is seeded, it goes on after a stop, and it refuses what it cannot do."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

from app.domain.errors import InvalidInput
from models.network.lem import Lem
from models.objective.objective import Loss, Seen
from models.objective.paths import paths_of
from models.objective.rollout import roll
from models.objective.terms import draw_terms
from models.settings.train_settings import TrainSettings
from models.tapes.tapes import MarketTapes
from models.training.checkpoint import read_checkpoint, released_net
from models.training.choice import worth_of_forecasts
from models.training.draws import Draws
from models.training.optimiser import BY_ORDERS, FITTED, taught_by_forecasts, taught_by_orders
from models.training.progress import OnProgress
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
    forecast_steps=4,
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


ADVANCES = 1 + QUICK.forecast_steps + 1 + QUICK.steps
"""The fit of the forecasts, the steps that teach them, the fit of the hedges, and the steps of orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A training without a break, with a checkpoint after each advance, and what it reported."""

    trainer: Trainer
    checkpoints: Path
    heard: list[tuple[str, int, int]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    trainer, folder, heard = a_trainer(), tmp_path_factory.mktemp("whole"), []

    def hear(stage: str, done: int, total: int, loss: Loss | None = None) -> None:  # noqa: ARG001 - OnProgress' names
        heard.append((stage, done, total))

    for advance in range(ADVANCES):
        trainer.save(folder / f"{advance}.pt")
        trainer.advance(hear)
    return Whole(trainer=trainer, checkpoints=folder, heard=heard)


@pytest.mark.parametrize(
    ("advance", "stage", "step"),
    [(0, "fitting", 0), (1, "forecasts", 0), (3, "forecasts", 2), (5, "hedges", 0), (6, "orders", 0), (9, "orders", 3)],
)
def test_a_training_that_was_stopped_ends_where_an_uninterrupted_one_does(
    tmp_path: Path, whole: Whole, advance: int, stage: str, step: int
) -> None:
    """Whatever the stage."""
    resumed = a_trainer()
    resumed.resume(whole.checkpoints / f"{advance}.pt")
    assert (resumed.stage, resumed.step) == (stage, step)

    resumed.run(tmp_path / "checkpoint.pt")

    assert torch.equal(weights_of(whole.trainer), weights_of(resumed))
    assert resumed.choice.best_worth == whole.trainer.choice.best_worth
    ended = read_checkpoint(tmp_path / "checkpoint.pt")
    assert (ended["stage"], ended["step"]) == ("orders", QUICK.steps)


def test_every_stage_is_reported_step_by_step(whole: Whole) -> None:
    stages = [stage for stage, done, total in whole.heard if done == total]

    assert stages == ["straight lines", "bend of volume", "forecasts", "tilts of volume", "orders"]
    for stage in stages:
        steps = [(done, total) for of, done, total in whole.heard if of == stage]
        assert steps == [(step, len(steps)) for step in range(1, len(steps) + 1)]


def test_a_fit_is_kept_as_soon_as_it_is_done(tmp_path: Path) -> None:
    """Fits take minutes; a stop soon after one must not lose it."""
    trainer, checkpoint = a_trainer(), tmp_path / "checkpoint.pt"

    class Stopped(Exception):
        pass

    def stop_at(wanted: str) -> OnProgress:
        def hear(stage: str, done: int, total: int, loss: Loss | None = None) -> None:  # noqa: ARG001 - OnProgress' names
            if stage == wanted:
                raise Stopped

        return hear

    for stage, kept in (("forecasts", "forecasts"), ("orders", "orders")):
        with pytest.raises(Stopped):
            trainer.run(checkpoint, stop_at(stage))
        assert (read_checkpoint(checkpoint)["stage"], read_checkpoint(checkpoint)["step"]) == (kept, 0)
        trainer = a_trainer()
        trainer.resume(checkpoint)


def test_orders_teach_decisions_and_leave_the_forecasts_as_they_are(whole: Whole) -> None:
    before, after = read_checkpoint(whole.checkpoints / "6.pt")["net"], whole.trainer.net.state_dict()

    moved = {name for name, weights in after.items() if not torch.equal(weights, before[name])}

    assert moved
    assert all(name.startswith(BY_ORDERS) for name in moved)
    assert {name.split(".")[0] for name in moved} == {"context", "decision"}


def test_forecasts_are_taught_before_and_nothing_else_is(whole: Whole) -> None:
    before, after = (read_checkpoint(whole.checkpoints / f"{advance}.pt")["net"] for advance in (1, 4))

    moved = {name for name, weights in after.items() if not torch.equal(weights, before[name])}

    assert {"context.volume.weight", "context.volatility.weight"} <= moved
    assert not any(name.startswith((*FITTED, *BY_ORDERS)) for name in moved)


def test_what_is_fitted_is_taught_by_neither(whole: Whole) -> None:
    """The tilts of forced orders change in their own fit alone."""
    fitted, hedged, ended = (read_checkpoint(whole.checkpoints / f"{at}.pt")["net"] for at in (1, 6, ADVANCES - 1))

    for name, weights in ended.items():
        if name.startswith(FITTED):
            assert torch.equal(weights, hedged[name])
            assert torch.equal(hedged[name], fitted[name]) or name.startswith("context.forced_tilts.")


def test_every_weight_learns_somewhere() -> None:
    net = Lem(TINY)

    names = {name for name, _ in net.named_parameters()}
    taught = [{name for name, _ in part(net)} for part in (taught_by_forecasts, taught_by_orders)]

    assert not taught[0] & taught[1]
    assert names - taught[0] - taught[1] == {name for name in names if name.startswith(FITTED)}


def test_orders_pass_a_gradient_to_learned_columns_and_free_tilts_of_the_context_alone(whole: Whole) -> None:
    trainer = a_trainer()
    trainer.resume(whole.checkpoints / "6.pt")
    trainer.net.context.forced_tilts.requires_grad_(requires_grad=False)  # as their fit leaves them
    seen = Seen.by(trainer.net, trainer.draws.for_step(0))

    trainer.draws.loss(trainer.net, seen, [0]).total.backward()

    reached = {name for name, weights in trainer.net.context.named_parameters() if weights.grad is not None}
    assert {name.split(".")[0] for name in reached} == {"learned", "free_tilts"}


@pytest.mark.parametrize(
    "changes", [{"forecast_steps": 0}, {"warm_batches": 0}, {"warm_batches": 0, "forecast_steps": 0}]
)
def test_what_a_plan_leaves_out_is_passed_over(changes: dict[str, int]) -> None:
    settings, heard = replace(QUICK, **changes), []
    trainer = a_trainer(settings)

    def hear(stage: str, done: int, total: int, loss: Loss | None = None) -> None:  # noqa: ARG001 - OnProgress' names
        heard.append(stage)

    trainer.run(None, hear)

    fits = [] if "warm_batches" in changes else ["straight lines", "bend of volume"]
    hedges = [] if "warm_batches" in changes else ["tilts of volume"]
    taught = [] if "forecast_steps" in changes else ["forecasts"]
    assert list(dict.fromkeys(heard)) == [*fits, *taught, *hedges, "orders"]
    assert (trainer.stage, trainer.step) == ("orders", QUICK.steps)


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


def test_what_few_orders_teach_moves_slower_than_what_all_do() -> None:
    """The optimiser's first step has the same length for every weight that it teaches at the same rate."""
    trainer, moved = a_trainer(), dict[str, torch.Tensor]()

    for first_step in (1, 6):
        while trainer.stage not in ("forecasts", "orders") or (first_step == 6 and trainer.stage == "forecasts"):
            trainer.advance()
        before = {name: weights.clone() for name, weights in trainer.net.named_parameters()}
        trainer.advance()
        after = trainer.net.named_parameters()
        moved |= {name: far for name, weights in after if (far := (weights - before[name]).abs().max()) > 0.0}

    assert moved["decision.own.last"] < 0.5 * moved["decision.shared.last"]
    assert moved["context.volume.weight"] < 0.1 * QUICK.learning_rate


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


def test_training_ends_when_validation_no_longer_gets_better() -> None:
    settings = replace(QUICK, steps=50, validate_every=1, patience=2, learning_rate=0.0)
    trainer = a_trainer(settings)

    trainer.run(None)

    assert trainer.step == 2  # the validation before the first step is the best; two more are not better


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    a_trainer().save(tmp_path / "checkpoint.pt")

    with pytest.raises(InvalidInput, match="learning_rate") as refused:
        a_trainer(replace(QUICK, learning_rate=0.5)).resume(tmp_path / "checkpoint.pt")

    assert refused.value.code == "other_training"


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


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")

    with pytest.raises(InvalidInput, match="cannot be read"):
        a_trainer().resume(tmp_path / "checkpoint.pt")
