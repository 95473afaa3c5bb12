"""The figures that the LEM paper printed (arXiv 2509.25211), in our signs, to stand beside ours.

They are no target: they are of other data, and the public code that made them sees the very bar in which a slice
trades. The paper prints achieved / benchmark - 1 in bps, so that a buyer's gain is negative and a seller's positive.
Our slippage is a cost where it is positive, for both: a seller's figures change their sign, and their quantiles trade
places. With index i of the printed minimum horizons an order ends after bar i + 1 at the earliest; 11 and 12 both
force all 12 bars.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("published.csv")
SOURCE = "published: other data, looks one bar ahead"
MAX_STEPS = 12
SCHEDULE = "twap_schedule"
MIRROR = {"mean": "mean", "std": "std", "median": "median", "p5": "p95", "p95": "p5", "q25": "q75", "q75": "q25"}
"""The figure that takes the place of another where the sign is turned."""


def published_rows(block: str) -> Iterator[dict[str, Any]]:
    """The rows of one of `blocks()`, in those columns of our own table that were printed."""
    with FILE.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["market"] == block:
                yield _converted(row)


def blocks() -> list[str]:
    with FILE.open(newline="") as file:
        return list(dict.fromkeys(row["market"] for row in csv.DictReader(file)))


def _converted(row: dict[str, str]) -> dict[str, Any]:
    printed = {name: float(row[f"{name}_bps"]) for name in MIRROR}
    selling = row["side"] == "sell"
    figures = {
        name: (-printed[MIRROR[name]] if name != "std" else printed["std"]) if selling else printed[name]
        for name in MIRROR
    }
    schedule = row["min_steps_index"] == SCHEDULE
    min_steps = MAX_STEPS if schedule else min(int(row["min_steps_index"]) + 1, MAX_STEPS)
    return {
        "source": SOURCE,
        "policy": "published twap schedule" if schedule else "published lem",
        "published_index": row["min_steps_index"],
        "side": row["side"],
        "benchmark": row["benchmark"],
        "size_mode": row["size_mode"],
        "min_steps": min_steps,
        "max_steps": MAX_STEPS,
        **{f"slippage_bps_{name}": value + 0.0 for name, value in figures.items()},
    }
