"""A trained LEM as a bundle: two ONNX graphs and a card, refused where torch and onnxruntime disagree."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import logging
import shutil
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from app.bundles.bundle import BundleError, LemPolicy, load_bundle
from app.bundles.card import Card, GoldenCase, GraphCard, RiskAversions, TensorCard, Training
from app.bundles.inputs import STATE_COLUMNS
from app.decision.market import COLUMNS
from app.domain.errors import InvalidInput
from app.domain.order import SCENARIOS
from models.network.context_layout import FIXED_COLUMNS
from models.network.decision import DecisionTable
from models.network.lem import Lem
from models.network.tkan import Tkan
from models.release.golden import context_case, decision_case
from models.settings.sizes import LemConfig

Gate = Callable[[Path, LemPolicy], list[str]]
"""Told the draft's folder and the bundle in it, returns what speaks against a release."""
CARD = "card.json"
OPSET = 20
TRACED_BATCH = 3  # a batch of one would be taken for a constant


def export_bundle(
    net: Lem,
    directory: Path,
    *,
    training: Training,
    bar_seconds: Sequence[int],
    risk_aversions: RiskAversions,
    metrics: Sequence[dict[str, float | int | str]],
    gate: Gate = lambda _directory, _policy: [],
) -> None:
    """Write `context.onnx`, `decision.onnx` and `card.json`, load them as the service does, and ask the gate.

    The bundle takes its place only when nothing speaks against it: a failed export leaves what was there. Raises
    BundleError with all reasons, InvalidInput where `directory` holds anything but a bundle.
    """
    _require_replaceable(directory)
    net = (
        copy.deepcopy(net).eval().requires_grad_(requires_grad=False)
    )  # a scan that keeps gradients cannot be exported
    table = DecisionTable(net.decision).eval()
    draft = directory.with_name(directory.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    rng = np.random.default_rng(0)
    golden = [context_case(net, rng, bars) for bars in (net.config.lookback, net.config.history_min)]
    golden += [decision_case(net, table, rng, rows=4 * len(SCENARIOS))]
    context_sha = _export(
        _scanning(net), [_tensor(golden[0], "bars")], draft / "context.onnx", ["bars"], CONTEXT_OUTPUTS
    )
    inputs = [_tensor(golden[-1], name) for name in DECISION_INPUTS]
    decision_sha = _export(table, inputs, draft / "decision.onnx", DECISION_INPUTS, DECISION_OUTPUTS)
    card = Card(
        name=directory.name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        lookback=net.config.lookback,
        history_min=net.config.history_min,
        max_steps=net.config.max_steps,
        bar_seconds=list(bar_seconds),
        columns=list(COLUMNS),
        state_columns=list(STATE_COLUMNS),
        scenarios=[[one.side.value, one.benchmark.value, one.size_mode.value] for one in SCENARIOS],
        risk_aversions=risk_aversions,
        context=context_graph(net.config, context_sha),
        decision=decision_graph(net.config, decision_sha),
        training=training,
        metrics=list(metrics),
        golden=golden,
    )
    (draft / CARD).write_text(json.dumps(card.model_dump(), separators=(",", ":")) + "\n")
    try:
        _require_passed(gate(draft, load_bundle(draft)))
    except Exception:
        shutil.rmtree(draft)
        raise
    shutil.rmtree(directory, ignore_errors=True)
    draft.rename(directory)


def _require_replaceable(directory: Path) -> None:
    """A mistyped folder must not cost its owner what lies there."""
    if not directory.exists() or (directory / CARD).is_file():
        return
    if not directory.is_dir() or any(directory.iterdir()):
        raise InvalidInput("not_a_bundle", f"{directory} exists and is no bundle: nothing there is overwritten")


def _require_passed(reasons: list[str]) -> None:
    if reasons:
        raise BundleError("; ".join(reasons))


CONTEXT_OUTPUTS = ["context", "volume_forecast"]
DECISION_INPUTS = ["context", "volume_forecast", "state", "step", "scenario"]
DECISION_OUTPUTS = ["allocation", "stop_probability"]


def context_graph(config: LemConfig, sha256: str) -> GraphCard:
    width = len(FIXED_COLUMNS) + config.context_width
    return GraphCard(
        sha256=sha256,
        inputs=[
            TensorCard(name="bars", dtype="float32", shape=["B", config.lookback, len(COLUMNS)], unit="as columns")
        ],
        outputs=[
            TensorCard(
                name="context",
                dtype="float32",
                shape=["B", width],
                unit="log volatility, log volume, trust, log tilts of volume (next bar, the one after, later) where an "
                "order may stop at any step and where at none, learned",
            ),
            TensorCard(name="volume_forecast", dtype="float32", shape=["B", config.max_steps], unit="base units"),
        ],
    )


def decision_graph(config: LemConfig, sha256: str) -> GraphCard:
    context, forecast = context_graph(config, "").outputs
    return GraphCard(
        sha256=sha256,
        inputs=[
            context,
            forecast,
            TensorCard(name="state", dtype="float32", shape=["B", len(STATE_COLUMNS)], unit="as state_columns"),
            TensorCard(name="step", dtype="int64", shape=["B"], unit="1-based step to decide"),
            TensorCard(name="scenario", dtype="int64", shape=["B"], unit="index into scenarios"),
        ],
        outputs=[
            TensorCard(name="allocation", dtype="float32", shape=["B"], unit="fraction of the order"),
            TensorCard(name="stop_probability", dtype="float32", shape=["B"], unit="probability"),
        ],
    )


def _scanning(net: Lem) -> nn.Module:
    for layer in net.context.modules():
        if isinstance(layer, Tkan):
            layer.exporting = True
    return net.context


def _tensor(case: GoldenCase, name: str) -> Tensor:
    """A golden input, repeated to the batch that is traced."""
    dtype = torch.int64 if name in ("step", "scenario") else torch.float32
    value = torch.tensor(case.inputs[name], dtype=dtype)
    return value.repeat(TRACED_BATCH, *[1] * (value.dim() - 1))[: max(TRACED_BATCH, len(value))]


def _export(module: nn.Module, inputs: list[Tensor], path: Path, names: list[str], outputs: list[str]) -> str:
    """The file's sha256. The weights stay inside the one file."""
    batch: Any = torch.export.Dim("B", min=1, max=1 << 20)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        program = torch.onnx.export(
            module,
            tuple(inputs),
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=tuple({0: batch} for _ in inputs),
            input_names=names,
            output_names=outputs,
            verbose=False,
        )
    if program is None:
        raise BundleError(f"{path.name} could not be exported")
    model = program.model_proto
    for graph in (model.graph, *model.functions):
        _forget_origin(graph)
    path.write_bytes(model.SerializeToString())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _forget_origin(graph: Any) -> None:
    """Drop the exporter's notes: where on this machine each node was written says nothing to anybody else."""
    del graph.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _forget_origin(attribute.g)
    for value in (*graph.input, *graph.output, *graph.value_info):
        if hasattr(value, "metadata_props"):
            del value.metadata_props[:]
