"""What the demo's orders say at their end, in words that follow from the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.backtest.comparison import OVER_LEM, Row
from app.backtest.job import LEM
from app.bundles.seen_days import Sample
from app.demo.comparing import Compared

ELSEWHERE = 'For many orders on later bars see "Results" in README.md, and docs/results.md.'
BARS = {
    Sample.TRAINING: "These bars trained the model: what it earns on them is no measure of it.",
    Sample.VALIDATION: "These bars chose the model: what it earns on them is no measure of it.",
    Sample.SAME_DAYS: "Other instruments trained or chose the model on these days.",
    Sample.OUT: "The model has not seen these bars.",
}
SIMULATED = "These bars are simulated and cannot be forecast: only the choice of the end can earn anything."


def conclusion(found: Compared) -> Iterator[str]:
    """The paired differences with their intervals, what is luck, and what the model knows of the bars."""
    others = {name: row for name, row in found.total.items() if name != LEM}
    differences = "; ".join(f"{name} {_difference(row)}" for name, row in others.items())
    yield f"Costs more than the LEM on the same orders, mean and 95 % interval: {differences}."
    yield f"Luck: {luck(others)}"
    yield f"{bars_known(found.samples)} {ELSEWHERE}"


def luck(others: dict[str, Row]) -> str:
    """What the intervals permit to say, given how few orders there are."""
    count = max(row["orders"] for row in others.values())
    by_chance = [name for name, row in others.items() if _holds_zero(row)]
    beyond = [name for name in others if name not in by_chance]
    words = []
    if by_chance:
        words.append(f"With {count} orders, the difference to {' and '.join(by_chance)} may be chance alone.")
    if beyond:
        words.append(f"The interval of {' and '.join(beyond)} does not hold 0.")
    if any(row["narrow"] for row in others.values()):
        hint = ": that is a hint, no proof" if beyond else ""
        words.append(f"The orders overlap, so that the intervals are too narrow{hint}.")
    return " ".join(words)


def bars_known(samples: Sequence[Sample]) -> str:
    """What the model knows of the bars; simulated bars are of no sample."""
    return " ".join(BARS[sample] for sample in samples) or SIMULATED


def _holds_zero(row: Row) -> bool:
    """Limits that are not known hold every value."""
    _, low, high = (row[name] for name in OVER_LEM)
    return not (low > 0.0 or high < 0.0)


def _difference(row: Row) -> str:
    mean, low, high = (row[name] for name in OVER_LEM)
    return f"{mean:+z.1f} [{low:+z.1f}, {high:+z.1f}]"
