"""From bar files through training to a bundle that the service loads, with a network small enough for seconds."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from app.bundles.bundle import LemPolicy, load_bundle
from app.bundles.errors import BundleError
from app.domain.errors import InvalidInput
from models.network.decision import DecisionTable
from models.network.lem import Lem
from models.objective.objective import Loss
from models.release.draft import draft_bundle
from models.release.golden import random_bars, random_orders
from models.release.release import release
from models.release.replace import replace_bundle
from models.training.checkpoint import read_checkpoint, released_net
from models.training.run_folder import RECORD
from models.training.train import train
from tests.models.tiny import QUICK_RUN, TINY_WEIGHTS, a_plan


def test_the_record_says_what_was_trained_on_and_what_it_reached(trained: Path) -> None:
    record = json.loads((trained / RECORD).read_text())

    assert record["data"] == ["walks_1h/WALK0", "walks_1h/WALK1"]
    assert (record["start"], record["end"], record["bar_seconds"]) == ("2024-01-01", "2024-01-10", [3600])
    assert {row["market"] for row in record["metrics"]} == {"walks_1h", "random walk"}
    assert {row["benchmark"] for row in record["metrics"]} == {"vwap", "twap"}


@pytest.fixture
def tiny_net() -> Lem:
    """The network of the tiny bundle."""
    return released_net(read_checkpoint(TINY_WEIGHTS)).eval()


def test_the_bundle_loads_and_its_card_tells_its_training(bundle: Path) -> None:
    policy = load_bundle(bundle)

    assert policy.name.startswith("tiny-1@")
    assert policy.card.training.data == ["walks_1h/WALK0", "walks_1h/WALK1"]
    assert policy.card.training.settings["steps"] == QUICK_RUN["steps"]


def test_onnxruntime_and_torch_agree_on_random_inputs(bundle: Path, tiny_net: Lem) -> None:
    """To 1e-5, for batches of other sizes than the traced one."""
    policy = load_bundle(bundle)
    rng = np.random.default_rng(11)

    for batch in (1, 2, 17):
        windows = np.concatenate([random_bars(tiny_net.config, rng, tiny_net.config.lookback) for _ in range(batch)])
        market = policy.observe(windows, policy.max_steps)
        orders = random_orders(tiny_net.config, rng, batch)
        inputs = {"context": market.context, "volume_forecast": market.volume_forecast, **orders}
        answers = policy._decision.run(None, inputs)
        with torch.no_grad():
            context, forecast = tiny_net.context(torch.from_numpy(windows))
            wanted = DecisionTable(tiny_net.decision)(**{name: torch.from_numpy(part) for name, part in inputs.items()})

        assert np.allclose(market.context, context.numpy(), atol=1e-5, rtol=1e-5)
        assert np.allclose(market.volume_forecast, forecast.numpy(), rtol=1e-5)
        for answer, one in zip(answers, wanted, strict=True):
            assert np.allclose(answer, one.numpy(), atol=1e-5)


@pytest.mark.exports
def test_the_tiny_bundle_is_what_an_export_of_its_network_writes_today(
    bundle: Path, tiny_net: Lem, tmp_path: Path
) -> None:
    """Each of both answers the golden cases of the other. Where this fails: python -m tests.models.make_tiny."""
    kept = load_bundle(bundle)

    draft_bundle(
        tiny_net,
        tmp_path / "draft",
        name="tiny-1",
        training=kept.card.training,
        bar_seconds=kept.card.bar_seconds,
        risk_aversions=kept.card.risk_aversions,
        metrics=kept.card.metrics,
    )
    replace_bundle(tmp_path / "tiny-1", tmp_path / "draft")

    fresh = load_bundle(tmp_path / "tiny-1")
    own = {"created_at", "context", "decision", "golden"}  # times, digests, and figures in their last digits
    assert fresh.card.model_dump(exclude=own) == kept.card.model_dump(exclude=own)
    for card, other in ((fresh.card, kept), (kept.card, fresh)):
        LemPolicy(card, other._context, other._decision).replay_golden()
    for graph in ("context", "decision"):
        ours, theirs = getattr(fresh.card, graph), getattr(kept.card, graph)
        assert (ours.inputs, ours.outputs) == (theirs.inputs, theirs.outputs)
    assert not (tmp_path / "draft").exists()


def a_broken_draft(bundle: Path, draft: Path) -> Path:
    """The bundle as an export of a network that training has ruined: weights and golden answers are NaN."""
    shutil.copytree(bundle, draft)
    graph = onnx.load(draft / "decision.onnx")
    for constant in graph.graph.initializer:
        if constant.data_type == onnx.TensorProto.FLOAT and len(constant.dims) > 1:
            ruined = np.full(tuple(constant.dims), np.nan, dtype=np.float32)
            constant.CopyFrom(onnx.numpy_helper.from_array(ruined, constant.name))
    onnx.save(graph, draft / "decision.onnx")
    card = json.loads((draft / "card.json").read_text())
    card["decision"]["sha256"] = hashlib.sha256((draft / "decision.onnx").read_bytes()).hexdigest()
    (case,) = [case for case in card["golden"] if case["graph"] == "decision"]
    case["outputs"] = {name: [math.nan] * len(answers) for name, answers in case["outputs"].items()}
    (draft / "card.json").write_text(json.dumps(card))
    return draft


def test_a_failed_export_leaves_the_bundle_that_was_there(bundle: Path, tmp_path: Path) -> None:
    draft = a_broken_draft(bundle, tmp_path / "kept.draft")
    target = tmp_path / "kept"
    target.mkdir()
    (target / "card.json").write_text("the old one")

    with pytest.raises(BundleError, match="golden case"):
        replace_bundle(target, draft)

    assert [path.name for path in target.iterdir()] == ["card.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_folder_that_holds_no_bundle_is_not_replaced(trained: Path, tmp_path: Path) -> None:
    """Neither what its owner keeps there nor a folder of many bundles."""
    folder = tmp_path / "bundles"
    (folder / "mine-1").mkdir(parents=True)
    (folder / "mine-1" / "card.json").write_text("one of many")

    with pytest.raises(InvalidInput, match="no bundle"):
        release(trained, folder)

    assert (folder / "mine-1" / "card.json").read_text() == "one of many"
    assert [path.name for path in tmp_path.iterdir()] == ["bundles"]


@pytest.mark.trains
def test_a_training_does_not_go_on_with_other_bars_or_another_split(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)
    train(plan, tmp_path / "run")
    record = (tmp_path / "run" / RECORD).read_bytes()
    market = plan.markets["walks_1h"]
    later = market.model_copy(update={"train_end": date(2024, 1, 11)})
    heavier = market.model_copy(update={"weight": 2.0})
    fewer = market.model_copy(update={"path": tmp_path / "WALK0-1h.parquet"})

    for other in (later, heavier, fewer):
        with pytest.raises(InvalidInput, match="other bars") as refused:
            train(plan.model_copy(update={"markets": {"walks_1h": other}}), tmp_path / "run")
        assert refused.value.code == "other_training"

    assert (tmp_path / "run" / RECORD).read_bytes() == record


@pytest.mark.trains
def test_what_is_gone_on_with_is_not_finished(trained: Path, tmp_path: Path) -> None:
    """A record of an earlier training in the same folder speaks for no other."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / RECORD).write_bytes((trained / RECORD).read_bytes())

    class Stopped(Exception):
        pass

    def stop(stage: str, done: int, total: int, loss: Loss | None = None) -> None:  # noqa: ARG001 - names are OnProgress'
        raise Stopped

    with pytest.raises(Stopped):
        train(a_plan(tmp_path), tmp_path / "run", stop)

    assert not (tmp_path / "run" / RECORD).exists()


def test_an_unfinished_run_is_not_released(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes((trained / "checkpoint.pt").read_bytes())

    with pytest.raises(InvalidInput, match="not finished"):
        release(tmp_path, tmp_path / "bundle")


def test_a_run_whose_record_is_damaged_is_not_released(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes((trained / "checkpoint.pt").read_bytes())
    (tmp_path / RECORD).write_text('{"markets": ')

    with pytest.raises(InvalidInput, match="cannot be read"):
        release(tmp_path, tmp_path / "bundle")


def test_the_policy_finds_named_risk_aversions(bundle: Path) -> None:
    policy: LemPolicy = load_bundle(bundle)

    assert policy.risk_aversions["neutral"] == 0.0
    assert policy.risk_aversion == policy.risk_aversions["default"]
