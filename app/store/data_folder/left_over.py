"""Ends a server that was left over in a data folder, and nothing else.

No answer from a socket says which process to end: whoever can listen there could name any. The kernel says which
processes are our user's, run the store's server and work in the folder."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

PROCESSES = Path("/proc")


def kill_servers(folder: Path, binary: Path) -> int:
    """Kill every server of ours that works in the folder; how many there were. Only where the kernel lists processes
    in /proc; elsewhere 0."""
    return sum(_kill_if_ours(int(entry.name), folder, binary) for entry in PROCESSES.glob("[0-9]*"))


def _kill_if_ours(pid: int, folder: Path, binary: Path) -> bool:
    """Through a descriptor of the process, so that no other one that gets its number meanwhile is hit."""
    with contextlib.suppress(OSError), _descriptor(pid) as process:
        if _is_ours(PROCESSES / str(pid), folder, binary):
            signal.pidfd_send_signal(process, signal.SIGKILL)
            return True
    return False


def _is_ours(process: Path, folder: Path, binary: Path) -> bool:
    if process.stat().st_uid != os.geteuid():
        return False
    program = (process / "exe").readlink().name.removesuffix(" (deleted)")  # an upgrade replaces the file
    return program == binary.name and (process / "cwd").samefile(folder)


@contextlib.contextmanager
def _descriptor(pid: int) -> Iterator[int]:
    opened = os.pidfd_open(pid)
    try:
        yield opened
    finally:
        os.close(opened)
