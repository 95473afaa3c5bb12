"""Write a torch module as one ONNX file that says nothing of the machine on which it was written."""

from __future__ import annotations

import io
import logging
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from app.bundles.card import GoldenCase, TensorCard
from app.bundles.errors import BundleError
from models.release.graphs import GraphTensors

OPSET = 20
TRACED_BATCH = 3
"""Rows of the inputs that are traced: a batch of one would be taken for a constant."""
BATCH_MAX = 1 << 20


def write_graph(module: nn.Module, tensors: GraphTensors, case: GoldenCase, path: Path) -> None:
    """Trace `module` on the inputs of `case`, for any batch size, and keep the weights inside the one file.

    Raises BundleError where the module cannot be exported."""
    batch: Any = torch.export.Dim("B", min=1, max=BATCH_MAX)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        program = torch.onnx.export(
            module,
            tuple(_traced(case, tensor) for tensor in tensors.inputs),
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=tuple({0: batch} for _ in tensors.inputs),
            input_names=[tensor.name for tensor in tensors.inputs],
            output_names=[tensor.name for tensor in tensors.outputs],
            verbose=False,
        )
    if program is None:
        raise BundleError(f"{path.name} could not be exported")
    model = program.model_proto
    for graph in (model.graph, *model.functions):
        _forget_origin(graph)
    path.write_bytes(model.SerializeToString())


def _traced(case: GoldenCase, tensor: TensorCard) -> Tensor:
    """A golden input, repeated until it has as many rows as are traced."""
    value = torch.tensor(case.inputs[tensor.name], dtype=getattr(torch, tensor.dtype))
    return value.repeat(TRACED_BATCH, *[1] * (value.dim() - 1))[: max(TRACED_BATCH, len(value))]


def _forget_origin(graph: Any) -> None:
    """Drop the exporter's notes: in which file of this machine each node was written says nothing to anybody else."""
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
