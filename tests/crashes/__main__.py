"""The crash matrix as a command.

    python -m tests.crashes --scenarios 200 --seed 0 --jobs 2 [--only "kill -9"] [--results FILE]

Runs the scenarios of so many seeds from `--seed` on, each beside an undisturbed run of the same orders, fills and bars,
and prints a table by kind of harm and by point. Ends with 1 where anything was lost, doubled or different; the seed and
the differences of such a scenario are printed, and kept in the results file. With `--results`, what the file has
already is not run again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.crashes.harm import Kind
from tests.crashes.matrix import keep, known, outcomes
from tests.crashes.run import Outcome
from tests.crashes.table import failure, table

TOLD_EVERY = 50


def main(words: list[str] | None = None) -> int:
    asked = _parser().parse_args(words)
    seeds = range(asked.seed, asked.seed + asked.scenarios)
    found = known(asked.results) if asked.results else {}
    for count, outcome in enumerate(outcomes([seed for seed in seeds if seed not in found], asked.jobs, asked.only), 1):
        found[outcome.seed] = outcome
        if asked.results:
            keep(asked.results, outcome)
        _tell(count, outcome)
    wanted = [found[seed] for seed in seeds]
    sys.stdout.write(table(wanted) + "\n")
    return int(any(outcome.failed for outcome in wanted))


def _tell(count: int, outcome: Outcome) -> None:
    if outcome.failed:
        sys.stderr.write(failure(outcome) + "\n")
    if count % TOLD_EVERY == 0:
        sys.stderr.write(f"{count} scenarios\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.crashes", description="Run the crash matrix.")
    parser.add_argument("--scenarios", type=int, default=200, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="the first one's")
    parser.add_argument("--jobs", type=int, default=1, help="how many run at a time")
    parser.add_argument("--only", type=Kind, choices=list(Kind), help="one kind of harm")
    parser.add_argument("--results", type=Path, help="a file of outcomes, a JSON object a line, that is added to")
    return parser


if __name__ == "__main__":
    sys.exit(main())
