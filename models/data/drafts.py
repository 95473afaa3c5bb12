"""Drafts of files that several commands may write at the same time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_draft(path: Path) -> Iterator[Path]:
    """A draft beside `path`, under a name that no reader looks for and no other process uses: two commands may share a
    folder. The draft is gone at the end unless it was renamed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)
