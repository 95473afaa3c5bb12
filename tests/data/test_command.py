"""The command as the project's command line finds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from models.data import lem_data as command
from tests.data.tables import lem_data

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("words", [("--help",), ("check", "--help"), ("convert", "--help"), ("binance", "--help")])
def test_every_command_explains_itself(words: tuple[str, ...]) -> None:
    result = lem_data(*words)

    assert result.exit_code == 0
    assert "Usage" in result.output


def test_every_option_and_argument_has_a_help() -> None:
    commands = typer.main.get_command(command.data).commands  # type: ignore[attr-defined]

    silent = [f"{name} {option.name}" for name, one in commands.items() for option in one.params if not option.help]
    assert sorted(commands) == ["binance", "check", "convert"]
    assert silent == []


def test_the_group_is_found_as_data_in_the_modules_app() -> None:
    assert "data" in typer.main.get_command(command.app).commands  # type: ignore[attr-defined]


@pytest.mark.spawns
def test_preparing_data_needs_no_torch() -> None:
    probe = "import sys, models.data.lem_data; sys.exit('torch' in sys.modules or 'onnx' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", probe], cwd=ROOT, check=False).returncode == 0
