"""Users' files of exchanges all over the world: checked, converted and traded over."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.bars.stretches import stretches
from models.data.examine import examine_file
from tests.bars.exchanges import NEW_YORK, SYDNEY, any_of, daily_opens, lost, opens, opens_all_week
from tests.data.tables import a_csv, lem_data

ZONES = ["Europe/Berlin", "Asia/Tokyo", "Asia/Kolkata", "Pacific/Auckland", NEW_YORK, "America/Los_Angeles", "UTC"]


def a_file(folder: Path, times: Iterable[int], zone: str = "UTC", name: str = "COIN.csv") -> Path:
    """Times in ISO 8601 with the zone's offset, as sources of that zone write them."""
    return a_csv(folder, [datetime.fromtimestamp(time, ZoneInfo(zone)).isoformat() for time in times], name=name)


def checked(path: Path) -> Any:
    return json.loads(lem_data("check", path, "--json").output)["files"][0]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("written_in", ["the zone", "UTC"])
def test_daily_bars_at_local_midnight_are_whole_all_year(tmp_path: Path, zone: str, written_in: str) -> None:
    path = a_file(tmp_path, daily_opens(zone), "UTC" if written_in == "UTC" else zone)

    said, result = checked(path), lem_data("convert", path, "--out", tmp_path / "bars")

    assert not said["round_the_clock"]
    assert (said["gaps"], said["faults"], said["warnings"]) == ([], [], [])
    assert result.exit_code == 0, result.output
    assert [len(part) for part in stretches(tmp_path / "bars" / "COIN-1d.parquet", None)] == [500]


def test_sessions_that_open_on_sunday_in_utc_are_whole(tmp_path: Path) -> None:
    sydney = a_file(tmp_path, opens(SYDNEY, ("10:00", "16:00")), SYDNEY)
    futures = a_file(tmp_path, opens_all_week("America/Chicago", 17, 16), name="FUTURE.csv")

    for said in (checked(sydney), checked(futures)):
        assert not said["round_the_clock"]
        assert (said["gaps"], said["faults"], said["warnings"]) == ([], [], [])


@pytest.mark.parametrize("zone", [NEW_YORK, "UTC"])
def test_a_hole_is_found_in_summer_and_in_winter_however_times_are_written(tmp_path: Path, zone: str) -> None:
    both = any_of(lost("2024-09-12T15:00", "2024-09-12T15:30"), lost("2024-12-11T15:00", "2024-12-11T15:30"))

    said = checked(a_file(tmp_path, opens(NEW_YORK, ("09:30", "16:00"), lost=both), zone))

    assert [gap["after"] for gap in said["gaps"]] == ["2024-09-12T18:45:00+00:00", "2024-12-11T19:45:00+00:00"]


def test_weeks_without_bars_are_a_gap_with_its_length(tmp_path: Path) -> None:
    path = a_file(tmp_path, daily_opens("Asia/Tokyo", lost=lost("2022-09-01", "2022-12-01")), "Asia/Tokyo")

    output = lem_data("check", path).output

    assert "1 gap, 65 bars missing; longest 65 after 2022-08-30 15:00" in output
    assert "65 bars, a new history begins" in output


def test_days_without_bars_are_told_with_their_dates(tmp_path: Path) -> None:
    days = any_of(lost("2024-09-16", "2024-09-21"), lost("2024-11-28", "2024-11-29"))
    path = a_file(tmp_path, opens(NEW_YORK, ("09:30", "16:00"), lost=days))

    report = examine_file(path)[0]

    (warning,) = report.warnings
    assert report.gaps == ()
    assert report.missing_days == ("2024-09-16", "2024-09-17", "2024-09-18", "2024-09-19", "2024-09-20", "2024-11-28")
    assert (warning.code, warning.count, warning.row) == ("missing_days", 6, 10 * 26)
    assert "6 trading days have no bars (2024-09-16 to 2024-09-20, 2024-11-28)" in warning.text
    assert "compare them with the exchange's calendar" in warning.text


def test_no_more_than_ten_runs_of_days_are_listed(tmp_path: Path) -> None:
    first_of_month = daily_opens("UTC", first=date(2022, 1, 3), lost=lambda local: local.day in (5, 6))

    text = examine_file(a_file(tmp_path, first_of_month))[0].warnings[0].text

    assert text.count("2022-") + text.count("2023-") <= 20
    assert "more no longer than these" in text


def test_a_second_daily_bar_of_one_date_is_told(tmp_path: Path) -> None:
    """Some sources repeat the newest day with the time of its last trade."""
    stamps = daily_opens("Europe/Berlin", days=30)
    path = a_file(tmp_path, [*stamps, stamps[-1] + 15 * 3600], "Europe/Berlin")

    (warning,) = examine_file(path)[0].warnings

    assert (warning.code, warning.count, warning.row) == ("day_twice", 1, len(stamps))
    assert warning.text.endswith("keep one for each day")


def test_a_leap_of_the_price_is_told_with_its_time(tmp_path: Path) -> None:
    path = a_csv(tmp_path, daily_opens("UTC", days=5))
    path.write_text(path.read_text() + f"{daily_opens('UTC', days=8)[-1]},4,4,4,4,10,40\n")

    text = examine_file(path)[0].warnings[0].text

    assert text.startswith(
        "1 of 6 rows open more than 10 times away from the close before "
        "(2022-01-10: 0.0398 times, as after a split of 25 for 1)"
    )
    assert "first row 5, line 7" in text
