"""Load a bundle, refuse it where anything about it is wrong, and answer as a policy.

Shapes: G windows, L lookback, C columns, H context width, N steps, B orders, K state columns.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import ValidationError

from app.bundles.card import Card, GraphCard
from app.bundles.inputs import STATE_COLUMNS, state_matrix
from app.decision.market import COLUMNS, Floats, Market
from app.decision.policy import Proposal, Rows
from app.domain.order import SCENARIOS

GOLDEN_TOLERANCE = 1e-5
"""Largest difference from a golden output, relative to it where it is above 1."""
DIGEST_LENGTH = 12

Arrays = dict[str, NDArray[np.generic]]


class BundleError(Exception):
    """The bundle is missing, damaged, made for another version, or does not compute what its card says."""


class LemPolicy:
    """A bundle as a policy. `name` is `<card name>@<digest>`: what slices record."""

    def __init__(
        self, card: Card, context: onnxruntime.InferenceSession, decision: onnxruntime.InferenceSession
    ) -> None:
        self.card = card
        self.name = f"{card.name}@{bundle_digest(card)}"
        self.lookback, self.history_min, self.max_steps = card.lookback, card.history_min, card.max_steps
        self.risk_aversions = card.risk_aversions.model_dump()
        self.risk_aversion: float = card.risk_aversions.default
        self._context, self._decision = context, decision

    def observe(self, windows: Floats) -> Market:
        context, volume_forecast = self._context.run(None, {"bars": windows})
        return Market(context, volume_forecast)

    def propose(self, market: Market, rows: Rows) -> Proposal:
        allocation, stop_probability = self._decision.run(
            None,
            {
                "context": market.context[rows.market],
                "volume_forecast": market.volume_forecast[rows.market],
                "state": state_matrix(rows),
                "step": rows.step,
                "scenario": rows.scenario,
            },
        )
        return Proposal(allocation.astype(np.float64), stop_probability.astype(np.float64))


def load_bundle(directory: Path) -> LemPolicy:
    """Check the card, both graphs' checksums and interfaces, and replay the golden cases. Raises BundleError."""
    card = _card(directory)
    _check_contract(card)
    policy = LemPolicy(
        card, _session(directory, "context", card.context), _session(directory, "decision", card.decision)
    )
    replay_golden(policy)
    return policy


def bundle_digest(card: Card) -> str:
    """What names the bundle's behaviour: both graphs and the risk aversions that the names stand for."""
    text = f"{card.context.sha256}{card.decision.sha256}{card.risk_aversions.model_dump_json()}"
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def replay_golden(policy: LemPolicy) -> None:
    """Raises BundleError where a graph does not give what its card says it gave."""
    if {case.graph for case in policy.card.golden} != {"context", "decision"}:
        raise BundleError("the card has no golden cases for one of its graphs")
    sessions = {"context": policy._context, "decision": policy._decision}  # noqa: SLF001 - the sessions stay private
    graphs = {"context": policy.card.context, "decision": policy.card.decision}
    for number, case in enumerate(policy.card.golden):
        graph = graphs[case.graph]
        types = {tensor.name: tensor.dtype for tensor in graph.inputs}
        inputs: Arrays = {name: np.asarray(value, dtype=types[name]) for name, value in case.inputs.items()}
        answers = sessions[case.graph].run(None, inputs)
        for tensor, answer in zip(graph.outputs, answers, strict=True):
            wanted = np.asarray(case.outputs[tensor.name], dtype=np.float64)
            apart = np.abs(answer - wanted) / np.maximum(1.0, np.abs(wanted))
            if not (apart <= GOLDEN_TOLERANCE).all():  # NaN fails too
                raise BundleError(f"golden case {number}: {tensor.name} is off by {apart.max():.2g}")


def _card(directory: Path) -> Card:
    path = directory / "card.json"
    try:
        return Card.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BundleError(f"{path} is not a valid card: {place}: {first['msg']}") from error


def _check_contract(card: Card) -> None:
    ours = {
        "columns": list(COLUMNS),
        "state_columns": list(STATE_COLUMNS),
        "scenarios": [[one.side.value, one.benchmark.value, one.size_mode.value] for one in SCENARIOS],
    }
    for name, value in ours.items():
        if getattr(card, name) != value:
            raise BundleError(f"the card's {name} are {getattr(card, name)}; this service needs {value}")


def _session(directory: Path, name: str, card: GraphCard) -> onnxruntime.InferenceSession:
    path = directory / f"{name}.onnx"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != card.sha256:
        raise BundleError(f"{path} has the checksum {found}; the card says {card.sha256}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a family of its own without a common base
        raise BundleError(f"{path} cannot be loaded: {error}") from error
    for kind, told, real in (
        ("input", card.inputs, session.get_inputs()),
        ("output", card.outputs, session.get_outputs()),
    ):
        if [tensor.name for tensor in told] != [tensor.name for tensor in real]:
            raise BundleError(
                f"{path}: its {kind}s are {[t.name for t in real]}; the card says {[t.name for t in told]}"
            )
    return session
