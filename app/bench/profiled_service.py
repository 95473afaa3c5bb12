"""A command of `lem` under a sampling profiler, which signals switch: SIGUSR1 starts it, SIGUSR2 stops it and writes
what was seen to a file.

Run as `python -m app.bench.profiled_service FILE serve ...`. A sample is taken whenever the process has used another
millisecond of CPU (the kernel may round that up): a profiler that is called at every function would make small
functions look dear. The file has a line for each stack, its functions from the outermost to the innermost and the
number of samples, the form that flame graphs are drawn from.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

from app.bench.profiles import write_folded

SAMPLE_SECONDS = 0.001
DEPTH_MAX = 80
LOOPS = {"asyncio.runners", "uvicorn.server"}
"""Modules that run the event loop: where one of their functions is the innermost, the loop itself or another thread has
used the CPU."""
WAITING = {"threading", "queue", "concurrent.futures.thread", "app.engine.bounded_thread"}
"""Modules whose functions are the innermost of a thread that waits for work."""


class Sampler:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._stacks: Counter[str] = Counter()

    def install(self) -> None:
        signal.signal(signal.SIGPROF, self._sample)
        signal.signal(signal.SIGUSR1, self._start)
        signal.signal(signal.SIGUSR2, self._stop)

    def _start(self, *_: object) -> None:
        self._stacks.clear()
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_SECONDS, SAMPLE_SECONDS)

    def _stop(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        write_folded(self._path, self._stacks)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        busy = _busy_thread() if _module(frame) in LOOPS else None
        self._stacks[_folded(busy or frame)] += 1


def _busy_thread() -> FrameType | None:
    """Another thread that is at work, where there is one; signals interrupt the main thread only."""
    main = threading.main_thread().ident
    others = [frame for thread, frame in sys._current_frames().items() if thread != main]  # noqa: SLF001
    return next((frame for frame in others if _module(frame) not in WAITING), None)


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "?"))


def _folded(frame: FrameType) -> str:
    names: list[str] = []
    inner: FrameType | None = frame
    while inner is not None and len(names) < DEPTH_MAX:
        names.append(f"{_module(inner)}.{inner.f_code.co_qualname}")
        inner = inner.f_back
    return ";".join(reversed(names))


def main() -> None:
    from app.cli import cli

    Sampler(Path(sys.argv[1])).install()
    cli(args=sys.argv[2:], prog_name="lem")


if __name__ == "__main__":
    main()
