"""What the demo prints is right on a terminal, on a narrow one, and in a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo.running import COLOURS, ESCAPES, QUICKLY, a_browser, demo, on_terminal, opened_in
from tests.processes.replicas import PATIENT_SECONDS

pytestmark = pytest.mark.spawns

NO_PROXY_THERE = "http://127.0.0.1:9"
"""Nobody listens there: what asks this proxy fails."""


def test_a_log_has_plain_lines_of_80_columns_and_tells_first_why_and_where(tmp_path: Path) -> None:
    with demo(tmp_path, *QUICKLY, FORCE_COLOR="1", COLUMNS="200", HTTP_PROXY=NO_PROXY_THERE) as process:
        printed, errors = process.communicate(timeout=PATIENT_SECONDS)

    assert (process.returncode, errors) == (0, "")
    lines = printed.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line.isprintable() for line in lines)
    assert lines[0].startswith("An order may end early here")
    assert printed.index("/desk (until the summary; --stay keeps it)") < printed.index("bar 2013-01-02")
    assert 3 <= sum(line.startswith("bar ") for line in lines) <= 6
    assert printed.count("is a cost") == 1
    for word in ("blind", "TWAP", "mean of 8 orders", "standard deviation", "Luck:", "docs/results.md"):
        assert word in printed


def test_a_terminal_shows_every_figure_whole_and_the_browser_the_desk_page(tmp_path: Path) -> None:
    pipe, command = a_browser(tmp_path)
    environment = {"BROWSER": f"{command} &", "DISPLAY": ":9"}

    with opened_in(pipe) as opened:
        printed, code = on_terminal(tmp_path, *QUICKLY, "--stay", columns=80, until="Ctrl-C ends it.", **environment)
        address = opened()

    assert code == 0
    assert "\x1b[" in printed
    assert_whole(printed, columns=80)
    assert address in printed
    assert address.endswith("/desk")


def test_a_terminal_of_60_columns_has_fewer_columns_of_a_table_and_no_colour_unasked(tmp_path: Path) -> None:
    printed, code = on_terminal(tmp_path, *QUICKLY, columns=60, NO_COLOR="1")

    assert code == 0
    assert_whole(printed, columns=60)
    assert COLOURS.search(printed) is None


def assert_whole(printed: str, columns: int) -> None:
    plain = ESCAPES.sub("", printed)
    assert max(map(len, plain.replace("\r", "\n").split("\n"))) <= columns
    assert "…" not in plain
    assert "mean of 8 orders" in plain
