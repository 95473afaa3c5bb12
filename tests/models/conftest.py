"""One thread: these networks are tiny, and threads of several test processes only wait for each other."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.release.release import release
from models.training.train import train
from tests.models.tiny import a_plan

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train(a_plan(folder), folder / "run")
    return folder / "run"


@pytest.fixture(scope="session")
def bundle(trained: Path) -> Path:
    release(trained, trained.parent / "tiny-1")
    return trained.parent / "tiny-1"
