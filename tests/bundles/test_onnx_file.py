"""What an ONNX file holds is found wherever it lies in the file."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from app.bundles.contract import check_file
from app.bundles.errors import BundleError
from app.bundles.onnx_file import read_onnx

OUTSIDE = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
PATH = Path("graph.onnx")


def a_file(*nodes: onnx.NodeProto, weights: list[TensorProto] | None = None) -> bytes:
    graph = helper.make_graph(list(nodes), "graph", [], [], initializer=weights or [])
    content: bytes = helper.make_model(graph).SerializeToString()
    return content


def within(node: onnx.NodeProto) -> onnx.NodeProto:
    """A node whose inner graph holds the node."""
    return helper.make_node("If", ["c"], ["y"], then_branch=helper.make_graph([node], "inner", [], []))


CONSTANT = helper.make_node("Constant", [], ["y"], value=OUTSIDE)


@pytest.mark.parametrize(
    "content",
    [a_file(weights=[OUTSIDE]), a_file(CONSTANT), a_file(within(CONSTANT)), a_file(within(within(CONSTANT)))],
    ids=["of the graph", "of a constant", "of an inner graph", "of a graph in that"],
)
def test_weights_outside_the_file_are_found(content: bytes) -> None:
    assert read_onnx(content).external
    with pytest.raises(BundleError, match="other files"):
        check_file(PATH, content)


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("RandomNormal", [], ["y"], shape=[1]),
        helper.make_node("Bernoulli", ["x"], ["y"]),
        helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft"),
    ],
)
def test_operators_whose_answers_follow_from_more_than_inputs_are_refused(node: onnx.NodeProto) -> None:
    for content in (a_file(node), a_file(within(node))):
        with pytest.raises(BundleError, match=node.op_type):
            check_file(PATH, content)


def test_all_operators_are_named() -> None:
    node = helper.make_node("Add", ["a", "b"], ["c"])

    assert read_onnx(a_file(within(node))).operators == {"If", "Add"}


@pytest.mark.parametrize("content", [b"\xff", b"\x3a\x7f", b"\x0b", b"no protobuf at all"])
def test_what_is_no_onnx_file_is_refused(content: bytes) -> None:
    with pytest.raises(BundleError, match="not an ONNX file"):
        check_file(PATH, content)
