"""Binance's public kline archives: one zip per symbol, interval and month, a `.CHECKSUM` (sha256) beside each."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import InvalidInput
from models.data.raw import RawBars
from models.data.reading import parse_csv

INTERVALS = {
    "1s": 1, "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1_800, "1h": 3_600, "2h": 7_200, "4h": 14_400,
    "6h": 21_600, "8h": 28_800, "12h": 43_200, "1d": 86_400,
}  # fmt: skip
"""The seconds of each interval. The project knows no bars longer than a day."""

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
SYMBOL = re.compile(r"[A-Z0-9]{2,32}")
MONTHS_MAX = 1_200
MONTH_SECONDS_MAX = 31 * 86_400
LINE_BYTES_MAX = 256
HEAD_BYTES_MAX = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One month of klines; `month` is written as `2024-01`."""

    symbol: str
    interval: str
    month: str

    @property
    def path(self) -> str:
        """The archive's path below the base URL, and below the folder that keeps archives."""
        name = f"{self.symbol}-{self.interval}-{self.month}.zip"
        return f"data/spot/monthly/klines/{self.symbol}/{self.interval}/{name}"

    @property
    def bytes_max(self) -> int:
        """More bytes than a month of lines can have, packed or not: a larger file is no archive of this interval."""
        return MONTH_SECONDS_MAX // INTERVALS[self.interval] * LINE_BYTES_MAX + HEAD_BYTES_MAX


def archives_of(symbol: str, interval: str, first: str, last: str) -> list[Archive]:
    """One archive per month, `first` and `last` included. Raises InvalidInput."""
    if not SYMBOL.fullmatch(symbol):
        raise InvalidInput("bad_symbol", f"{symbol!r} is not a symbol: write capitals and digits such as BTCUSDT")
    if interval not in INTERVALS:
        raise InvalidInput("bad_interval", f"--interval {interval}: must be one of {', '.join(INTERVALS)}")
    low, high = _month_number("--from", first), _month_number("--to", last)
    if not low <= high < low + MONTHS_MAX:
        raise InvalidInput(
            "bad_months", f"--from {first} --to {last}: give 1 to {MONTHS_MAX} months, the first one first"
        )
    months = (f"{number // 12:04}-{number % 12 + 1:02}" for number in range(low, high + 1))
    return [Archive(symbol=symbol, interval=interval, month=month) for month in months]


def read_archive(path: Path, archive: Archive) -> RawBars:
    """The bars of one archive. Raises InvalidInput where the zip is broken, holds anything but one CSV, or unpacks to
    more than a month has."""
    try:
        return parse_csv(_unpacked(path, archive.bytes_max))[0]
    except InvalidInput as error:
        raise InvalidInput(error.code, f"{path.name}: {error.detail}") from error


def _unpacked(path: Path, bytes_max: int) -> bytes:
    try:
        with zipfile.ZipFile(path) as packed:
            return _only_csv(packed, bytes_max)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InvalidInput("bad_archive", f"the archive is not a whole zip: {error}") from error


def _only_csv(packed: zipfile.ZipFile, bytes_max: int) -> bytes:
    """The bytes of the only file. Reading ends at the bound, whatever size the zip's directory claims."""
    members = packed.infolist()
    if len(members) != 1 or not members[0].filename.lower().endswith(".csv"):
        raise InvalidInput("bad_archive", f"the archive holds {len(members)} files where one CSV belongs")
    with packed.open(members[0]) as file:
        data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise InvalidInput("oversize", f"the archive unpacks to more than the {bytes_max} bytes that a month can have")
    return data


def _month_number(option: str, text: str) -> int:
    matched = MONTH.fullmatch(text)
    if not matched:
        raise InvalidInput("bad_month", f"{option} {text}: write YYYY-MM")
    return int(matched[1]) * 12 + int(matched[2]) - 1
