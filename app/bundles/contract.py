"""What a bundle must be to serve: the card's own figures agree, and each graph is what the card says of it.

Letters of shapes: B any batch, L lookback, C columns, H context width, N steps, K state columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.bundles.card import Card, GraphCard, TensorCard
from app.bundles.errors import BundleError
from app.bundles.inputs import STATE_COLUMNS
from app.bundles.onnx_file import read_onnx
from app.decision.market import COLUMNS
from app.domain.order import SCENARIOS

DTYPES = {"tensor(float)": "float32", "tensor(int64)": "int64"}
RANDOM = ("Random", "Multinomial", "Bernoulli", "Dropout")
"""First words of operators that draw random numbers: a slice must follow from its inputs."""

Interface = list[tuple[str, str, str]]
"""Names, types and shapes, a letter for each size."""

INTERFACES: dict[str, tuple[Interface, Interface]] = {
    "context": (
        [("bars", "float32", "BLC")],
        [("context", "float32", "BH"), ("volume_forecast", "float32", "BN")],
    ),
    "decision": (
        [
            ("context", "float32", "BH"),
            ("volume_forecast", "float32", "BN"),
            ("state", "float32", "BK"),
            ("step", "int64", "B"),
            ("scenario", "int64", "B"),
        ],
        [("allocation", "float32", "B"), ("stop_probability", "float32", "B")],
    ),
}
"""Inputs and outputs of each graph."""


def check_card(card: Card) -> None:
    """Raises BundleError where the card does not describe graphs that this service can ask."""
    ours = {
        "columns": list(COLUMNS),
        "state_columns": list(STATE_COLUMNS),
        "scenarios": [[one.side.value, one.benchmark.value, one.size_mode.value] for one in SCENARIOS],
    }
    for name, value in ours.items():
        if getattr(card, name) != value:
            raise BundleError(f"the card's {name} are {getattr(card, name)}; this service needs {value}")
    if card.history_min > card.lookback:
        raise BundleError(f"the card's history_min {card.history_min} is above its lookback {card.lookback}")
    sizes = {"L": card.lookback, "C": len(COLUMNS), "N": card.max_steps, "K": len(STATE_COLUMNS)}
    for graph, described in (("context", card.context), ("decision", card.decision)):
        inputs, outputs = INTERFACES[graph]
        _check_described(f"{graph}'s inputs", described.inputs, inputs, sizes)
        _check_described(f"{graph}'s outputs", described.outputs, outputs, sizes)


def check_file(path: Path, content: bytes) -> frozenset[str]:
    """The graph's operators. Raises BundleError where its answers would follow from more than this file and its
    inputs."""
    try:
        found = read_onnx(content)
    except ValueError as error:
        raise BundleError(f"{path} is not an ONNX file: {error}") from error
    if found.external:
        raise BundleError(f"{path} keeps weights in other files, which no checksum covers; export it as one file")
    odd = sorted(name for name in found.operators if "." in name or name.startswith(RANDOM))
    if odd:
        raise BundleError(f"{path} uses operators that are random or not ONNX' own: {', '.join(odd)}")
    return frozenset(found.operators)


def check_graph(path: Path, card: GraphCard, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Raises BundleError where the tensors of an onnxruntime session are not those that the card describes."""
    for kind, described, actual in (("input", card.inputs, inputs), ("output", card.outputs, outputs)):
        names, card_names = [tensor.name for tensor in actual], [tensor.name for tensor in described]
        if names != card_names:
            raise BundleError(f"{path}: its {kind}s are {names}; the card says {card_names}")
        for tensor, told in zip(actual, described, strict=True):
            found, wanted = _text(DTYPES.get(tensor.type, tensor.type), tensor.shape), _text(told.dtype, told.shape)
            if found != wanted:
                raise BundleError(f"{path}: its {kind} {tensor.name} is {found}; the card says {wanted}")


def _check_described(what: str, described: Sequence[TensorCard], ours: Interface, sizes: dict[str, int]) -> None:
    """`sizes` of letters that are not known yet are taken from the card: they must agree from there on."""
    names, our_names = [tensor.name for tensor in described], [name for name, _, _ in ours]
    if names != our_names:
        raise BundleError(f"the {what} are {names} in the card; this service needs {our_names}")
    for tensor, (name, dtype, letters) in zip(described, ours, strict=True):
        if len(tensor.shape) == len(letters):
            for letter, size in zip(letters, tensor.shape, strict=True):
                if letter != "B" and isinstance(size, int):
                    sizes.setdefault(letter, size)
        found, wanted = (
            _text(tensor.dtype, tensor.shape),
            _text(dtype, [sizes.get(letter, letter) for letter in letters]),
        )
        if found != wanted:
            raise BundleError(f"the {what} have {name} as {found} in the card; its other figures ask for {wanted}")


def _text(dtype: str, shape: Sequence[int | str | None]) -> str:
    """Free sizes look the same, whatever they are called."""
    return f"{dtype}[{', '.join(str(size) if isinstance(size, int) else '*' for size in shape)}]"
