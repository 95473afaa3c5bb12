"""The pictures of the tutorial: plots that its own commands draw."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.docs.blocks import ROOT

SHOWN = {
    "docs/tutorial/slippage.svg": "runs/shipped/plots/slippage-out.svg",
    "docs/tutorial/over_lem.svg": "runs/shipped/plots/over_lem-out.svg",
}
"""By their place in the project, the files that the tutorial leaves in its folder."""
KILOBYTES_MAX = 20


def take_pictures(folder: Path) -> None:
    """Copy what the tutorial has drawn in `folder`."""
    for picture, made in SHOWN.items():
        (ROOT / picture).parent.mkdir(exist_ok=True)
        shutil.copyfile(folder / made, ROOT / picture)
