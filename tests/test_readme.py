"""What the README promises is what happens."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import typer

from app.cli import cli
from app.main import create_app
from app.settings import Settings
from tests.readme import README, examples, outputs, shape


@pytest.mark.spawns
@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples use curl")
def test_the_examples_run_and_answer_in_the_shape_that_is_shown() -> None:
    told = examples(README.read_text(encoding="utf-8"))

    printed = outputs(told)

    assert len(told) >= 8
    for example, output in zip(told, printed, strict=True):
        if example.kind == "json":
            assert shape(json.loads(output)) == shape(json.loads(example.shown)), example.commands
        elif example.kind == "text":
            assert names(output) == names(example.shown), example.commands


def test_every_command_it_names_exists() -> None:
    text = README.read_text(encoding="utf-8")

    named = set(re.findall(r"\blem ([a-z]+)`", text)) | set(re.findall(r"`lem ([a-z]+)", text))

    assert named <= set(typer.main.get_command(cli).commands)  # type: ignore[attr-defined]
    assert {"serve", "demo", "backtest"} <= named


def test_every_setting_is_in_its_table() -> None:
    named = set(re.findall(r"^\| `LEM_(\w+)`", README.read_text(encoding="utf-8"), re.MULTILINE))

    assert named == {name.upper() for name in Settings.model_fields}


def test_every_call_is_in_its_table() -> None:
    text = README.read_text(encoding="utf-8")
    paths = create_app(Settings()).openapi()["paths"]

    missing = [path for path, calls in paths.items() for method in calls if f"`{method.upper()} {path}" not in text]

    assert missing == []


def names(text: str) -> list[str]:
    """The first word of each line, without the values behind it."""
    return [line.split()[0] for line in text.split("\n") if line.strip()]
