"""The README's examples: found, run against a real service, and written back with their true output.

    python -m tests.readme    # after a change of the bundle or of the interface

Between `<!-- examples -->` and `<!-- /examples -->` each `bash` block is run, all of them in one shell, and the `json`
or `text` block that follows one shows what it printed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.demo.server import serving

README = Path(__file__).parent.parent / "README.md"
SERVED_AT = "localhost:8000"
RULER = "=== end of example ==="
BLOCK = re.compile(r"```(bash|json|text)\n(.*?)```", re.DOTALL)


@dataclass(slots=True)
class Example:
    """A `bash` block and what the README shows of its output; `span` is where that stands."""

    commands: str
    shown: str = ""
    kind: str = ""
    span: tuple[int, int] = (0, 0)


def examples(text: str) -> list[Example]:
    start, end = text.index("<!-- examples -->"), text.index("<!-- /examples -->")
    found: list[Example] = []
    for block in BLOCK.finditer(text, start, end):
        kind, content = block.groups()
        if kind == "bash":
            found.append(Example(content))
        else:
            found[-1].kind, found[-1].shown, found[-1].span = kind, content, block.span(2)
    return found


def outputs(told: list[Example]) -> list[str]:
    """What each example prints now. Raises CalledProcessError where a command fails."""
    script = "".join(f"{example.commands}\necho; echo '{RULER}'\n" for example in told)
    with TemporaryDirectory() as folder, serving(data_dir=Path(folder) / "data") as server:
        script = script.replace(SERVED_AT, server.address.removeprefix("http://"))
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    return [output.strip() for output in ran.stdout.split(RULER)[:-1]]


def formatted(kind: str, output: str) -> str:
    return json.dumps(json.loads(output), indent=2) if kind == "json" else output


def shape(value: Any) -> Any:
    """What must hold of an answer whatever the model says: its keys, all the way down."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else None


def demo_summary() -> str:
    """The end of `lem demo`: its summary, as it is printed where there is no terminal."""
    command = [sys.executable, "-m", "app.cli", "demo", "--bars-per-second", "100"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return "\n".join(line.rstrip() for line in ran.stdout[ran.stdout.index("Summary") :].splitlines())


def rewrite() -> None:
    text = README.read_text(encoding="utf-8")
    demo = f"<!-- demo -->\n```text\n{demo_summary()}\n```\n<!-- /demo -->"
    text = re.sub(r"<!-- demo -->.*<!-- /demo -->", lambda _: demo, text, flags=re.DOTALL)
    told = examples(text)
    for example, output in reversed(list(zip(told, outputs(told), strict=True))):
        if example.kind:
            start, end = example.span
            text = f"{text[:start]}{formatted(example.kind, output)}\n{text[end:]}"
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
