"""A training with several processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models.training.checkpoint import read_checkpoint
from models.training.launch import launch
from tests.models.tiny import QUICK_RUN, TINY_SIZES, a_plan


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
