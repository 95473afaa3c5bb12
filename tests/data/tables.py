"""Users' files, with valid defaults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from typer.testing import CliRunner, Result

from models.data.lem_data import data

SATURDAY = 1_704_499_200
"""2024-01-06 00:00 UTC: bars from here on are read as trading round the clock."""

HOURS = [SATURDAY + 3600 * index for index in range(6)]

MONDAY_OPEN = 1_704_724_200
"""2024-01-08 14:30 UTC, when New York opens."""

HEADER = "timestamp,open,high,low,close,volume,notional"
BAR = "100,101,99,100.5,10,1003"


def lem_data(*words: str | Path) -> Result:
    return CliRunner().invoke(data, [str(word) for word in words])


def a_csv(
    folder: Path,
    times: Sequence[object] = (SATURDAY, SATURDAY + 900, SATURDAY + 1800),
    *,
    name: str = "COIN.csv",
    header: str = HEADER,
    bar: str = BAR,
) -> Path:
    """The same bar at each of the times."""
    path = folder / name
    path.write_text("\n".join([header, *(f"{time},{bar}" for time in times)]) + "\n")
    return path


def a_time(*seconds: int | None, zone: str | None = "UTC") -> pa.Array:
    return pa.array(seconds, pa.timestamp("s", tz=zone))
