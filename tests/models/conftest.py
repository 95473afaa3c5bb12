"""What the tests of the model share: a trained tiny network, its bundle, and one thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from models.training.train import train
from tests.models.tiny import TINY_BUNDLE, a_plan
from tests.shared import made_once

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """These networks are tiny, and threads of several test processes only wait for each other. A command that was run
    in a test may have asked for more."""
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished training of the tiny network."""
    return made_once(tmp_path_factory, "trained", lambda folder: train(a_plan(folder), folder / "run")) / "run"


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The tiny bundle, for what needs any bundle."""
    return TINY_BUNDLE
