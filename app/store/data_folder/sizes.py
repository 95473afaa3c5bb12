"""A note of how many bytes the store's files had, so that a file that was cut since does not pass for a whole one.

The note never runs ahead of what is synced. Deleting it means that what is there is taken as it is."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path

LOG = logging.getLogger(__name__)
SIZES = "sizes.json"
VERSION = 1


def noted_sizes(folder: Path) -> dict[str, int]:
    """The least size of each file by its name; empty where nothing was noted."""
    try:
        noted = json.loads((folder / SIZES).read_bytes())
        if noted["v"] != VERSION:
            return {}
        return {str(name): int(size) for name, size in noted["files"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        LOG.warning("%s cannot be read, so that nothing tells whether a file of the store was cut", folder / SIZES)
        return {}


def note_sizes(folder: Path, sizes: Mapping[str, int]) -> None:
    """Replaces the note as a whole, so that a crash leaves the old one or the new one."""
    new = folder / f"{SIZES}.new"
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump({"v": VERSION, "files": dict(sizes)}, file)
    new.replace(folder / SIZES)
