"""How far the commands of an append-only file reach. The server writes each change as a RESP array of strings; the
changes of one script stand between MULTI and EXEC."""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from pathlib import Path

from hiredis import HiredisError, Reader

NUMBER_CHARS_MAX = 20
MULTI, EXEC = b"*1\r\n$5\r\nMULTI\r\n", b"*1\r\n$4\r\nEXEC\r\n"
LAST = b"*1\r\n$4\r\nlast\r\n"
PIECE_BYTES = 64 * 1024
"""hiredis moves what it has not read yet to the front again and again: more at once take longer."""
COMMAND_START = re.compile(rb"\*[1-9]\d{0,6}\r\n\$\d{1,10}\r\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Bytes of a file. `whole` of them are whole commands and finished transactions; the first command that cannot be
    read starts at `readable`, which is `size` where all can be read. `resumes`: whole commands follow behind that."""

    size: int
    whole: int
    readable: int
    resumes: bool


def extent_of(file: Path) -> Extent:
    """Reads the file through a memory map, so that a large file takes no memory of ours."""
    size = file.stat().st_size
    if size == 0:
        return Extent(size=0, whole=0, readable=0, resumes=False)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if _is_sound(data, size):
            return Extent(size=size, whole=size, readable=size, resumes=False)
        whole = at = 0
        in_transaction = False
        while at < size and (end := _end_of_command(data, at)) is not None:
            word = data[at:end] if end - at <= len(MULTI) else b""
            in_transaction = word == MULTI or (in_transaction and word != EXEC)
            at = end
            whole = whole if in_transaction else at
        return Extent(size=size, whole=whole, readable=at, resumes=_command_behind(data, at))


def _is_sound(data: mmap.mmap, size: int) -> bool:
    """Whether all of it is whole commands and finished transactions, as far as hiredis tells, which reads ten times as
    fast as `_end_of_command` and does not say where a command ends. A command of ours behind the last one tells that
    none is torn. As the server does, hiredis takes any two bytes for the line's end behind a string."""
    reader, in_transaction = Reader(), False
    try:
        for start in range(0, size, PIECE_BYTES):
            reader.feed(data[start : start + PIECE_BYTES])
            while (command := reader.gets()) is not False:
                text = b"".join(command)  # raises TypeError for what the server does not write
                if not command:
                    return False
                if len(command) == 1:
                    in_transaction = text == b"MULTI" or (in_transaction and text != b"EXEC")
        reader.feed(LAST)
        return reader.gets() == [b"last"] and not in_transaction
    except (HiredisError, TypeError):
        return False


def _end_of_command(data: mmap.mmap, at: int) -> int | None:
    """Where the command that starts at `at` ends; None where no whole command starts there."""
    if data[at : at + 1] == b"#":  # the server's note of the time
        return _behind_line(data, at)
    line = _number(data, at, b"*")
    if line is None or line[0] == 0:
        return None
    count, at = line
    for _ in range(count):
        line = _number(data, at, b"$")
        if line is None:
            return None
        length, start = line
        at = start + length + 2
        if data[at - 2 : at] != b"\r\n":
            return None
    return at


def _number(data: mmap.mmap, at: int, kind: bytes) -> tuple[int, int] | None:
    """The number on the line that starts at `at`, and where the next line starts."""
    end = data.find(b"\r\n", at, at + NUMBER_CHARS_MAX)
    digits = data[at + 1 : end] if end > 0 else b""
    if data[at : at + 1] != kind or not digits.isdigit():
        return None
    return int(digits), end + 2


def _behind_line(data: mmap.mmap, at: int) -> int | None:
    end = data.find(b"\r\n", at)
    return end + 2 if end > 0 else None


def _command_behind(data: mmap.mmap, at: int) -> bool:
    """Whether a whole command starts anywhere behind `at`."""
    return any(_end_of_command(data, found.start()) is not None for found in COMMAND_START.finditer(data, at + 1))
