"""Units of work: one policy on one bar file. The figures of each unit are kept in a file of their own.

The file's name holds a digest of everything that the figures depend on: the bars, the runs, the policy (for the model
its bundle's digest) and the code that measures.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from app.backtest.job import LEM
from app.backtest.progress import LEM_WEIGHT
from app.backtest.setup import Starts
from app.files import written_whole
from models.evaluation.backtest_run import Run
from models.evaluation.code_digest import code_digest
from models.evaluation.measure import Arrays

MEASURING = "models.evaluation.measure"
"""The module whose figures are kept. A change in its import closure has everything measured anew."""
DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """`every`, `step_seconds`, `span` and `starts` as in `measure_file`. `policy_name` is the full name of the policy,
    with the digest of its bundle where it has one."""

    market: str
    path: Path
    policy: str
    policy_name: str
    runs: tuple[Run, ...]
    every: int
    step_seconds: int | None
    span: tuple[int | None, int | None]
    starts: Starts = Starts.BARS

    @property
    def label(self) -> str:
        return f"{self.market} {self.path.stem} {self.max_steps} steps {self.policy}"

    @property
    def max_steps(self) -> int:
        return self.runs[0].max_steps

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "every": self.every,
            "step_seconds": self.step_seconds,
            "span": self.span,
            "starts": self.starts,
        }

    @property
    def weight(self) -> float:
        """How long the unit takes, compared with others."""
        return self.path.stat().st_size * (LEM_WEIGHT if self.policy == LEM else 1.0)

    def kept(self, folder: Path) -> Path:
        """The file of the unit's figures, written or not."""
        facts = {
            "code": _code_digest(),
            "bars": _digest(self.path, self.path.stat().st_mtime_ns),
            "policy": self.policy_name,
            "runs": [run.facts() for run in self.runs],
            **self.settings,
        }
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:DIGEST_LENGTH]
        return folder / self.market / f"{self.path.stem}-{self.policy}-{digest}.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthUnits:
    """The units of one market and one length of orders; `shown` as in `MarketResults`."""

    market: str
    max_steps: int
    shown: tuple[int, ...]
    units: list[Unit]


@lru_cache(maxsize=1)
def _code_digest() -> str:
    return code_digest(MEASURING)


@lru_cache(maxsize=4096)
def _digest(path: Path, _changed_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def keep(path: Path, arrays: Arrays) -> None:
    """Write all of the arrays or nothing."""
    with written_whole(path) as draft, draft.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # its first keyword is a flag, and no array is named so


def is_whole(path: Path) -> bool:
    """Whether the file is there and undamaged. A machine that died while it wrote may leave a damaged file."""
    return path.exists() and zipfile.is_zipfile(path)
