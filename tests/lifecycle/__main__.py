"""`python -m tests.lifecycle --steps 10000`: walks through the life cycle of orders until service and model differ."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.lifecycle.exploring import explore


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.lifecycle", description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000, help="about how many steps to take in all")
    steps: int = parser.parse_args().steps
    with tempfile.TemporaryDirectory() as folder:
        explore(Path(folder), steps=steps)
    sys.stdout.write(f"{steps} steps, and nothing found\n")


if __name__ == "__main__":
    main()
