"""What a training leaves on disk: all that it goes on from, and the network that it would release."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.domain.errors import InvalidInput
from models.network.lem import Lem
from models.settings.sizes import LemConfig


def write_checkpoint(path: Path, saved: dict[str, Any]) -> None:
    """Atomically: a kill in the middle leaves the checkpoint before. Raises OSError, as of a full disk."""
    content = io.BytesIO()  # torch would tell of a full disk in words of its own
    torch.save(saved, content)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_bytes(content.getbuffer())
    draft.replace(path)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Raises InvalidInput where it is missing or no checkpoint."""
    try:
        saved: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError:
        raise InvalidInput("no_checkpoint", f"{path} does not exist") from None
    except Exception as error:  # torch and pickle raise many kinds for a damaged file
        raise InvalidInput("bad_checkpoint", f"{path} cannot be read: {error}") from error
    return saved


def released_net(saved: dict[str, Any]) -> Lem:
    """The network that a checkpoint would release. Raises InvalidInput where it is of another version's."""
    net = Lem(LemConfig(**saved["config"]))
    load_weights(net, saved["best"])
    return net


def load_weights(net: Lem, weights: dict[str, Tensor]) -> None:
    """Raises InvalidInput where they are of a network that is put together in another way."""
    try:
        net.load_state_dict(weights)
    except RuntimeError as error:
        what = str(error).partition("\n")[2].strip()
        raise InvalidInput("other_network", f"the checkpoint is of another version's network: {what}") from error
