"""Where rows come from: what a message names, so that a user finds the row in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The places of T rows. `row` [T] counts the rows of a file from 0; `line` [T] its lines from 1, as editors do, and
    is 0 where the file has no lines or a line break inside quotes. `file` [T] is an index of `files`."""

    files: tuple[str, ...]
    file: Counts
    row: Counts
    line: Counts

    def __len__(self) -> int:
        return len(self.row)

    def at(self, index: int) -> str:
        """`row 3, line 5`, or `row 3`."""
        line = int(self.line[index])
        return f"row {self.row[index]}" + (f", line {line}" if line else "")

    def in_file(self, index: int) -> str:
        """`row 3, line 5 of COIN.csv`."""
        return f"{self.at(index)} of {self.files[self.file[index]]}"

    def pick(self, chosen: Counts) -> Places:
        """The places of the rows at the given indices."""
        return Places(files=self.files, file=self.file[chosen], row=self.row[chosen], line=self.line[chosen])


def places_of(count: int, line: Counts | None = None, file: str = "") -> Places:
    """The places of all `count` rows of one file."""
    none = np.zeros(count, dtype=np.int64)
    return Places(files=(file,), file=none, row=np.arange(count), line=none if line is None else line)


def joined_places(parts: Sequence[Places]) -> Places:
    """The places of all rows of all parts, one part after the other."""
    firsts = np.cumsum([0, *(len(part.files) for part in parts)])
    return Places(
        files=tuple(file for part in parts for file in part.files),
        file=np.concatenate([part.file + first for part, first in zip(parts, firsts, strict=False)]),
        row=np.concatenate([part.row for part in parts]),
        line=np.concatenate([part.line for part in parts]),
    )
