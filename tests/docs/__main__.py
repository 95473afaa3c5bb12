"""Write the outputs that the documentation shows anew, from what its commands print now, and the tutorial's pictures.

python -m tests.docs                     # after a change of the bundle, of the interface or of what a command prints
python -m tests.docs docs/tutorial.md    # of some documents alone
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.blocks import README, TUTORIAL, documents, examples
from tests.docs.pictures import take_pictures
from tests.docs.running import demo_output, formatted, outputs

DEMO = re.compile(r"(?<=<!-- demo -->\n```text\n).*?(?=```\n<!-- /demo -->)", re.DOTALL)


def rewritten(text: str, folder: Path | None = None) -> str:
    """The document's text with true outputs. Its commands run in `folder`, or in one of their own."""
    found = examples(text)
    if not any(example.output for example in found):
        return text
    for example, output in reversed(list(zip(found, outputs(found, folder), strict=True))):
        if example.output:
            start, end = example.output.span
            text = f"{text[:start]}{formatted(output, example.output)}{text[end:]}"
    return text


def main(names: list[str]) -> None:
    chosen = [Path(name).resolve() for name in names] or documents()
    for path in chosen:
        with TemporaryDirectory() as folder:
            path.write_text(rewritten(path.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")
            if path == TUTORIAL:
                take_pictures(Path(folder))
    if README in chosen:
        summary = demo_output()
        README.write_text(DEMO.sub(lambda _: summary, README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
