"""Why a data folder is not used."""

from __future__ import annotations


class DataFolderError(Exception):
    """The folder cannot be used as it is. The message says what to do."""


class DataFolderInUseError(DataFolderError):
    """Another service has the data folder."""


class DataFolderNotPrivateError(DataFolderError):
    """Other users of the machine own the folder or share it."""


class DataFolderDamagedError(DataFolderError):
    """Changes that were acknowledged are missing from the files, or cannot be read."""
