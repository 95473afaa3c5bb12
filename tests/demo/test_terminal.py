"""A browser is opened where somebody is there to see its window, and nowhere else."""

from __future__ import annotations

import os
import pty
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.demo.terminal import Screen, open_browser
from tests.demo.running import a_browser

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="a Mac always has a display")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    """A real terminal."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        yield Screen()
    os.close(ours)


def choose(monkeypatch: pytest.MonkeyPatch, command: str, display: str) -> None:
    """Let the environment name a browser and a display. The library reads the former once."""
    monkeypatch.setenv("BROWSER", command)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setattr("webbrowser._tryorder", None)


def test_without_a_display_no_browser_is_opened(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, command = a_browser(tmp_path)
    choose(monkeypatch, f"{command} &", display="")

    open_browser(screen, "http://127.0.0.1:1/desk")

    assert not opened.exists()


def test_a_browser_that_would_take_the_terminal_is_not_opened(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, command = a_browser(tmp_path)
    choose(monkeypatch, command, display=":9")

    open_browser(screen, "http://127.0.0.1:1/desk")

    assert not opened.exists()


def test_where_the_output_is_no_terminal_no_browser_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, command = a_browser(tmp_path)
    choose(monkeypatch, f"{command} &", display=":9")

    with (tmp_path / "log").open("w") as log:
        monkeypatch.setattr(sys, "stdout", log)
        open_browser(Screen(), "http://127.0.0.1:1/desk")

    assert not opened.exists()
