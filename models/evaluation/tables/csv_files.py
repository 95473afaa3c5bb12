"""Tables as CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from app.files import written_whole
from models.evaluation.tables.row_figures import Row
from models.evaluation.tables.table_columns import COLUMNS


def write_csv(path: Path, table: str, rows: Iterable[Row]) -> None:
    """Write the columns of `COLUMNS`. Other figures of a row are left out; a figure that a row lacks stays empty."""
    with written_whole(path) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS[table], extrasaction="ignore")
        writer.writeheader()
        writer.writerows({name: _rounded(value) for name, value in row.items()} for row in rows)


def _rounded(value: object) -> object:
    return float(f"{value:.6g}") if isinstance(value, float) else value
