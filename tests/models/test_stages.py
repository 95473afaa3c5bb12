"""The stages of a training: what each of them teaches, and that a training may be stopped in any."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from models.network.lem import Lem
from models.objective.objective import Loss, Seen
from models.training.checkpoint import read_checkpoint
from models.training.optimiser import BY_ORDERS, FITTED, taught_by_forecasts, taught_by_orders
from models.training.progress import OnProgress
from models.training.trainer import Trainer
from tests.models.tiny import TINY
from tests.models.trainers import QUICK, a_trainer, weights_of

pytestmark = pytest.mark.trains


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
