"""The same results to the last digit on a Ray cluster of two workers as in one process."""

from __future__ import annotations

import csv
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from models.training.checkpoint import read_checkpoint
from tests.market import a_bar_file, a_walk_file
from tests.models.test_cli import a_plan_file
from tests.models.tiny import TINY_BUNDLE

pytest.importorskip("ray", reason="the extra ray is not installed")
pytestmark = pytest.mark.spawns

CLI = (sys.executable, "-m", "app.cli")
ROOT = Path(__file__).parents[1]
TOKEN = secrets.token_hex(32)
"""Of the cluster of these tests alone: without one Ray would write a token into the home folder."""


@pytest.fixture(name="address", scope="module")
def a_cluster() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["--head", "--block", "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=2"]
    words += ["--include-dashboard=false", "--object-store-memory=80000000", "--disable-usage-stats"]
    ray = Path(sys.executable).with_name("ray")
    with subprocess.Popen(
        [ray, "start", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_environment()
    ) as cluster:
        assert cluster.stdout is not None
        assert any("Ray runtime started" in line for line in cluster.stdout)
        yield f"127.0.0.1:{port}"
        cluster.terminate()
        cluster.communicate()


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}


def lem(*words: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        [*CLI, *map(str, words)], capture_output=True, text=True, check=False, env=_environment(), timeout=300
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_a_backtest_on_two_workers_is_that_of_one_process(tmp_path: Path, address: str) -> None:
    files = [a_walk_file(tmp_path, name=f"{name}-900s.parquet", seed=seed) for seed, name in enumerate("AB")]
    words: list[str | Path] = ["backtest", "--policy", "volume_curve", "--bars", *files]

    lem(*words, "--out", tmp_path / "one")
    code, output = lem(*words, "--out", tmp_path / "two", "--ray", address)

    assert code == 0, output
    one, two = (pq.read_table(tmp_path / name / "orders.parquet") for name in ("one", "two"))
    assert one.equals(two)
    assert one.num_rows > 0


def test_an_evaluation_on_two_workers_is_that_of_one_process(tmp_path: Path, address: str) -> None:
    files = [a_walk_file(tmp_path, name=f"{name}-900s.parquet", seed=seed) for seed, name in enumerate("AB")]
    words: list[str | Path] = ["evaluate", "--bars", *files, "--bundle", TINY_BUNDLE, "--max-steps", "4"]
    words += ["--min-steps", "2"]

    lem(*words, "--out", tmp_path / "one")
    code, output = lem(*words, "--out", tmp_path / "two", "--ray", address)

    tables = {path.name: path.read_bytes() for path in (tmp_path / "one").glob("*.csv")}
    assert code == 0, output
    assert {path.name: path.read_bytes() for path in (tmp_path / "two").glob("*.csv")} == tables
    assert len(tables) > 3


@pytest.mark.trains
def test_seeds_trained_on_two_workers_are_those_of_one_process(tmp_path: Path, address: str) -> None:
    plan = a_plan_file(tmp_path)
    words: list[str | Path] = ["train", "--config", plan, "--seeds", "0,1"]

    lem(*words, "--out", tmp_path / "one")
    code, output = lem(*words, "--out", tmp_path / "two", "--ray", address)

    one, two = (_trainings(tmp_path / name) for name in ("one", "two"))
    assert code == 0, output
    assert "seed 0 has finished" in output
    assert [utility for _, utility, _ in one] == [utility for _, utility, _ in two]
    for (seed, _, mine), (other_seed, _, theirs) in zip(one, two, strict=True):
        assert seed == other_seed
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def _trainings(folder: Path) -> list[tuple[str, str, dict[str, torch.Tensor]]]:
    """Each seed with its utility and its weights."""
    rows = csv.DictReader((folder / "sweep.csv").read_text().splitlines())
    return [
        (row["seed"], row["utility"], read_checkpoint(folder / f"seed-{row['seed']}" / "checkpoint.pt")["net"])
        for row in rows
    ]


@pytest.mark.trains
def test_variants_trained_on_two_workers_are_those_of_one_process(tmp_path: Path, address: str) -> None:
    words: list[str | Path] = ["ablate", "--config", a_plan_file(tmp_path), "--variant", "no_attention"]

    lem(*words, "--out", tmp_path / "one")
    code, output = lem(*words, "--out", tmp_path / "two", "--ray", address)

    assert code == 0, output
    assert (tmp_path / "one" / "ablation.csv").read_text() == (tmp_path / "two" / "ablation.csv").read_text()


def test_a_task_whose_worker_dies_starts_anew(tmp_path: Path, address: str) -> None:
    mark = tmp_path / "died"
    program = (
        "from app.backtest.ray_pool import RayPool\n"
        "from tests.test_ray import dies_once\n"
        f"with RayPool({address!r}) as pool: print(*pool.map(dies_once, [{str(mark)!r}] * 3))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=_environment(), timeout=300
    )

    assert done.stdout.splitlines()[-1] == "7 7 7", done.stderr
    assert mark.exists()


def dies_once(mark: str) -> int:
    """The first of the workers that call it dies."""
    try:
        Path(mark).touch(exist_ok=False)
    except FileExistsError:
        return 7
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_a_bad_file_is_named_by_a_worker_too(tmp_path: Path, address: str) -> None:
    files = [a_walk_file(tmp_path), a_bar_file(tmp_path, close=None)]

    code, output = lem("backtest", "--policy", "twap", "--bars", *files, "--out", tmp_path / "out", "--ray", address)

    assert code == 2
    assert "FLAT-15m.parquet has no column close" in output


def test_an_address_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"

    bars = a_walk_file(tmp_path)

    code, output = lem("backtest", "--policy", "twap", "--bars", bars, "--out", tmp_path / "out", "--ray", address)

    assert code == 2
    assert f"--ray {address}: no Ray cluster answers there" in output
