"""The tutorial leads from CSV files to a bundle that serves, in ten commands, as it says."""

from __future__ import annotations

import re
import shutil
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import ROOT, TUTORIAL, examples, text_of
from tests.docs.pictures import KILOBYTES_MAX, SHOWN
from tests.docs.running import outputs, shape

COMMANDS_MAX = 10


@pytest.mark.spawns
@pytest.mark.trains
@pytest.mark.exports
@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples use curl")
def test_the_tutorial_runs_as_it_stands_and_prints_and_draws_what_it_shows(tmp_path: Path) -> None:
    found = examples(TUTORIAL.read_text(encoding="utf-8"))

    printed = outputs(found, tmp_path)

    for example, output in zip(found, printed, strict=True):
        if example.output is not None:
            kind = example.output.kind
            assert _told(shape(output, kind)) == _told(shape(example.output.content, kind)), example.commands
    assert [made for made in SHOWN.values() if not (tmp_path / made).is_file()] == []


def _told(shape: Any) -> Any:
    """Lines of one shape below each other as one: how many slices an order has is up to a model, and that is trained to
    other digits on another machine."""
    return [line for line, _ in groupby(shape)] if isinstance(shape, list) else shape


def test_the_tutorial_has_ten_commands_at_most() -> None:
    numbers = re.findall(r"^### (\d+)\. ", text_of("docs/tutorial.md"), re.MULTILINE)

    assert [int(number) for number in numbers] == list(range(1, len(numbers) + 1))
    assert len(numbers) <= COMMANDS_MAX


def test_the_pictures_of_the_tutorial_are_small_and_shown() -> None:
    text = text_of("docs/tutorial.md")

    for picture in SHOWN:
        assert f"]({(ROOT / picture).relative_to(TUTORIAL.parent)})" in text
        assert (ROOT / picture).stat().st_size <= 1000 * KILOBYTES_MAX
