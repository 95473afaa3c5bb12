"""Only the service's own user can open the data folder: it holds every order, and whoever writes to it decides them."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from io import TextIOWrapper
from pathlib import Path

from app.store.data_folder.errors import DataFolderInUseError, DataFolderNotPrivateError

LOG = logging.getLogger(__name__)
FOLDER_MODE, FILE_MODE = 0o700, 0o600
LOCK = "lock"
OURS = (LOCK, "appendonlydir", "sizes.json", "sizes.json.new", "store.log", "store.sock")
SERVERS_OWN = ("temp-*.aof", "temp-*.rdb")
"""What may lie in the folder. A folder with anything else in it may be somebody's home: its mode is not changed."""


def make_private(folder: Path) -> None:
    """Create the folder for its owner alone, or take other users' rights to it away, which is told in the log.

    Raises DataFolderNotPrivateError where another user owns the folder or a file of the store, or where the folder is
    shared and not only ours."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    opened = [path for path in (folder, *_files(folder)) if _is_open_to_others(path)]
    if folder in opened:
        _require_only_ours(folder)
    for path in opened:
        path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
    if opened and any(path.is_file() for path in _files(folder)):
        LOG.warning("other users could open %s; only its owner can now", folder)


def locked(folder: Path) -> TextIOWrapper:
    """The lock of the folder, held until it is closed. Raises DataFolderInUseError."""
    opened = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    lock = os.fdopen(opened, "w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise DataFolderInUseError(f"another service uses the data folder {folder}") from None
    return lock


def note_socket(lock: TextIOWrapper, socket: Path) -> None:
    """Put the path of the server's socket down in the lock, for commands that find the folder in use."""
    lock.truncate(0)
    lock.write(str(socket))
    lock.flush()


def noted_socket(folder: Path) -> Path:
    """Where the server of the service that has the folder listens."""
    return Path((folder / LOCK).read_text(encoding="utf-8"))


def _files(folder: Path) -> Iterator[Path]:
    """The store's own files and folders in the data folder."""
    for name in OURS:
        path = folder / name
        if path.is_symlink() or path.exists():
            yield path
        if path.is_dir() and not path.is_symlink():
            yield from path.iterdir()


def _is_open_to_others(path: Path) -> bool:
    facts = path.lstat()
    if stat.S_ISLNK(facts.st_mode):
        raise DataFolderNotPrivateError(f"{path} is a link; remove it, or give the service another data folder")
    if facts.st_uid != os.geteuid():
        raise DataFolderNotPrivateError(
            f"{path} belongs to another user (uid {facts.st_uid}); give the service a data folder of its own"
        )
    return bool(stat.S_IMODE(facts.st_mode) & 0o077) and not stat.S_ISSOCK(facts.st_mode)


def _require_only_ours(folder: Path) -> None:
    shared = folder.lstat().st_mode & stat.S_ISVTX
    others = sorted(path.name for path in folder.iterdir() if not _is_of_the_store(path.name))
    if shared or others:
        what = f"holds other files ({others[0]})" if others else "is shared"
        raise DataFolderNotPrivateError(
            f"other users can open {folder}, which {what}; give the service a data folder of its own, or chmod 700 it"
        )


def _is_of_the_store(name: str) -> bool:
    return name in OURS or any(fnmatch(name, pattern) for pattern in SERVERS_OWN)
