"""Looks through the append-only files before the server reads them.

What a loss of power leaves is mended: zeros, garbage or half a command behind the last whole command are cut, told and
kept beside the file. What means that acknowledged changes are missing refuses the start: the server would begin
without them and say nothing."""

from __future__ import annotations

import logging
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from app.store.data_folder.commands import Extent, extent_of
from app.store.data_folder.errors import DataFolderDamagedError
from app.store.data_folder.sizes import SIZES, note_sizes, noted_sizes

LOG = logging.getLogger(__name__)
FOLDER, MANIFEST = "appendonlydir", "appendonly.aof.manifest"
LINE = re.compile(r"file (?P<name>[\w.-]+) seq \d+ type (?P<kind>[bih])(?: .*)?")
BASE, INCREMENT = "b", "i"
EMPTY_BASE_BYTES_MAX = 256
"""A base without a key is smaller than this: a service that was killed in its first moment leaves one."""
COPY_BYTES_MAX = 16 * 1024 * 1024


def mend(folder: Path) -> None:
    """Cut what no whole command is, or find nothing to do. Raises DataFolderDamagedError."""
    _mend_manifest(folder / FOLDER / MANIFEST)
    files, noted = _named_files(folder), noted_sizes(folder)
    increments = [file for file, kind in files.items() if kind == INCREMENT]
    for file in files:
        least = noted.get(file.name, 0)
        if file in increments:
            _mend_increment(file, extent_of(file), least, is_last=file == increments[-1])
        else:
            _mend_base(file, least)
    if files:
        note_sizes(folder, sizes_of(folder))


def sizes_of(folder: Path) -> dict[str, int]:
    """The sizes of the files that the manifest names."""
    return {file.name: file.stat().st_size for file in _named_files(folder)}


def _named_files(folder: Path) -> dict[Path, str]:
    """The kind of each file that the manifest names, in the order in which they are read; none before the first
    start."""
    inside = folder / FOLDER
    try:
        lines = (inside / MANIFEST).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        _require_unused(folder)
        return {}
    found = [LINE.fullmatch(line) for line in lines if line and not line.startswith("#")]
    named = {inside / match["name"]: match["kind"] for match in found if match}
    if not named or None in found:
        raise _damaged(folder, f"{MANIFEST} cannot be read")
    missing = [file.name for file, kind in named.items() if kind in (BASE, INCREMENT) and not file.exists()]
    if missing:
        raise _damaged(folder, f"{missing[0]} is missing")
    return {file: kind for file, kind in named.items() if kind in (BASE, INCREMENT)}


def _require_unused(folder: Path) -> None:
    """Raises DataFolderDamagedError where data is there, or was there, without a manifest that names it."""
    if noted_sizes(folder):
        raise _damaged(folder, f"{FOLDER}/{MANIFEST} is missing")
    for file in (folder / FOLDER).glob("*.aof.*"):
        empty = EMPTY_BASE_BYTES_MAX if file.name.endswith(".rdb") else 0
        if file.stat().st_size > empty:
            raise _damaged(folder, f"{FOLDER}/{MANIFEST} is missing while {file.name} is there")


def _mend_manifest(manifest: Path) -> None:
    """A file system may have made it longer, as any file."""
    content = manifest.read_bytes() if manifest.exists() else b""
    whole = content.rstrip(b"\0")
    if whole.endswith(b"\n") and whole != content:
        _cut(manifest, len(whole))


def _mend_base(file: Path, noted: int) -> None:
    """A base is never empty and never changes, so that a noted size is its size for good."""
    _require_size(file, max(noted, 1))
    if noted and file.stat().st_size > noted:
        _cut(file, noted)


def _mend_increment(file: Path, extent: Extent, least: int, *, is_last: bool) -> None:
    if extent.resumes or (extent.whole < extent.size and not is_last):
        what = f"{file.name} cannot be read at byte {extent.readable} of {extent.size}, and whole changes follow"
        raise _damaged(file.parents[1], what)
    if extent.whole == extent.size:
        _require_size(file, least)
        return
    if extent.whole < least:  # the note is lowered first: a crash in between must leave a file that may be this short
        folder = file.parents[1]
        note_sizes(folder, noted_sizes(folder) | {file.name: extent.whole})
        LOG.error("%s: at least %d bytes of acknowledged changes are lost", file, least - extent.whole)
    _cut(file, extent.whole)


def _require_size(file: Path, least: int) -> None:
    """No file of the store ever shrinks."""
    size = file.stat().st_size
    if size < least:
        what = f"{file.name} has {size} bytes and had at least {least}"
        raise _damaged(file.parents[1], what, with_note=file.suffix == ".aof" or size > 0)


def _cut(file: Path, size: int) -> None:
    """Keep the first `size` bytes of the file, and a copy of the rest beside it."""
    before = file.stat().st_size
    with file.open("r+b") as opened:
        kept = _keep(file, opened, size)
        opened.truncate(size)
        os.fsync(opened.fileno())
    LOG.warning("%s: cut %d bytes behind its last whole change; they are kept in %s", file, before - size, kept.name)


def _keep(file: Path, opened: BinaryIO, start: int) -> Path:
    """A copy of what is behind `start`, at most `COPY_BYTES_MAX` of it; none is left where the disk is full."""
    copy = file.with_name(f"{file.name}.cut-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    opened.seek(start)
    try:
        with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as kept:
            kept.write(opened.read(COPY_BYTES_MAX))
            kept.flush()
            os.fsync(kept.fileno())
    except OSError:
        copy.unlink(missing_ok=True)
        raise
    return copy


def _damaged(folder: Path, what: str, *, with_note: bool = False) -> DataFolderDamagedError:
    otherwise = f"delete {folder / SIZES} to go on without what is lost" if with_note else "move it away to start anew"
    return DataFolderDamagedError(
        f"the data folder {folder} is damaged: {what}. Put a backup of the folder in its place, or {otherwise}"
    )
