"""`lem data check`: what it finds, and that it finds exactly what the project would trip over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bars.gaps import segments
from app.bars.reader import read_series
from app.domain.errors import InvalidInput
from models.data.examine import Report, examine_file
from tests.data.tables import MONDAY_OPEN, SATURDAY, a_csv, a_time, lem_data
from tests.market import REAL_BARS, a_bar_file

QUARTERS = a_time(*(SATURDAY + 900 * index for index in range(4)))


def checked(folder: Path, **changes: Any) -> Report:
    return examine_file(a_bar_file(folder, **changes))[0]


def faults(folder: Path, **changes: Any) -> dict[str, int]:
    return {fault.code: fault.count for fault in checked(folder, **changes).faults}


def warnings(folder: Path, **changes: Any) -> dict[str, int]:
    return {warning.code: warning.count for warning in checked(folder, **changes).warnings}


def test_sound_bars_are_described_and_pass(tmp_path: Path) -> None:
    result = lem_data("check", a_bar_file(tmp_path, timestamp=QUARTERS))

    assert result.exit_code == 0
    assert "4 bars of 15m, opens 2024-01-06 00:00 to 2024-01-06 00:45 UTC, round the clock" in result.output
    assert "no gaps" in result.output


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"timestamp": a_time(0, 1800, 900, 2700)}, {"out_of_order": 1}),
        ({"timestamp": a_time(0, 900, 900, 1800)}, {"duplicate_times": 1}),
        ({"timestamp": a_time(0, 900, 900, 1800), "close": [100.0, 100.0, 99.5, 100.0], "low": [99.0] * 4},
         {"conflicting_times": 1}),
        ({"close": [100.0, np.nan, None, 100.0]}, {"not_a_number": 2}),
        ({"volume": [10.0, np.inf, 1.0, 1.0]}, {"infinite": 1}),
        ({"notional": [10.0, np.inf, 1.0, 10.0]}, {"infinite": 1}),
        ({"volume": [10.0, 10.0, -1.0, 10.0]}, {"negative": 1}),
        ({"high": [100.0, 100.0, 100.0, 99.0]}, {"high_below_low": 1}),
        ({"open": [100.0, 100.0, 101.0, 100.0]}, {"price_outside_range": 1}),
        (dict.fromkeys(("open", "high", "low", "close"), [0.0] * 4), {"price_not_above_zero": 4}),
        ({"timestamp": a_time(SATURDAY, SATURDAY + 900, SATURDAY + 1800, SATURDAY + 3000)}, {"off_grid": 1}),
        ({"timestamp": [0, 900, 1800, 2700]}, {"bad_timestamp": 1}),
        ({"notional": None}, {"missing_column": 1}),
        ({"low": None}, {"missing_column": 1}),
    ],
)  # fmt: skip
def test_what_must_be_mended_is_counted(tmp_path: Path, changes: dict[str, Any], found: dict[str, int]) -> None:
    assert faults(tmp_path, **changes) == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, {}),
        ({"volume": [10.0, 0.0, 0.0, 10.0], "notional": [1000.0, 0.0, 0.0, 1000.0]}, {"no_volume": 2}),
        ({"notional": [1000.0, None, np.nan, 1000.0]}, {"no_notional": 2}),
        ({"notional": [1000.0, 1000.05, 1000.2, 900.0]}, {"notional_outside": 2}),
        ({"timestamp": a_time(0, 900, 1800, 2700, zone=None)}, {"no_zone": 1}),
    ],
)
def test_what_the_project_copes_with_is_a_warning(
    tmp_path: Path, changes: dict[str, Any], found: dict[str, int]
) -> None:
    assert warnings(tmp_path, **changes) == found
    assert lem_data("check", a_bar_file(tmp_path, **changes)).exit_code == 0


TIMES = st.lists(st.integers(0, 12), min_size=4, max_size=4)
PRICE = st.sampled_from([100.0, 100.0, 100.0, 99.0, 101.0, 0.0, -1.0, np.nan, np.inf])


@given(indices=TIMES, beside=st.sampled_from([0, 0, 450]), name=st.sampled_from(["open", "high", "volume", "notional"]),
       value=PRICE)  # fmt: skip
def test_a_file_is_faultless_exactly_when_the_backtest_takes_it(
    tmp_path_factory: pytest.TempPathFactory, indices: list[int], beside: int, name: str, value: float
) -> None:
    times = [SATURDAY + 900 * index for index in indices]
    times[-1] += beside
    folder = tmp_path_factory.mktemp("bars")
    path = a_bar_file(folder, **({"timestamp": a_time(*times)} | {name: [100.0, 100.0, value, 100.0]}))
    try:
        segments(read_series(path))
        taken = True
    except InvalidInput:
        taken = False

    assert (examine_file(path)[0].faults == ()) is taken


def test_gaps_are_counted_and_the_longest_listed_in_order_of_time(tmp_path: Path) -> None:
    indices = [0, 1, 3, 4, 8, 9, 400]
    path = a_csv(tmp_path, [SATURDAY + 900 * index for index in indices])

    output = lem_data("check", path, "--gaps", "2").output

    assert "3 gaps, 394 bars missing; longest 390 after 2024-01-06 02:15" in output
    listed = output.split("02:15\n", 1)[1]
    assert listed == (
        "    after 2024-01-06 01:00: 3 bars\n"
        "    after 2024-01-06 02:15: 390 bars, a new history begins\n"
        "    and 1 no longer than these\n"
    )


def test_a_time_beside_the_grid_counts_no_bar_twice(tmp_path: Path) -> None:
    """Between 0:15 and 0:50 two bars are missing, that of 0:30 and that of 0:45."""
    path = a_csv(tmp_path, [SATURDAY, SATURDAY + 900, SATURDAY + 3000, SATURDAY + 3900])

    assert [gap.bars for gap in examine_file(path)[0].gaps] == [2]


def test_nights_weekends_and_late_opens_are_no_gaps_and_holes_inside_a_session_are(tmp_path: Path) -> None:
    session = [MONDAY_OPEN + 300 * index for index in range(78)]
    days = [[time + 86_400 * day for time in session] for day in (0, 1, 2, 7)]
    days[2] = days[2][3:]
    days[3] = days[3][:10] + days[3][14:]
    path = a_csv(tmp_path, [time for day in days for time in day])

    report = examine_file(path)[0]

    assert not report.round_the_clock
    assert [(gap.after, gap.bars) for gap in report.gaps] == [(days[3][9], 4)]


def test_a_lunch_break_is_no_gap(tmp_path: Path) -> None:
    day = [*range(0, 9000, 300), *range(12_600, 21_600, 300)]
    path = a_csv(tmp_path, [MONDAY_OPEN + time + 86_400 * number for number in range(5) for time in day])

    assert examine_file(path)[0].gaps == ()


def test_machines_get_every_gap_and_finding(tmp_path: Path) -> None:
    good = a_csv(tmp_path, [SATURDAY, SATURDAY + 900, SATURDAY + 2700])
    bad = tmp_path / "none.parquet"

    result = lem_data("check", good, bad, "--json", "--gaps", "0")

    first, second = json.loads(result.output)["files"]
    assert result.exit_code == 1
    assert first["ok"]
    assert first["first"] == "2024-01-06T00:00:00+00:00"
    assert first["gaps"] == [{"after": "2024-01-06T00:15:00+00:00", "bars": 1, "new_history": False}]
    assert (first["bars"], first["missing_bars"], first["bar_seconds"]) == (3, 1, 900)
    assert not second["ok"]
    assert second["faults"][0]["code"] == "no_such_file"


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"PAR1 and no more", b"a,b\n1,2\n", b"1,2,3\n4,5,6\n"])
def test_what_are_no_bars_is_a_fault_and_no_crash(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bars.bin"
    path.write_bytes(content)

    result = lem_data("check", path, a_csv(tmp_path))

    assert result.exit_code == 1
    assert "must be mended" in result.output
    assert "3 bars of 15m" in result.output


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_bars_are_a_fault(tmp_path: Path, count: int) -> None:
    report = examine_file(a_csv(tmp_path, [SATURDAY] * count))[0]

    assert [fault.code for fault in report.faults] == ["too_few_bars"]


def test_an_unknown_column_name_stops_the_command(tmp_path: Path) -> None:
    assert lem_data("check", a_csv(tmp_path), "--columns", "price=open").exit_code == 2


@pytest.mark.skipif(not REAL_BARS.exists(), reason="real bars are not here")
def test_the_worst_hole_of_the_real_hours_is_found() -> None:
    report = examine_file(REAL_BARS / "crypto_1h" / "BTCUSDT-1h.parquet")[0]

    longest = max(report.gaps, key=lambda gap: gap.bars)
    assert report.faults == ()
    assert (longest.after, longest.bars) == (1_518_048_000, 33)


def test_an_empty_arrow_table_is_a_fault(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("open", "high", "low", "close", "volume", "notional"), pa.array([], pa.float64()))

    assert faults(tmp_path, timestamp=a_time(), **nothing) == {"too_few_bars": 1}
