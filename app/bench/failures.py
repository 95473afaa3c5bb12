"""Why a bench ends early."""

from __future__ import annotations


class BenchFailed(Exception):
    """What was measured is not what the figure says. The message says why, in one line."""
