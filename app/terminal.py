"""Refusals of the command line: a command that cannot start as asked says why in one line and exits with 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

CANNOT_START = 2


def refuse(command: str, reason: object) -> NoReturn:
    """Say in one line on stderr why `command` cannot start, and exit with `CANNOT_START`."""
    typer.echo(f"{command}: {reason}", err=True)
    raise typer.Exit(CANNOT_START)


@contextmanager
def refusing(command: str, *kinds: type[Exception]) -> Iterator[None]:
    """Refuse `command` for errors of these kinds, which the user can mend. Any other error passes on as it is."""
    try:
        yield
    except kinds as error:
        refuse(command, error)
