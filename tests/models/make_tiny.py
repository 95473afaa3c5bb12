"""Train the tiny network and keep it as the bundle that most tests use: `python -m tests.models.make_tiny`.

To be run again when the network, the columns or the card change. Writes `tests/models/tiny-1` (the bundle) and
`tests/models/tiny-1.pt` (its weights, from which one test exports the bundle anew).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from models.release.release import release
from models.training.checkpoint import read_checkpoint
from models.training.run_folder import CHECKPOINT
from models.training.train import train
from tests.models.tiny import TINY_BUNDLE, TINY_WEIGHTS, a_plan


def make_tiny() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train(a_plan(folder), folder / "run")
        release(folder / "run", TINY_BUNDLE)
        saved = read_checkpoint(folder / "run" / CHECKPOINT)
    torch.save({part: saved[part] for part in ("config", "best")}, TINY_WEIGHTS)


if __name__ == "__main__":
    torch.set_num_threads(1)
    make_tiny()
