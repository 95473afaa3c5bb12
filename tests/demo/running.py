"""The demo as a process of its own, on a terminal or with its output in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select

from tests.processes.replicas import PATIENT_SECONDS

COMMAND = [sys.executable, "-m", "app.cli", "demo"]
QUICKLY = ("--bars-per-second", "1000")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOURS = re.compile(r"\x1b\[[0-9;]*?(?:3|4|9)\d[0-9;]*m")
NOT_INHERITED = ("NO_COLOR", "FORCE_COLOR", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "COLUMNS", "LINES", "TERM")


@contextmanager
def demo(folder: Path, *words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The demo with its output in pipes, and its temporary files in the folder."""
    with subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(folder, environment),
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def address_of(process: subprocess.Popen[str]) -> str:
    """The address that the demo's first lines tell."""
    assert process.stdout is not None
    return next(found[1] for line in process.stdout if (found := re.search(r"service: (http://\S+?),", line)))


def on_terminal(folder: Path, *words: str, columns: int, until: str = "", **environment: str) -> tuple[str, int]:
    """All that the demo prints on a terminal of so many columns, and its exit code. Once it has printed `until` it is
    told to end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {"TERM": "xterm-256color", **environment}
    with subprocess.Popen([*COMMAND, *words], stdout=theirs, env=_environment(folder, environment)) as process:
        os.close(theirs)
        printed = ""
        try:
            for part in _parts(ours):
                printed += part
                if until and until in printed:
                    process.terminate()
            return printed.replace("\r\n", "\n"), process.wait(PATIENT_SECONDS)
        finally:
            os.close(ours)
            if process.poll() is None:
                process.kill()


def a_browser(folder: Path) -> tuple[Path, str]:
    """A browser that writes the address that it opens to the end of a file: the file, and the command."""
    browser, opened = folder / "browser", folder / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >>{opened}\n')
    browser.chmod(0o755)
    return opened, f"{browser} %s"


@contextmanager
def opened_in(pipe: Path) -> Iterator[Callable[[], str]]:
    """Make the file of `a_browser` a pipe, from which the address can be awaited."""
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)

    def address() -> str:
        assert select([end], [], [], PATIENT_SECONDS)[0], "no browser was opened"
        return os.read(end, 1_000).decode().strip()

    try:
        yield address
    finally:
        os.close(end)


def _parts(terminal: int) -> Iterator[str]:
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # Linux says so where nobody holds the other end
            return
        if not part:
            return
        yield part.decode(errors="replace")


def _environment(folder: Path, more: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return kept | {"TMPDIR": str(folder)} | more
