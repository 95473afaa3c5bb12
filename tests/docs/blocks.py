"""Blocks of commands in the documentation, and the outputs that are shown of them.

Every `bash` block of a document is run by the tests, all of a document in one shell and in order, unless the comment
before the block says what it needs: `<!-- needs: an hour of two cores -->`. A `json` or `text` block that follows
commands shows what they print.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "stopping.svg"
TUTORIAL = ROOT / "docs" / "tutorial.md"
COMMANDS, OUTPUTS = ("bash",), ("json", "text")
FENCE = re.compile(r"^(?P<fence>```+)(?P<kind>\w*)\n(?P<content>.*?)^(?P=fence)$", re.DOTALL | re.MULTILINE)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
NEEDS = re.compile(r"<!-- needs: (?P<what>[^>]+) -->\s*\Z")


def documents() -> list[Path]:
    """The README, the change log, and everything under docs/."""
    return [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose_of(path: Path) -> str:
    """Without its blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Block:
    """`span` is where the content stands in its document; `needs` is what the comment before the block names."""

    kind: str
    content: str
    span: tuple[int, int]
    needs: str | None


@dataclass(frozen=True, slots=True)
class Example:
    """Commands that are run, and the block that shows their output, where there is one."""

    commands: str
    output: Block | None


def blocks(text: str) -> list[Block]:
    return [
        Block(found["kind"], found["content"], found.span("content"), _needs(text[: found.start()]))
        for found in FENCE.finditer(text)
    ]


def examples(text: str) -> list[Example]:
    """What is run, in order, each with the block that directly follows where that shows an output."""
    return [
        Example(block.content, after if after is not None and after.kind in OUTPUTS else None)
        for block, after in pairwise([*blocks(text), None])
        if block is not None and block.kind in COMMANDS and block.needs is None
    ]


def _needs(before: str) -> str | None:
    marked = NEEDS.search(before)
    return marked["what"] if marked else None
