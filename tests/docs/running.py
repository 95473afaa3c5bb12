"""Run the examples of a document and compare what they print with what the document shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.demo.server import listening, serving
from tests.docs.blocks import Block, Example

SERVED_AT = "localhost:8000"
SERVES = re.compile(r"(?:\.venv/bin/)?lem serve(?P<words>( .+)?)")
PATH_OPTIONS = {"--bundle", "--bundles", "--data-dir"}
RULER = "=== end of example ==="
RUN_SECONDS_MAX = 600
"""A machine that has other work to do takes its time for a training."""
NUMBER = re.compile(r"[-+]?\d[\d.,:TZ%-]*")


def outputs(examples: Sequence[Example], folder: Path | None = None) -> list[str]:
    """What each example prints now, without its errors; all run in one shell, in `folder` or in one of their own. Where
    one names the service's address, a service on a free port stands for it. Raises CalledProcessError where a command
    fails.

    An example that is nothing but `lem serve` with options starts that service as it says, on a free port. What follows
    runs beside it in another shell, as in another terminal, and the service ends with the last example.
    """
    if folder is None:
        with TemporaryDirectory() as made:
            return outputs(examples, Path(made))
    for number, example in enumerate(examples):
        if serves := SERVES.fullmatch(example.commands.strip()):
            before = _outputs(_script(examples[:number]), folder)
            with _started(serves["words"].split(), folder) as address:
                after = _outputs(_script(examples[number + 1 :]).replace(SERVED_AT, address), folder)
            return [*before, "", *after]
    with _served(_script(examples), folder) as script:
        return _outputs(script, folder)


def _script(examples: Sequence[Example]) -> str:
    return "".join(f"{example.commands}\necho; echo '{RULER}'\n" for example in examples)


def _outputs(script: str, folder: Path) -> list[str]:
    """What the script prints, cut at its rulers."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "80"}
    printed = _printed(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment)
    return [output.strip() for output in printed.split(RULER)[:-1]]


def _printed(command: list[str], **options: Any) -> str:
    """What the command prints. Raises CalledProcessError, with what the command said on stderr as a note."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=RUN_SECONDS_MAX, **options)
    except subprocess.CalledProcessError as error:
        error.add_note(error.stderr)
        raise
    printed: str = ran.stdout
    return printed


@contextmanager
def _served(script: str, folder: Path) -> Iterator[str]:
    """The script with the address of a running service, where it asks for one."""
    if SERVED_AT not in script:
        yield script
        return
    with serving(data_dir=folder / "data") as server:
        yield script.replace(SERVED_AT, server.address.removeprefix("http://"))


@contextmanager
def _started(words: Sequence[str], folder: Path) -> Iterator[str]:
    """The address of a service with these options, whose paths are those of `folder`."""
    options = [
        str(folder / word) if option in PATH_OPTIONS else word
        for option, word in zip(["", *words], words, strict=False)
    ]
    own = {"LEM_REDIS_URL": ""}
    with listening("app.cli", "serve", *options, "--port", "0", log=folder / "serve.log", environment=own) as server:
        yield server.address.removeprefix("http://")


def demo_output() -> str:
    """What `make demo` ends with where there is no terminal: the summary."""
    command = [sys.executable, "-m", "app.cli", "demo", "--bars-per-second", "100"]
    printed = _printed(command)
    return _stripped(printed[printed.index("Summary") :])


def formatted(output: str, shown: Block) -> str:
    """The output as a document shows it."""
    if shown.kind == "json":
        return json.dumps(json.loads(output), indent=2) + "\n"
    return _stripped(output)


def _stripped(output: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in output.splitlines())


def shape(output: str, kind: str) -> Any:
    """What must hold of an output whatever the model and the machine: the keys of a JSON document, all the way down;
    each line's first word, and its other words with all numbers alike."""
    if kind == "json":
        return _keys(json.loads(output))
    return [
        (words[0], [NUMBER.sub("#", word) for word in words[1:]])
        for line in output.splitlines()
        if (words := line.split())
    ]


def _keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _keys(inner) for name, inner in value.items()}
    return [_keys(inner) for inner in value] if isinstance(value, list) else None
