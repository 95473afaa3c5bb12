"""What the kernel knows of a process of ours: CPU, memory, descriptors, children. Linux only."""

from __future__ import annotations

import sys
import time
from pathlib import Path

PROCESSES = Path("/proc")
CPU_CLOCK = 2
"""Of a process's three clocks in the kernel, the one that counts user and system time of all its threads."""
CPU_CLOCK_BITS = 3


def supported() -> bool:
    return sys.platform == "linux" and PROCESSES.is_dir()


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of the process so far, also of those that have ended. `/proc/PID/stat` counts
    in hundredths of a second, too coarse for one bar; the clock of the process counts nanoseconds.
    Raises OSError for a process that is gone."""
    return time.clock_gettime((~pid << CPU_CLOCK_BITS) | CPU_CLOCK)


def resident_bytes(pid: int) -> int:
    """The memory that the process holds, shared libraries among it. Raises OSError for a process that is gone."""
    for line in (PROCESSES / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0  # a process that ends has no memory any more


def descriptors(pid: int) -> int:
    """Files and sockets that the process has open. Raises OSError for a process that is gone."""
    return sum(1 for _ in (PROCESSES / str(pid) / "fd").iterdir())


def children_of(pid: int) -> list[int]:
    """Processes that the process has started and that still run."""
    return [int(entry.name) for entry in PROCESSES.glob("[0-9]*") if _parent_of(entry) == pid]


def _parent_of(entry: Path) -> int | None:
    """None for a process that has ended meanwhile."""
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])  # a name may hold spaces and brackets
    except OSError:
        return None


def working_folder(pid: int) -> Path:
    """Raises OSError for a process that is gone."""
    return (PROCESSES / str(pid) / "cwd").readlink()


def folder_bytes(folder: Path) -> int:
    """The size of all files in the folder. Files that go meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total
