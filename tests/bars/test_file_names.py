"""Which instrument a file is named for, and that two symbols never become one."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bars.file_names import bar_file_name, bar_file_symbol, instrument_of, require_one_symbol_each, symbol_of
from app.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("COIN.csv", "COIN"),
        ("COIN.csv.gz", "COIN"),
        ("COIN-15m.parquet", "COIN"),
        ("COIN-1.csv", "COIN"),
        ("COIN-2024-01-31.csv", "COIN"),
        ("BTCUSDT-15m-2024-01.csv", "BTCUSDT"),
        ("COIN-2024_2025-daily.CSV", "COIN"),
        ("COIN-hours.csv", "COIN"),
        ("EURUSD-M5.csv", "EURUSD"),
        ("ACME_1min.csv", "ACME"),
        ("BRK_A_5min_bars.csv", "BRK_A"),
        ("SWAP_3M.csv", "SWAP_3M"),
        ("BRK-A.csv", "BRK-A"),
        ("BRK-B-1d.parquet", "BRK-B"),
        ("BRK.B-1d.parquet", "BRK.B"),
        ("BTC-USD-2024.csv", "BTC-USD"),
        ("0700.HK.csv", "0700.HK"),
        ("600000.csv", "600000"),
        ("HK.00700.csv", "HK.00700"),
        ("TSE-7203-1d-2024.csv", "TSE-7203"),
        ("brk.b.us.txt", "brk.b.us"),
    ],
)
def test_dates_numbers_and_lengths_are_no_part_of_a_symbol(name: str, symbol: str) -> None:
    assert symbol_of(Path("folder-A") / name) == symbol


def test_a_bar_file_has_a_dot_for_a_dash() -> None:
    assert [bar_file_symbol(name) for name in ("BRK-A", "BRK/A", "EURUSD=X", "^GSPC")] == [
        "BRK.A", "BRK.A", "EURUSD.X", "GSPC",
    ]  # fmt: skip
    assert bar_file_name(Path("in/BRK-A-1d.parquet")) == "BRK.A-1d.parquet"
    assert instrument_of(Path("out/BRK.A-1d.parquet")) == "BRK.A"


def test_two_symbols_that_would_be_one_instrument_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"BRK-A-1d.parquet and x/BRK-B-1d.parquet would .* as in BRK.B"):
        require_one_symbol_each([Path("BRK-A-1d.parquet"), Path("KO-1d.parquet"), Path("x/BRK-B-1d.parquet")])


def test_files_of_one_symbol_are_one_instrument() -> None:
    names = ["COIN-15m.parquet", "COIN-1h.parquet", "older/COIN-15m.parquet", "BRK.A-1d.parquet", "BRK.B-1d.parquet"]

    require_one_symbol_each(map(Path, names))
