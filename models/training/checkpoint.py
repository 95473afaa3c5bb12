"""The checkpoint of a training: all that the training goes on from, and the network that it would release."""

from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from app.domain.errors import InvalidInput
from app.files import written_whole
from models.network.lem import Lem
from models.settings.sizes import LemConfig
from models.settings.train_settings import TrainSettings


def write_checkpoint(path: Path, saved: dict[str, Any]) -> None:
    """Atomically: a kill in the middle leaves the checkpoint before. Raises OSError, as of a full disk."""
    content = io.BytesIO()  # torch would report a full disk with an error of its own
    torch.save(saved, content)
    with written_whole(path) as draft:
        draft.write_bytes(content.getbuffer())


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Raises InvalidInput where the file is missing or no checkpoint."""
    try:
        saved: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError:
        raise InvalidInput("no_checkpoint", f"{path} does not exist") from None
    except Exception as error:  # torch and pickle raise many kinds for a damaged file
        raise InvalidInput("bad_checkpoint", f"{path} cannot be read: {error}") from error
    return saved


def require_same_training(
    path: Path, saved: dict[str, Any], config: LemConfig, settings: TrainSettings, bars_digest: str
) -> None:
    """Raises InvalidInput where what was `saved` in `path` is of a training with other sizes, settings or bars."""
    for name, ours, unsaid in (("config", asdict(config), {}), ("settings", asdict(settings), asdict(TrainSettings()))):
        theirs = unsaid | saved[name]  # an earlier version had fewer settings
        if theirs != ours:
            differing = ", ".join(sorted(key for key in ours if theirs.get(key) != ours[key]))
            raise InvalidInput(
                "other_training", f"{path} was made with another {name} ({differing}): use another --out"
            )
    if saved.get("bars") != bars_digest:
        raise InvalidInput("other_training", f"{path} was made with other bars or another split: use another --out")


def released_net(saved: dict[str, Any]) -> Lem:
    """The network that a checkpoint would release. Raises InvalidInput where the checkpoint is of another version with
    other sizes or weights."""
    try:
        net = Lem(LemConfig(**saved["config"]))
    except ValidationError as error:
        what = "; ".join(f"{each['loc'][0] if each['loc'] else 'sizes'}: {each['msg']}" for each in error.errors())
        raise InvalidInput("other_network", f"the checkpoint is of another version's network: {what}") from error
    load_weights(net, saved["best"])
    return net


def load_weights(net: Lem, weights: dict[str, Tensor]) -> None:
    """Raises InvalidInput where the weights are of a network that is put together in another way."""
    try:
        net.load_state_dict(weights)
    except RuntimeError as error:
        what = str(error).partition("\n")[2].strip()
        raise InvalidInput("other_network", f"the checkpoint is of another version's network: {what}") from error
