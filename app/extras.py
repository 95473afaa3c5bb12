"""The extras of this package: what a command needs and serving does not, and how it is installed here."""

from __future__ import annotations

import os
import re
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

DISTRIBUTION = "lem-execution"
CHECKOUT = Path(__file__).parents[1]

EXTRAS = {
    **dict.fromkeys(("torch", "onnx", "onnxscript", "matplotlib"), "train"),
    "httpx": "client",
    "ray": "ray",
}
"""The extra that brings a package which serving does not need."""


def install_command(extra: str, checkout: Path = CHECKOUT) -> str:
    """What to type in a shell to have the extra: of a checkout in its place, or else the packages that it stands for,
    since the distribution is on no index. The Python named is the one that runs this, whatever is on the path."""
    pip = f"{_nearby(Path(sys.executable))} -m pip install"
    if (checkout / "pyproject.toml").exists():
        return f"{pip} --editable '{_nearby(checkout)}[{extra}]'"
    return " ".join([pip, *(f"'{package}'" for package in _packages(extra))])


def _packages(extra: str) -> list[str]:
    try:
        needs = requires(DISTRIBUTION) or []
    except PackageNotFoundError:  # the code is used from a folder that is no checkout
        needs = []
    marked = re.compile(rf"""(.*?)\s*;\s*extra == ['"]{extra}['"]""")
    found = [match[1] for match in map(marked.fullmatch, needs) if match]
    return found or [name for name, theirs in EXTRAS.items() if theirs == extra]


def _nearby(path: Path) -> str:
    """The path from the current folder where it lies in it, else the whole path."""
    try:
        near = path.absolute().relative_to(Path(os.curdir).absolute())
    except ValueError:
        return str(path)
    return str(near)
