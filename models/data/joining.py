"""Files that become one series: where they meet it is checked that all of them are of one instrument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.domain.errors import InvalidInput
from models.data.findings import PRICE_RATIO_MAX, leaps, repeated
from models.data.raw import RawBars, joined
from models.data.wording import utc

KEEP_APART = "if they are two instruments, convert each file with an --instrument of its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBars:
    """The rows of one file, in its order."""

    path: Path
    raw: RawBars


def require_one_symbol(instrument: str, files: Sequence[FileBars]) -> None:
    """Raises InvalidInput where the files themselves name two symbols for what would be one instrument."""
    named = {file.raw.symbol: file for file in files if file.raw.symbol}
    if len(named) > 1:
        one, other = list(named.values())[:2]
        raise InvalidInput(
            "same_instrument",
            f"{one.path} holds {one.raw.symbol} and {other.path} holds {other.raw.symbol}, which would both be "
            f"{instrument}: {KEEP_APART}",
        )


def joined_files(instrument: str, files: Sequence[FileBars]) -> RawBars:
    """All rows of all files. Raises InvalidInput with the files, rows and times where two bars of one time differ, or
    where the price leaps from one file to the next as no market does."""
    rows = joined([file.raw for file in files])
    order = np.argsort(rows.open_time, kind="stable")
    file_of = np.repeat(np.arange(len(files)), [len(file.raw) for file in files])
    in_time = rows.pick(order)
    place = in_time.places.in_file
    _, differs = repeated(in_time)
    if differs.any():
        index = int(np.argmax(differs))
        where = f"two bars of {utc(int(in_time.open_time[index]))} differ, {place(index - 1)} and {place(index)}"
        raise InvalidInput("conflicting_times", f"{instrument}: {where}: keep the right one; {KEEP_APART}")
    leap = leaps(in_time) & (np.diff(file_of[order], prepend=file_of[order[:1]]) != 0)
    if leap.any():
        index = int(np.argmax(leap))
        close, opened = in_time.columns["close"][index - 1], in_time.columns["open"][index]
        where = f"{close:g} ({place(index - 1)}) becomes {opened:g} at {utc(int(in_time.open_time[index]))}"
        raise InvalidInput(
            "price_leap",
            f"{instrument}: the price {where}, {place(index)}, more than {PRICE_RATIO_MAX:g} times as much or less: "
            f"{KEEP_APART}; if the shares were split, adjust the earlier prices",
        )
    return rows
