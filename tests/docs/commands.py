"""The commands of `lem` that the documentation names, and the options that they take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from typer.testing import CliRunner

from app.cli import cli
from tests.docs.blocks import CODE_SPAN, COMMANDS, blocks, documents, prose_of

LEM = re.compile(r"(?<![\w/.-])(?:\.venv/bin/)?lem (?P<words>[a-z][^|;&`)]*)")
OPTION = re.compile(r"--[a-z][a-z-]*")


def named_commands() -> Iterator[list[str]]:
    """The words behind every `lem` that the documents have in code."""
    for path in documents():
        text = path.read_text(encoding="utf-8")
        code = [block.content.replace("\\\n", " ") for block in blocks(text) if block.kind in COMMANDS]
        for line in [*"\n".join(code).splitlines(), *CODE_SPAN.findall(prose_of(path))]:
            yield from (found["words"].split() for found in LEM.finditer(line))


@cache
def options_of(*command: str) -> set[str]:
    """Of a command of `lem`, or of a sub-command, as its help shows them."""
    asked = CliRunner(env={"COLUMNS": "200"}).invoke(cli, [*command, "--help"])
    assert asked.exit_code == 0, f"there is no lem {' '.join(command)}"
    return set(OPTION.findall(asked.output))
