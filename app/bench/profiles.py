"""Profiles: asking a service for what it has sampled, and what of it is worth showing."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from app.bench.failures import BenchFailed
from app.files import written_whole

WRITE_SECONDS_MAX = 30.0
POLL_SECONDS = 0.01


class Recorder:
    """Switches the profiler of a service and adds what the profiler saw to `stacks`."""

    def __init__(self, path: Path, stacks: Counter[str]) -> None:
        self.path = path
        self._stacks = stacks

    def start(self, pid: int) -> None:
        self.path.unlink(missing_ok=True)
        os.kill(pid, signal.SIGUSR1)

    def stop(self, pid: int) -> None:
        os.kill(pid, signal.SIGUSR2)
        deadline = monotonic() + WRITE_SECONDS_MAX
        while not self.path.exists():
            if monotonic() > deadline:
                raise BenchFailed("the service has not written its profile")
            sleep(POLL_SECONDS)
        self._stacks.update(read_folded(self.path))


@dataclass(frozen=True, slots=True)
class Share:
    """A function's share of the samples: of `own`, the function itself ran; of `whole`, also what it called."""

    function: str
    own: float
    whole: float


def shares(stacks: Counter[str]) -> list[Share]:
    """All functions, those that ran most themselves first."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for stack, samples in stacks.items():
        functions = stack.split(";")
        own[functions[-1]] += samples
        for function in set(functions):
            whole[function] += samples
    total = sum(own.values())
    found = [Share(function, own[function] / total, count / total) for function, count in whole.items()]
    return sorted(found, key=lambda share: (-share.own, -share.whole, share.function))


def ours(found: Iterable[Share]) -> list[Share]:
    """Those of the project, with all that they call, the largest first."""
    mine = [share for share in found if share.function.startswith("app.")]
    return sorted(mine, key=lambda share: (-share.whole, share.function))


def write_folded(path: Path, stacks: Counter[str]) -> None:
    with written_whole(path) as draft:
        draft.write_text("".join(f"{stack} {samples}\n" for stack, samples in stacks.most_common()))


def read_folded(path: Path) -> Counter[str]:
    lines = (line.rpartition(" ") for line in path.read_text().splitlines())
    return Counter({stack: int(samples) for stack, _, samples in lines})
