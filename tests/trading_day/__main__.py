"""Trading days as a command.

    python -m tests.trading_day --seed 0 --orders 500 --days 1 [--seeds 3]

Runs a day of 15-minute bars for 8 instruments against a service that is killed and restarted meanwhile, rebuilds every
order from the stream of events, prints what was done, and each failure with its seed. Ends with 1 where there is one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.trading_day.day import Told, trade
from tests.trading_day.market import BARS_A_DAY, SYMBOLS


def main(words: list[str] | None = None) -> int:
    asked = _parser().parse_args(words)
    failed = False
    for seed in range(asked.seed, asked.seed + asked.seeds):
        with tempfile.TemporaryDirectory(prefix="lem-day-", ignore_cleanup_errors=True) as folder:
            told = asyncio.run(trade(Path(folder) / "data", seed, asked.orders, asked.days * BARS_A_DAY))
        sys.stdout.write(report(told) + "\n")
        failed = failed or bool(told.failures)
    return int(failed)


def report(told: Told) -> str:
    """What happened, and what did not hold."""
    lines = [
        f"seed {told.seed}, fingerprint {told.fingerprint}: {told.cpu_seconds:.0f} s of processors",
        f"  {len(SYMBOLS)} instruments, {told.counts['order']} orders, {told.events.total()} events",
        f"  done: {_listed(told.counts)}",
        f"  refused: {_listed(told.refusals)}",
        f"  orders now: {_listed(told.statuses)}",
        f"  events: {_listed(told.events)}",
        *(f"  seed {told.seed} FAILED: {each}" for each in told.failures),
    ]
    return "\n".join(lines)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "nothing"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.trading_day", description="Run trading days.")
    parser.add_argument("--seed", type=int, default=0, help="the first one's")
    parser.add_argument("--seeds", type=int, default=1, help="how many, one after the other")
    parser.add_argument("--orders", type=int, default=500, help="how many orders the desk sends")
    parser.add_argument("--days", type=int, default=1, help="how long that goes on")
    return parser


if __name__ == "__main__":
    sys.exit(main())
