"""What the README promises is what happens."""

from __future__ import annotations

import json

from tests.readme import README, examples, outputs, shape


def test_the_examples_run_and_answer_in_the_shape_that_is_shown() -> None:
    told = examples(README.read_text(encoding="utf-8"))

    printed = outputs(told)

    assert len(told) >= 8
    for example, output in zip(told, printed, strict=True):
        if example.kind == "json":
            assert shape(json.loads(output)) == shape(json.loads(example.shown)), example.commands
        elif example.kind == "text":
            assert names(output) == names(example.shown), example.commands


def names(text: str) -> list[str]:
    """The first word of each line, without the values behind it."""
    return [line.split()[0] for line in text.split("\n") if line.strip()]
