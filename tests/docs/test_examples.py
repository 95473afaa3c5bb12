"""What the documentation shows is what happens."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs.__main__ import DEMO
from tests.docs.blocks import COMMANDS, PICTURE, README, TUTORIAL, blocks, documents, examples
from tests.docs.picture import one_order
from tests.docs.running import demo_output, outputs, shape

NOT_COMMANDS = {"json", "text", "toml", "mermaid", "python"}
RUN = [path for path in documents() if path != TUTORIAL and examples(path.read_text(encoding="utf-8"))]
"""The tutorial trains: test_tutorial.py runs it."""


@pytest.mark.spawns
@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples use curl")
@pytest.mark.parametrize("path", RUN, ids=lambda path: path.name)
def test_the_examples_of_a_document_run_and_print_what_it_shows(path: Path) -> None:
    found = examples(path.read_text(encoding="utf-8"))

    printed = outputs(found)

    for example, output in zip(found, printed, strict=True):
        if example.output is not None:
            kind = example.output.kind
            assert shape(output, kind) == shape(example.output.content, kind), example.commands


def test_the_walkthrough_trades_an_order_and_the_training_page_runs_a_backtest() -> None:
    commands = {
        path.name: "".join(each.commands for each in examples(path.read_text(encoding="utf-8"))) for path in RUN
    }

    assert commands["walkthrough.md"].count("curl") >= 10
    for command in ("simulate", "data check", "data convert", "backtest", "evaluate"):
        assert f"lem {command} " in commands["training.md"]
    assert "lem store-keys" in commands["operations.md"]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_block_is_run_or_says_what_it_needs_or_is_no_command(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    unknown = [block.content for block in blocks(text) if block.kind not in {*COMMANDS, *NOT_COMMANDS}]

    assert unknown == [], "commands stand in a bash block, with a comment before it where it cannot be run"
    assert text.count("<!-- needs: ") == sum(block.needs is not None for block in blocks(text)), (
        "a marker marks nothing"
    )


@pytest.mark.spawns
def test_the_demo_ends_as_the_readme_shows() -> None:
    shown = DEMO.search(README.read_text(encoding="utf-8"))

    assert shown is not None
    assert _table(demo_output()) == _table(shown[0])


@pytest.mark.spawns
def test_the_order_of_the_picture_ends_where_the_readme_says() -> None:
    order = one_order()

    assert f"At step {order.end} the price is below" in README.read_text(encoding="utf-8")
    assert f"{order.gain_bps:.1f} bps better than VWAP" in PICTURE.read_text(encoding="utf-8")


def _table(summary: str) -> list[tuple[str, list[str]]]:
    """The summary's table, numbers alike, without the sentences below it."""
    table: list[tuple[str, list[str]]] = shape(summary.rpartition("\n\n")[0], "text")
    return table
