"""Splits and jumps of the price: warned of with their dates."""

from __future__ import annotations

from pathlib import Path

from models.data.examine import examine_file
from tests.data.tables import a_csv

DAYS = [f"2024-01-{day:02}" for day in (8, 9, 10, 11, 12, 15, 16)]


def test_splits_and_jumps_are_warned_of_with_their_dates(tmp_path: Path) -> None:
    path = a_csv(tmp_path, DAYS)
    more = ["2024-01-17,25,25,25,25,40,1000", "2024-01-18,25,25,25,25,40,1000", "2024-01-19,33,33,33,33,30,990"]
    path.write_text(path.read_text() + "\n".join(more) + "\n")

    (report,) = examine_file(path)

    found = {warning.code: warning for warning in report.warnings}
    assert (found["price_jump"].count, found["price_jump"].row) == (2, 7)
    assert "2024-01-17: 0.249 times, as after a split of 4 for 1" in found["price_jump"].text
    assert "2024-01-19: 1.32 times)" in found["price_jump"].text
    assert "first row 7, line 9: if the shares were split, adjust the bars before" in found["price_jump"].text


def test_a_price_that_moved_while_there_were_no_bars_is_no_jump(tmp_path: Path) -> None:
    path = a_csv(tmp_path, DAYS)
    path.write_text(path.read_text() + "2024-03-18,150,150,150,150,40,6000\n2024-03-19,150,150,150,150,40,6000\n")

    assert "price_jump" not in [warning.code for warning in examine_file(path)[0].warnings]
