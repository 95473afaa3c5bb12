"""From bar files through training to a bundle that the service loads, with a network small enough for seconds."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
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
from models.settings.train_plan import make_plan, read_plan
from models.training.checkpoint import read_checkpoint, released_net
from models.training.launch import launch
from models.training.run_folder import RECORD
from models.training.train import train
from tests.market import a_walk_file
from tests.models.tiny import QUICK_RUN, TINY_SIZES, TINY_WEIGHTS, a_plan


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


@pytest.mark.spawns
def test_several_processes_train_the_same_network_in_kind(trained: Path, tmp_path: Path) -> None:
    plan = a_plan(tmp_path)

    table = launch(plan, tmp_path / "run", processes=2, threads=1)

    alone, together = read_checkpoint(trained / "checkpoint.pt"), read_checkpoint(tmp_path / "run" / "checkpoint.pt")
    assert together["step"] == alone["step"] == QUICK_RUN["steps"]
    assert together["net"].keys() == alone["net"].keys()
    lines = "context.outlook.weight"  # kept from the warm start, which the processes share out
    assert alone["net"][lines].any()
    assert torch.allclose(together["net"][lines], alone["net"][lines], atol=1e-6)
    assert together["net"]["context.bend.bend.weight"].any()
    assert [row["market"] for row in table].count("walks_1h") > 0


LAUNCH = """
import signal
import sys
from pathlib import Path
from models.training.launch import launch
from models.settings.train_plan import make_plan

signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a job in the background

if __name__ == "__main__":
    plan = make_plan({"model": {sizes}, "training": {run} | {"steps": 1_000_000, "validate_every": 1_000_000}}, "test")
    launch(plan, Path(sys.argv[1]), processes=2, threads=1)
"""


@pytest.mark.spawns
def test_processes_of_a_training_end_with_a_killed_parent(tmp_path: Path) -> None:
    """They hold the other end of the pipe, which closes with the last of them. torch interrupts them then, which those
    of a job in the background do not hear."""
    program = tmp_path / "program.py"
    program.write_text(LAUNCH.replace("{sizes}", repr(TINY_SIZES)).replace("{run}", repr(QUICK_RUN)))
    paths = os.pathsep.join(path for path in sys.path if path)
    with subprocess.Popen(
        [sys.executable, str(program), str(tmp_path / "run")],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    ) as parent:
        assert parent.stderr is not None
        while "straight lines" not in parent.stderr.readline():
            assert parent.poll() is None
        parent.send_signal(signal.SIGKILL)
        parent.communicate(timeout=60)


def test_a_plan_reads_paths_beside_its_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text('[markets.m]\npath = "bars"\ntrain_end = 2024-07-01\nvalidation_end = 2025-01-01\n')

    plan = read_plan(file)

    assert plan.markets["m"].path == tmp_path / "bars"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("[training]\nspeed = 3", "training.speed: there is no such field"),
        ("[model]\nlookback = 10", "lookback"),
        (
            '[markets.m]\npath = "x"\ntrain_end = 2025-01-01\nvalidation_end = 2024-01-01',
            "validation_end must be after train_end",
        ),
        ('[markets.m]\npath = "x"\ntrain_end = 2025-01-01', "markets.m.validation_end"),
        ("nonsense", "not TOML"),
    ],
)
def test_a_mistaken_plan_is_refused_with_its_place(tmp_path: Path, content: str, place: str) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(content)

    with pytest.raises(InvalidInput, match=place):
        read_plan(file)


def test_a_market_without_enough_bars_is_refused(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)
    early = {"path": tmp_path, "train_end": "2020-01-01", "validation_end": "2024-01-17"}
    short = make_plan({"markets": {"early": early}, "training": QUICK_RUN, "model": TINY_SIZES}, "test")

    with pytest.raises(InvalidInput, match="early has too few bars"):
        train(short, tmp_path / "run")

    assert plan.markets
    assert not (tmp_path / "run").exists()


def test_a_market_on_which_nothing_could_choose_is_refused(tmp_path: Path) -> None:
    a_plan(tmp_path)
    late = {"path": tmp_path, "train_end": "2024-01-17", "validation_end": "2024-02-01"}
    short = make_plan({"markets": {"late": late}, "training": QUICK_RUN, "model": TINY_SIZES}, "test")

    with pytest.raises(InvalidInput, match=r"late has too few bars for validation.*validation_end"):
        train(short, tmp_path / "run")


def test_bars_of_sessions_are_not_put_together_to_longer_ones(tmp_path: Path) -> None:
    """They would span nights."""
    path = a_walk_file(tmp_path, name="SHARE-5m.parquet", bars=6_000, bar_seconds=300)
    bars = pq.read_table(path)
    traded = pc.and_(
        pc.is_in(pc.hour(bars["timestamp"]), pa.array([15, 16, 17])), pc.less(pc.day_of_week(bars["timestamp"]), 5)
    )
    pq.write_table(bars.filter(traded), path)
    market = {"path": tmp_path, "train_end": "1970-01-12", "validation_end": "1970-01-20", "step_seconds": 1_800}
    plan = make_plan({"markets": {"shares": market}, "training": QUICK_RUN, "model": TINY_SIZES}, "test")

    with pytest.raises(InvalidInput, match="round the clock"):
        train(plan, tmp_path / "run")


def test_the_policy_finds_named_risk_aversions(bundle: Path) -> None:
    policy: LemPolicy = load_bundle(bundle)

    assert policy.risk_aversions["neutral"] == 0.0
    assert policy.risk_aversion == policy.risk_aversions["default"]
