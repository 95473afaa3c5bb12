"""What is in a kline archive, and what is not taken for one."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from app.domain.errors import InvalidInput
from models.data.archives import archives_of, read_archive
from tests.data.klines import MICROSECONDS, MILLISECONDS, a_month, a_zip, an_archive, month_start


def stored(folder: Path, packed: bytes) -> Path:
    path = folder / "BTCUSDT-15m-2024-01.zip"
    path.write_bytes(packed)
    return path


@pytest.mark.parametrize("parts", [MILLISECONDS, MICROSECONDS])
@pytest.mark.parametrize("header", [False, True])
def test_both_units_of_time_are_read_with_and_without_a_header(tmp_path: Path, parts: int, header: bool) -> None:
    path = stored(tmp_path, a_zip(a_month(parts=parts, header=header)))

    raw = read_archive(path, an_archive())

    assert raw.open_time.tolist() == [month_start("2024-01") + 900 * index for index in range(4)]
    assert raw.columns["notional"].tolist() == [11.5] * 4
    assert raw.columns["trades"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert raw.columns["low"].tolist() == [1.0] * 4


def test_a_broken_zip_is_refused(tmp_path: Path) -> None:
    whole = a_zip(a_month())
    flipped = bytearray(whole)
    flipped[60] ^= 0xFF

    for packed in (whole[: len(whole) // 2], b"", b"not a zip", bytes(flipped)):
        with pytest.raises(InvalidInput, match="is not a whole zip"):
            read_archive(stored(tmp_path, packed), an_archive())


def test_a_zip_bomb_is_not_unpacked_beyond_what_a_month_can_have(tmp_path: Path) -> None:
    bomb = a_zip(b"0" * 50_000_000)

    assert len(bomb) < an_archive().bytes_max < 1_000_000
    with pytest.raises(InvalidInput, match="unpacks to more than") as refusal:
        read_archive(stored(tmp_path, bomb), an_archive())
    assert refusal.value.code == "oversize"


def test_a_bomb_that_lies_about_its_size_is_refused_too(tmp_path: Path) -> None:
    packed = bytearray(a_zip(b"0" * 50_000_000))
    size_at = packed.rfind(b"PK\x01\x02") + 24
    packed[size_at : size_at + 4] = (1_000).to_bytes(4, "little")

    with pytest.raises(InvalidInput, match="is not a whole zip"):
        read_archive(stored(tmp_path, bytes(packed)), an_archive())


def test_a_full_month_of_long_lines_is_within_the_bound() -> None:
    """The widest line that was seen has 140 characters."""
    full = 31 * 96 * 140

    assert full < an_archive().bytes_max


@pytest.mark.parametrize("contents", [(), (a_month(), a_month())])
def test_an_archive_holds_exactly_one_file(tmp_path: Path, contents: tuple[bytes, ...]) -> None:
    with pytest.raises(InvalidInput, match="where one CSV belongs"):
        read_archive(stored(tmp_path, a_zip(*contents)), an_archive())


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    packed = bytearray(a_zip(a_month()))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.find(signature) + flags] |= 1

    with pytest.raises(InvalidInput, match="encrypted"):
        read_archive(stored(tmp_path, bytes(packed)), an_archive())


def test_a_file_of_other_columns_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"BTCUSDT-15m-2024-01\.zip: .* must name the columns"):
        read_archive(stored(tmp_path, a_zip(b"1,2,3\n")), an_archive())


def test_nothing_in_the_archive_is_written_to_disk(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../escaped.csv", a_month())

    read_archive(stored(tmp_path, packed.getvalue()), an_archive())

    assert [path.name for path in tmp_path.iterdir()] == ["BTCUSDT-15m-2024-01.zip"]
    assert not (tmp_path.parent.parent / "escaped.csv").exists()


def test_months_run_over_the_end_of_a_year() -> None:
    months = [archive.month for archive in archives_of("BTCUSDT", "15m", "2023-11", "2024-02")]

    assert months == ["2023-11", "2023-12", "2024-01", "2024-02"]


def test_an_archive_lies_where_binance_puts_it() -> None:
    assert an_archive().path == "data/spot/monthly/klines/BTCUSDT/15m/BTCUSDT-15m-2024-01.zip"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("btc/usdt", "15m", "2024-01", "2024-01"), "bad_symbol"),
        (("../BTC", "15m", "2024-01", "2024-01"), "bad_symbol"),
        (("BTCUSDT", "7m", "2024-01", "2024-01"), "bad_interval"),
        (("BTCUSDT", "1mo", "2024-01", "2024-01"), "bad_interval"),
        (("BTCUSDT", "15m", "2024-13", "2024-01"), "bad_month"),
        (("BTCUSDT", "15m", "2024-01", "2024-1"), "bad_month"),
        (("BTCUSDT", "15m", "2024-02", "2024-01"), "bad_months"),
        (("BTCUSDT", "15m", "1000-01", "2024-01"), "bad_months"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(words: tuple[str, str, str, str], code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        archives_of(*words)

    assert refusal.value.code == code
