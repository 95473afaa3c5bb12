"""What fits under way have reached, in files beside the checkpoint: a fit of half an hour is not begun anew."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from app.files import written_whole
from models.fits.keeping import State
from models.training.processes import Processes

FITS = "fits"
KEEP_SECONDS = 30.0
"""What a stop may cost."""


class KeptFits:
    """In a folder of its own for each training, by its sizes, settings, bars and number of processes: what another
    training has kept is no use to this one. The first process also clears the folder away."""

    def __init__(self, folder: Path, training: Any, processes: Processes) -> None:
        digest = hashlib.sha256(json.dumps([training, processes.count], sort_keys=True).encode()).hexdigest()
        self._all, self._processes = folder / FITS, processes
        self._folder = self._all / digest[:16]
        self._written_at = monotonic()

    def read(self, name: str, *, own: bool = False) -> State | None:
        """None where there is nothing, or nothing that can be read: the fit then begins anew."""
        try:
            state: State = torch.load(self._path(name, own=own), weights_only=True, map_location="cpu")
        except Exception:  # noqa: BLE001 -- torch and pickle raise many kinds for a damaged file
            return None
        return state

    def write(self, name: str, state: State, *, own: bool = False) -> None:
        """Atomically. Raises OSError, as of a full disk."""
        self._written_at = monotonic()
        if own or self._processes.first:
            with written_whole(self._path(name, own=own)) as draft:
                torch.save(state, draft)

    def due(self) -> bool:
        return monotonic() - self._written_at >= KEEP_SECONDS

    def forget(self) -> None:
        """Once a checkpoint holds what was fitted."""
        if self._processes.first:
            shutil.rmtree(self._all, ignore_errors=True)

    def _path(self, name: str, *, own: bool) -> Path:
        return self._folder / (f"{name}-{self._processes.index}.pt" if own else f"{name}.pt")
