"""Write the outputs that the documentation shows anew, from what its commands print now.

python -m tests.docs    # after a change of the bundle, of the interface or of what a command prints
"""

from __future__ import annotations

import re

from tests.docs.blocks import README, documents, examples
from tests.docs.running import demo_output, formatted, outputs

DEMO = re.compile(r"(?<=<!-- demo -->\n```text\n).*?(?=```\n<!-- /demo -->)", re.DOTALL)


def rewritten(text: str) -> str:
    """The document's text with true outputs."""
    found = examples(text)
    if not any(example.output for example in found):
        return text
    for example, output in reversed(list(zip(found, outputs(found), strict=True))):
        if example.output:
            start, end = example.output.span
            text = f"{text[:start]}{formatted(output, example.output)}{text[end:]}"
    return text


def main() -> None:
    for path in documents():
        path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")
    summary = demo_output()
    README.write_text(DEMO.sub(lambda _: summary, README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
