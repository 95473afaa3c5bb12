"""The audit log's file: a JSON object a line, only ever appended to."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)
OURS_ALONE = 0o600


class AuditFile:
    """Each record is one write to the end of the file, so that processes may share it. Whoever rotates the file moves
    it away: the next record opens a new one under the old name.

    A record that cannot be written is told in the log and by `on_failure`, and the service goes on: what was asked for
    is done by then. Records are in the system's hands when they are written, so that they survive the end of the
    process; they are not synced to the disk.
    """

    enabled = True

    def __init__(self, path: Path, on_failure: Callable[[], None]) -> None:
        self._path = path
        self._on_failure = on_failure
        self._file: int | None = None
        self._identity = (-1, -1)
        self._torn = False

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Raises OSError where the file cannot be opened."""
        self._open()
        try:
            yield
        finally:
            self._close()

    def write(self, record: Mapping[str, Any]) -> None:
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        try:
            self._append(line)
        except OSError as error:
            self._close()
            self._on_failure()
            LOG.error("the audit log cannot be written: %s", error.strerror or error)  # noqa: TRY400 -- a disk's fault

    def _append(self, line: bytes) -> None:
        if self._moved():
            self._close()
            self._open()
        if self._file is None:
            raise OSError("it is not open")
        whole = b"\n" + line if self._torn else line  # a disk that was full may have taken half a line
        self._torn = os.write(self._file, whole) < len(whole)
        if self._torn:
            raise OSError("the disk has taken a part of a record")

    def _moved(self) -> bool:
        try:
            return self._identity != _identity(self._path.stat())
        except FileNotFoundError:
            return True

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, OURS_ALONE)
        self._identity = _identity(os.fstat(self._file))

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file, self._identity = None, (-1, -1)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
