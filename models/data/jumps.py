"""Jumps of the price from one bar to the next: splits of shares, wrong prints, rows of another instrument."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.bars.gaps import HOLIDAY_DAYS_MAX
from app.domain.durations import DAY_SECONDS
from models.data.findings import PRICE_RATIO_MAX, Finding
from models.data.raw import RawBars
from models.data.wording import utc

JUMP_RATIO_MIN = 1.2
"""The price opens so many times above the close before, or below it, where a jump is told: rare without a reason."""
SPLITS = ((3, 2), *((new, 1) for new in (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)))
"""New shares for old ones, in the splits that companies make; smaller ones look like any bad day."""
SPLIT_SLACK = 0.04
"""How far the price may move besides on the day of a split."""
LISTED_MAX = 10


def jumps(raw: RawBars) -> list[Finding]:
    """A warning with the date of every jump, of rows sorted by time: `price_leap` where a jump is further than any
    market moves, else `price_jump`. After weeks without bars nothing short of a leap is odd."""
    if len(raw) < 2:
        return []
    ratio = raw.columns["open"][1:] / raw.columns["close"][:-1]
    size = np.maximum(ratio, 1.0 / ratio)
    near = np.diff(raw.open_time) <= HOLIDAY_DAYS_MAX * DAY_SECONDS
    leaps = size > PRICE_RATIO_MAX
    kinds = (
        (
            "price_leap",
            leaps,
            f"more than {PRICE_RATIO_MAX:g} times away from",
            "a split, or another instrument's rows",
        ),
        (
            "price_jump",
            (size >= JUMP_RATIO_MIN) & near & ~leaps,
            "far from",
            "if the shares were split, adjust the bars before: of 2 for 1, halve the prices and double the volumes",
        ),
    )
    return [
        _finding(raw, ratio, np.flatnonzero(found), code, f"open {what} the close before", advice)
        for code, found, what, advice in kinds
        if found.any()
    ]


def _finding(raw: RawBars, ratio: np.ndarray, found: np.ndarray, code: str, what: str, advice: str) -> Finding:
    first = int(found[0]) + 1
    listed = sorted(found, key=lambda index: -abs(np.log(ratio[index])))[:LISTED_MAX]
    dates = ", ".join(_told(raw, ratio, index) for index in sorted(listed))
    rest = f" and {len(found) - len(listed)} smaller ones" if len(found) > len(listed) else ""
    text = f"{len(found)} of {len(raw)} rows {what} ({dates}{rest}); first {raw.places.at(first)}: {advice}"
    return Finding(code=code, count=len(found), row=int(raw.places.row[first]), text=text)


def _told(raw: RawBars, ratio: np.ndarray, index: int) -> str:
    time = utc(int(raw.open_time[index + 1])).removesuffix(" 00:00")
    split = split_of(float(ratio[index]), SPLITS)
    return f"{time}: {ratio[index]:.3g} times" + (f", as after a split of {split}" if split else "")


def split_of(ratio: float, splits: Sequence[tuple[int, int]]) -> str:
    """`4 for 1` where the price becomes a fourth, `1 for 4` where it becomes four times as high; empty where no split
    is near."""
    sizes = {f"{new} for {old}": old / new for new, old in splits} | {
        f"{old} for {new}": new / old for new, old in splits
    }
    name = min(sizes, key=lambda name: abs(np.log(ratio / sizes[name])))
    return name if abs(np.log(ratio / sizes[name])) <= SPLIT_SLACK else ""
