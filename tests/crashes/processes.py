"""What a process of the matrix asks of the kernel."""

from __future__ import annotations

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(kind: signal.Signals) -> None:
    """This process gets the signal when the one that started it ends, so that nothing is left running (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, kind)
