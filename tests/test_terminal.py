"""A command that cannot start says why in one line and exits with 2."""

from __future__ import annotations

import pytest
import typer

from app.domain.errors import InvalidInput
from app.terminal import CANNOT_START, refuse, refusing


def test_a_refusal_names_the_command_and_the_reason_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        refuse("lem serve", "the port is taken")

    assert ended.value.exit_code == CANNOT_START
    assert capsys.readouterr() == ("", "lem serve: the port is taken\n")


def test_an_error_of_a_known_kind_becomes_a_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, refusing("lem data check", InvalidInput, OSError):
        raise InvalidInput("bad_columns", "write NAME=COLUMN")

    assert ended.value.exit_code == CANNOT_START
    assert capsys.readouterr().err == "lem data check: write NAME=COLUMN\n"


def test_an_error_of_any_other_kind_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), refusing("lem data check", InvalidInput):
        _ = 1 / 0
