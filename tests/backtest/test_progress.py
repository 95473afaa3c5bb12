"""The progress of a backtest and of an evaluation, on a terminal and in a log."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from app.backtest import progress
from app.backtest.progress import progress_bar


def test_a_log_has_a_line_now_and_then_and_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    log = io.StringIO()

    with progress_bar(Console(file=log, width=80)) as shown:
        task = shown.add_task("ALPHA-15m.parquet lem", total=4.0)
        shown.advance(task, 1.0)
        shown.advance(task, 1.0)

    first, second = log.getvalue().splitlines()
    assert first.startswith("25 %  ")
    assert second.startswith("50 %  ")
    assert second.endswith(" left  ALPHA-15m.parquet lem")


def test_a_log_of_a_short_run_stays_empty() -> None:
    log = io.StringIO()

    with progress_bar(Console(file=log, width=80)) as shown:
        shown.advance(shown.add_task("files", total=2.0), 2.0)

    assert log.getvalue() == ""


def test_a_terminal_has_a_bar() -> None:
    screen = io.StringIO()

    with progress_bar(Console(file=screen, width=80, force_terminal=True)) as shown:
        shown.advance(shown.add_task("files", total=2.0), 1.0)

    assert "50%" in screen.getvalue()
    assert "left" not in screen.getvalue()
