"""Where the demo prints: a terminal as wide as it is, or a log of plain lines."""

from __future__ import annotations

import os
import sys
import webbrowser
from textwrap import fill
from typing import NoReturn

from rich.console import Console

LOG_WIDTH = 80
"""Columns where there is no terminal."""


class Screen(Console):
    """Colours and what moves are for terminals alone, whatever the environment asks for; `NO_COLOR` is heard."""

    def __init__(self) -> None:
        on_terminal = sys.stdout.isatty()
        super().__init__(force_terminal=on_terminal, width=None if on_terminal else LOG_WIDTH)

    @property
    def redraws(self) -> bool:
        """Whether what was printed can be replaced."""
        return self.is_terminal and not self.is_dumb_terminal

    def say(self, text: str) -> None:
        """Print plain words, in lines that fit. An address stays whole, and brackets are only brackets."""
        for line in text.split("\n"):
            fitting = fill(line, self.width, break_long_words=False, break_on_hyphens=False)
            self.print(fitting, markup=False, highlight=False, soft_wrap=True)

    def on_broken_pipe(self) -> NoReturn:
        """Whoever read the output has seen enough: end without a word, and without an error."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0)


def open_browser(screen: Screen, address: str) -> None:
    """Open the address in a browser with a window of its own, where somebody is there to see the window."""
    if not (screen.is_terminal and _has_display()):
        return
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    in_the_terminal = isinstance(browser, webbrowser.GenericBrowser) and not isinstance(
        browser, webbrowser.BackgroundBrowser
    )
    if not in_the_terminal:
        browser.open(address)


def _has_display() -> bool:
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
