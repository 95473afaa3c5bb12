"""What `lem train`, `lem ablate` and `lem export` cannot do is said in a line, before it costs anything, with exit code
2 and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.training.run_folder import RECORD
from tests.models.test_cli import a_plan_file, typed
from tests.models.tiny import a_plan

SPLIT = ("--train-end", "2024-01-01", "--validation-end", "2024-02-01")
ENDS_IN_SECONDS = 240
"""Of a command whose processes import torch, on a busy machine."""


def in_a_shell(*words: object) -> subprocess.CompletedProcess[str]:
    """It ends with the last process that could still write to the pipe: none is left behind."""
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *(str(word) for word in words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=ENDS_IN_SECONDS,
        env=os.environ | {"PYTHONPATH": paths},
    )


def files_in(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.spawns
def test_several_processes_refuse_as_one_does(tmp_path: Path) -> None:
    words = ("train", "--data", tmp_path / "nowhere", *SPLIT, "--out", tmp_path / "run", "--threads", 1)

    alone, together = (in_a_shell(*words, "--processes", processes) for processes in (1, 2))

    assert alone.returncode == together.returncode == 2
    assert alone.stderr.splitlines()[-1] == together.stderr.splitlines()[-1]
    assert together.stderr.splitlines()[-1].startswith(f"lem train: {tmp_path / 'nowhere'} does not exist")
    assert "Traceback" not in together.stderr
    assert files_in(tmp_path) == set()


@pytest.mark.spawns
def test_several_processes_say_why_they_do_not_go_on(trained: Path, tmp_path: Path) -> None:
    plan, run = a_plan_file(tmp_path), tmp_path / "run"
    run.mkdir()
    (run / "checkpoint.pt").write_bytes((trained / "checkpoint.pt").read_bytes())

    refused = typed("train", "--config", plan, "--out", run, "--seed", 1, "--processes", 2, "--threads", 1)

    assert refused.exit_code == 2, refused.output
    assert "was made with another settings (seed): use another --out" in refused.output


@pytest.mark.spawns
@pytest.mark.parametrize("processes", [1, 2])
def test_what_the_system_refuses_is_said_too(tmp_path: Path, processes: int) -> None:
    """Also where the other processes do not meet it, and would wait for the one that does."""
    plan, run = a_plan_file(tmp_path), tmp_path / "run"
    (run / RECORD).mkdir(parents=True)  # a folder in the place of a file

    refused = in_a_shell("train", "--config", plan, "--out", run, "--processes", processes, "--threads", 1)

    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    last = refused.stderr.splitlines()[-1]
    assert last.startswith("lem train: [Errno ")
    assert str(run / RECORD) in last


@pytest.mark.parametrize("place", ["file", "file/run", "file/runs/run", "/proc/run"])
@pytest.mark.parametrize("command", ["train", "ablate"])
def test_a_folder_that_cannot_be_written_is_refused_before_a_bar_is_read(
    tmp_path: Path, command: str, place: str
) -> None:
    """The bars are nowhere, which nobody has noticed yet."""
    (tmp_path / "file").touch()
    plan = tmp_path / "plan.toml"
    plan.write_text('[markets.m]\npath = "nowhere"\ntrain_end = 2024-07-01\nvalidation_end = 2025-01-01\n')
    before = files_in(tmp_path)

    refused = typed(command, "--config", plan, "--out", tmp_path / place)

    assert refused.exit_code == 2, refused.output
    assert f"lem {command}: --out: nothing can be written to {tmp_path / place}" in refused.output
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("command", ["train", pytest.param("ablate", marks=pytest.mark.spawns)])
def test_a_command_that_is_refused_later_leaves_no_folders(tmp_path: Path, command: str) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[markets.m]\npath = "nowhere"\ntrain_end = 2024-07-01\nvalidation_end = 2025-01-01\n')

    refused = typed(command, "--config", plan, "--out", tmp_path / "runs" / "of" / "mine")

    assert refused.exit_code == 2, refused.output
    assert f"{tmp_path / 'nowhere'} does not exist" in refused.output
    assert files_in(tmp_path) == {plan}


@pytest.mark.parametrize("place", ["file", "file/bundle", "/proc/bundle"])
def test_a_bundle_is_not_made_where_it_cannot_be_written(trained: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()

    refused = typed("export", "--run", trained, "--out", tmp_path / place)

    assert refused.exit_code == 2, refused.output
    assert "lem export: " in refused.output
    assert files_in(tmp_path) == {tmp_path / "file"}


def test_a_run_is_not_replaced_by_its_bundle(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained)

    refused = typed("export", "--run", ".", "--out", ".")

    assert refused.exit_code == 2, refused.output
    assert "no bundle" in refused.output
    assert (trained / RECORD).exists()


@pytest.mark.parametrize("option", ["--train-end", "--validation-end"])
@pytest.mark.parametrize("config", [True, False])
def test_a_split_without_data_is_refused(tmp_path: Path, option: str, config: bool) -> None:
    plan = ("--config", a_plan_file(tmp_path)) if config else ()

    refused = typed("train", *plan, option, "2024-01-05", "--out", tmp_path / "run")

    assert refused.exit_code == 2, refused.output
    assert "--train-end and --validation-end go with --data" in refused.output


def test_a_flag_has_the_range_that_the_plans_value_has(tmp_path: Path) -> None:
    refused = typed("train", "--seed", 2**70, "--out", tmp_path / "run")

    assert refused.exit_code == 2, refused.output
    assert f"training.seed: must be at most {2**63 - 1}" in refused.output


def test_bars_that_are_named_like_the_walks_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "random walk"
    folder.mkdir()
    a_plan(folder)

    refused = typed("train", "--data", folder, *SPLIT, "--out", tmp_path / "run")

    assert refused.exit_code == 2, refused.output
    assert "what the simulated markets are called" in refused.output
