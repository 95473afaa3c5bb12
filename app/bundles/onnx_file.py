"""What an ONNX file holds that its session does not tell, read from the file's protobuf records: weights that lie in
other files, and operators whose answers follow from more than their inputs.

Only these field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto are known here; all else is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

MESSAGES: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""Which fields of a message are messages, and of which kind."""
OP_TYPE, DOMAIN = 4, 7
"""Fields of a node."""
EXTERNAL_DATA, DATA_LOCATION = 13, 14
"""Fields of a tensor."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Kinds of values on the wire."""
MORE = 0x80
"""The bit of a byte that says that its number goes on."""

Value = int | bytes


@dataclass(slots=True)
class OnnxFile:
    """`external` tells of weights outside the file; `operators` are named with their domain where that is not ONNX'
    own."""

    external: bool = False
    operators: set[str] = field(default_factory=set)


def read_onnx(content: bytes) -> OnnxFile:
    """Raises ValueError where the content is no protobuf."""
    found = OnnxFile()
    pending: list[tuple[str, bytes]] = [("model", content)]
    while pending:
        kind, message = pending.pop()
        fields = list(_fields(message))
        pending += [
            (MESSAGES[kind][number], value)
            for number, value in fields
            if number in MESSAGES[kind] and isinstance(value, bytes)
        ]
        if kind == "node":
            found.operators.add(_operator(fields))
        if kind == "tensor":
            found.external |= any(each[0] == EXTERNAL_DATA or each == (DATA_LOCATION, 1) for each in fields)
    return found


def _operator(fields: list[tuple[int, Value]]) -> str:
    texts = dict(fields)
    name, domain = (
        value.decode() if isinstance(value := texts.get(number), bytes) else "" for number in (OP_TYPE, DOMAIN)
    )
    return f"{domain}.{name}" if domain else name


def _fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """The numbers and values of a message's fields, in their order."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        value: Value
        if wire == VARINT:
            value, at = _varint(message, at)
        elif wire == BYTES:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        elif wire in (FIXED64, FIXED32):
            length = 8 if wire == FIXED64 else 4
            value, at = message[at : at + length], at + length
        else:
            raise ValueError(f"field {number} has the unknown wire type {wire}")
        if at > len(message):
            raise ValueError(f"field {number} ends beyond its message")
        yield number, value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message):
            raise ValueError("a number ends beyond its message")
        byte = message[at]
        value |= (byte & ~MORE) << shift
        at, shift = at + 1, shift + 7
        if not byte & MORE:
            return value, at
