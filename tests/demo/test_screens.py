"""What the demo prints is right on a terminal, on a narrow one, and in a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo.running import COLOURS, ESCAPES, QUICKLY, demo, on_terminal
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


@pytest.mark.parametrize("columns", [60, 80])
def test_a_terminal_shows_every_figure_whole_and_no_line_is_too_wide(tmp_path: Path, columns: int) -> None:
    printed, code = on_terminal(tmp_path, *QUICKLY, columns=columns)

    assert code == 0
    assert "\x1b[" in printed
    plain = ESCAPES.sub("", printed)
    assert max(map(len, plain.replace("\r", "\n").split("\n"))) <= columns
    assert "…" not in plain
    assert "mean of 8 orders" in plain


def test_no_color_is_heard_on_a_terminal(tmp_path: Path) -> None:
    printed, code = on_terminal(tmp_path, *QUICKLY, columns=80, NO_COLOR="1")

    assert code == 0
    assert COLOURS.search(printed) is None


def test_with_stay_a_browser_is_opened_where_there_is_a_display(tmp_path: Path) -> None:
    browser, opened, folder = tmp_path / "browser", tmp_path / "opened", tmp_path / "temporary"
    browser.write_text(f'#!/bin/sh\necho "$1" >{opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    folder.mkdir()
    stay = (*QUICKLY, "--stay")

    on_terminal(folder, *stay, columns=80, until="Ctrl-C ends it.", BROWSER=f"{browser} %s &")
    without_display = opened.exists()
    on_terminal(folder, *stay, columns=80, until="Ctrl-C ends it.", BROWSER=f"{browser} %s", DISPLAY=":9")
    in_the_terminal = opened.exists()
    printed, code = on_terminal(
        folder, *stay, columns=80, until="Ctrl-C ends it.", BROWSER=f"{browser} %s &", DISPLAY=":9"
    )

    assert (without_display, in_the_terminal, code) == (False, False, 0)
    assert opened.read_text().strip() in printed
    assert opened.read_text().strip().endswith("/desk")
