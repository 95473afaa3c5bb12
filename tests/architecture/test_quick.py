"""`make quick` stays quick: what takes long says so by a marker."""

from __future__ import annotations

import subprocess
import sys
from multiprocessing import Process

import pytest


def test_a_test_that_is_not_marked_cannot_start_a_python_process() -> None:
    with pytest.raises(pytest.fail.Exception, match="mark it"):
        subprocess.run([sys.executable, "-c", ""], check=True)
    with pytest.raises(pytest.fail.Exception, match="mark it"):
        Process(target=print).start()


@pytest.mark.spawns
def test_a_test_that_is_marked_can() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)
