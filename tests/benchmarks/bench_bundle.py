"""How long a bundle takes to read a window of bars and to decide on a batch of orders. Prints figures; asserts nothing.

Run as `python -m tests.benchmarks.bench_bundle [--orders 10000] [--bundle DIR]`. The inputs are the card's golden
cases, repeated to the batch's size; as when serving, each graph runs on one thread.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from app.bundles.bundle import load_bundle
from app.bundles.card import Card
from app.bundles.shipped import SHIPPED_BUNDLE

ROUNDS = 50
Inputs = dict[str, NDArray[Any]]


def inputs_of(card: Card, graph: str, rows: int) -> Inputs:
    """A golden case of the graph, its rows repeated."""
    case = next(case for case in card.golden if case.graph == graph)
    types = {tensor.name: tensor.dtype for tensor in getattr(card, graph).inputs}
    arrays = {name: np.asarray(value, dtype=types[name]) for name, value in case.inputs.items()}
    return {name: np.resize(array, (rows, *array.shape[1:])) for name, array in arrays.items()}


def median_ms(path: Path, inputs: Inputs) -> float:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    session.run(None, inputs)
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        session.run(None, inputs)
        took.append(time.perf_counter() - started)
    return 1e3 * statistics.median(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE)
    chosen = parser.parse_args()
    policy = load_bundle(chosen.bundle)
    for graph, rows, what in (("context", 1, "one context"), ("decision", chosen.orders, f"{chosen.orders} decisions")):
        took = median_ms(chosen.bundle / f"{graph}.onnx", inputs_of(policy.card, graph, rows))
        sys.stdout.write(f"{policy.name}  {what:20} {took:8.2f} ms\n")


if __name__ == "__main__":
    main()
